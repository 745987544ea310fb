"""Where accepted records go, one file each; the file name is the name in a job."""
