"""The console: sentences with [MASK], filled by one or more models."""
