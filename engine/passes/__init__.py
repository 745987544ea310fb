"""Decisions that need all records, one file each; the file name is the name in a job."""
