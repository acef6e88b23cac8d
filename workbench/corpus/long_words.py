"""Checks for words too long to be masked whole, such as DNA or other text without spaces."""

from __future__ import annotations

import numpy as np

from workbench.corpus.chunks import ChunkTable
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

WARN_ABOVE, REFUSE_ABOVE = 0.01, 0.2
"""Limits for the share of tokens in such words."""
PART_OF_CHUNK = 4
"""A word is too long if it fills more than a quarter of a chunk."""
_MOST_CHUNKS = 20_000  # looked at


def check_words(table: ChunkTable, masking: str, notes: Notes) -> None:
    """Warn about too long words. Raises CorpusError if more than REFUSE_ABOVE of the tokens are in such
    words: a chunk would be masked nearly completely or not at all, regardless of mask_prob.
    """
    longest = max(2, table.chunk_size // PART_OF_CHUNK)
    starts = np.array(table.word_starts[:_MOST_CHUNKS])
    starts[:, 0] = 1
    lengths = np.diff(np.append(np.flatnonzero(starts), starts.size))
    share = float(lengths[lengths > longest].sum()) / starts.size
    if share <= WARN_ABOVE:
        return
    what = (
        f"masking = {masking}: {100 * share:.3g} % of the tokens are in words of more than {longest} tokens, "
        "a few of which fill a chunk."
    )
    instead = "Use masking = token, or a model whose tokenizer splits such text into words."
    if share > REFUSE_ABOVE:
        raise CorpusError(f"{what} Chunks would be masked nearly completely or not at all.", instead)
    notes.warning(f"{what} {instead}")
