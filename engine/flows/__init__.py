"""Graphs that a job declares: their shapes, what is checked beforehand, how they are made."""
