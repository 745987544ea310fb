"""Where seeds come from, one file each; the file name is the name in a job."""
