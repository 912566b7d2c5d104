"""What may be written down about a running service, and what may not."""
