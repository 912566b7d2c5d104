"""Arithmetic on samples. Pure."""
