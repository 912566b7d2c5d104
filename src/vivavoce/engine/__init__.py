"""Who hears, thinks and speaks. Shared by all calls of a process, never copied per call."""
