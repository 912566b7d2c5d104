"""What stands behind a call on this computer."""
