"""Calls over WebRTC, on `wrtc` (libwebrtc); nothing outside this package names it."""
