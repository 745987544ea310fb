"""Exact tasks: tables and queries, rewriting rules, algebra; all that needs no model."""
