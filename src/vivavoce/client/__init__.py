"""The side that calls: drives one `Peer` over one transport, with microphone, speaker and tools."""
