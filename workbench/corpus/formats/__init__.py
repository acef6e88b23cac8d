"""Readers of document formats; each module extracts the text of one kind of file."""
