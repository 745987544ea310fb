"""Choosing among many by arrays of numbers: the pure mathematics of the passes that select."""
