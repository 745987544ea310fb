"""Methods that are written in the job itself."""
