"""One check of one record per file; the file name is the name in a job."""
