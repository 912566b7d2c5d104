"""What a conversation means: pure machines. No task, no socket, no clock, no chance inside."""
