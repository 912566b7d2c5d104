"""The HTTP and WebSocket surface: who asks, what they may, and which call they mean."""
