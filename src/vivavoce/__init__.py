"""Realtime voice conversations with a machine over WebRTC, in the OpenAI Realtime protocol."""
