"""Turns text into documents, chunks and masked batches."""

from workbench.corpus.chunks import ChunkTable
from workbench.corpus.prepare import Corpus, prepare_corpus

__all__ = ["ChunkTable", "Corpus", "prepare_corpus"]
