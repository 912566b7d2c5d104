"""The commands: `viva talk`, `viva serve`, `viva demo`."""
