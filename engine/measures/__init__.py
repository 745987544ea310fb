"""Numbers about records: pure functions of what models said, without a model or a file."""
