"""Text to documents to chunks to masked batches."""
