"""Pure functions over text in any script."""
