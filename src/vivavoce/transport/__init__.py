"""Carries text and sound, and understands neither."""
