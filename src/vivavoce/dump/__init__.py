"""What happens in a call, written down for a report: by whom it is written, and what can be read in it."""
