"""Words that are too long to be masked whole: text without spaces that nothing divides, such as DNA."""

from __future__ import annotations

import numpy as np

from workbench.corpus.chunks import ChunkTable
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

WARN_ABOVE, REFUSE_ABOVE = 0.01, 0.2
"""Shares of the tokens that stand in such words."""
PART_OF_CHUNK = 4
"""A word is too long when it fills more than one part in so many of a chunk."""
_MOST_CHUNKS = 20_000  # looked at


def check_words(table: ChunkTable, masking: str, notes: Notes) -> None:
    """Warn of words of which few fill a chunk. Raises CorpusError where most of the text is such words: a
    chunk would be masked nearly whole or not at all, whatever mask_prob says.
    """
    longest = max(2, table.chunk_size // PART_OF_CHUNK)
    starts = np.array(table.word_starts[:_MOST_CHUNKS])
    starts[:, 0] = 1
    lengths = np.diff(np.append(np.flatnonzero(starts), starts.size))
    share = float(lengths[lengths > longest].sum()) / starts.size
    if share <= WARN_ABOVE:
        return
    what = (
        f"masking = {masking}: {100 * share:.3g} % of the tokens stand in words of more than {longest} "
        "tokens, of which a few fill a chunk."
    )
    instead = "Use masking = token, or a model whose tokenizer divides such text."
    if share > REFUSE_ABOVE:
        raise CorpusError(f"{what} Chunks would be masked nearly whole or not at all.", instead)
    notes.warning(f"{what} {instead}")
