"""Verifiable constraints: what an answer must be like, decided by a program, in any script."""
