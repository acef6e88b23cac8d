"""Finds the test words that one run predicts better than the other, with contexts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from workbench.analysis.chunk_words import ChunkWords
from workbench.analysis.yardstick import YardstickTest, load_for_scoring
from workbench.training.batches import BatchMaker

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTEXT_TOKENS = 8
"""The number of tokens shown on each side of a word."""
_CHUNKS_PER_PASS = 64


@dataclass(frozen=True)
class TokenLosses:
    """One model's loss at every masked token of the yardstick; all (tokens,), in the order of the text.

    chunks, positions: the token's place. targets: the original token. losses: nats.
    """

    chunks: np.ndarray
    positions: np.ndarray
    targets: np.ndarray
    losses: np.ndarray


@dataclass(frozen=True)
class Context:
    """One masked occurrence of a word. Losses in nats; `before` and `after`: the surrounding text."""

    before: str
    after: str
    loss_a: float
    loss_b: float


@dataclass(frozen=True)
class ChangedWord:
    """A word, over all its masked occurrences.

    gain: the sum of a's losses minus b's, in nats, so above 0 where b is better. probability: the geometric
    mean of its probabilities.
    """

    word: str
    count: int
    gain: float
    probability_a: float
    probability_b: float
    contexts: tuple[Context, ...]


@dataclass(frozen=True)
class Changes:
    """The words that gained and lost most from a to b, largest change first."""

    improved: tuple[ChangedWord, ...]
    worsened: tuple[ChangedWord, ...]
    tokens: int


def token_losses(test: YardstickTest, model: str, *, progress: Any = lambda done, total: None) -> TokenLosses:
    """Score a model on the yardstick, token by token, in fp32 on the CPU. `progress` counts chunks."""
    device = torch.device("cpu")
    masked_lm = load_for_scoring(model, None, device, test.table.chunk_size)
    batches = BatchMaker(test.table, test.masker, device)
    parts = []
    for first in range(0, len(test.table), _CHUNKS_PER_PASS):
        rows = np.arange(first, min(first + _CHUNKS_PER_PASS, len(test.table)))
        batch = batches.draw(rows, epoch=0)
        if batch.masked:
            with torch.inference_mode():
                logits = masked_lm(batch.input_ids, batch.positions).float()
                losses = F.cross_entropy(logits, batch.targets, reduction="none")
            chunk, position = np.divmod(batch.positions.numpy(), test.table.chunk_size)
            parts.append((chunk + first, position, batch.targets.numpy(), losses.double().numpy()))
        progress(int(rows[-1]) + 1, len(test.table))
    return TokenLosses(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def changes(
    test: YardstickTest,
    a: TokenLosses,
    b: TokenLosses,
    tokenizer: PreTrainedTokenizerBase,
    *,
    words: int = 10,
    contexts: int = 3,
    fewest: int = 1,
) -> Changes:
    """The `words` that gained and lost most, each with the `contexts` that changed most.

    A word's loss is the sum over its masked pieces. `fewest`: the least number of masked occurrences.
    """
    gains = a.losses - b.losses
    words_of_test = ChunkWords(test.table, tokenizer)
    starts = _word_starts(words_of_test, a)
    order = np.lexsort((a.positions, starts, a.chunks))
    key = np.stack([a.chunks[order], starts[order]], axis=1)
    new = np.ones(len(order), dtype=bool)
    new[1:] = (key[1:] != key[:-1]).any(axis=1)
    first = np.flatnonzero(new)
    places = [
        (int(chunk), int(start), float(gain), float(loss_a), float(loss_b))
        for (chunk, start), gain, loss_a, loss_b in zip(
            key[first],
            np.add.reduceat(gains[order], first),
            np.add.reduceat(a.losses[order], first),
            np.add.reduceat(b.losses[order], first),
            strict=True,
        )
    ]
    by_word: dict[str, list[tuple[int, int, float, float, float]]] = {}
    for place in places:
        by_word.setdefault(_word_at(test, words_of_test, place[0], place[1]), []).append(place)

    def described(word: str, sign: int) -> ChangedWord:
        occurrences = sorted(by_word[word], key=lambda place: -sign * place[2])
        mean_a, mean_b = (float(np.mean([place[column] for place in occurrences])) for column in (3, 4))
        shown = tuple(_context(test, words_of_test, place) for place in occurrences[:contexts])
        return ChangedWord(
            word, len(occurrences), gain_of[word], float(np.exp(-mean_a)), float(np.exp(-mean_b)), shown
        )

    gain_of = {word: sum(place[2] for place in places) for word, places in by_word.items()}
    frequent = [word for word, places in by_word.items() if len(places) >= fewest]
    frequent.sort(key=lambda word: -gain_of[word])
    improved = [described(word, 1) for word in frequent[:words] if gain_of[word] > 0]
    worsened = [described(word, -1) for word in frequent[::-1][:words] if gain_of[word] < 0]
    return Changes(tuple(improved), tuple(worsened), len(gains))


def _word_starts(words: ChunkWords, scored: TokenLosses) -> np.ndarray:
    """The position in its chunk at which the word of each scored token starts: (tokens,)."""
    starts = np.empty(len(scored.chunks), np.int64)
    for chunk in np.unique(scored.chunks).tolist():
        here = scored.chunks == chunk
        begins = words.starts(chunk)
        positions = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
        starts[here] = positions[scored.positions[here]]
    return starts


def _word_end(test: YardstickTest, words: ChunkWords, chunk: int, start: int) -> int:
    following = np.flatnonzero(words.starts(chunk)[start + 1 :])
    return start + 1 + int(following[0]) if len(following) else test.table.chunk_size


def _word_at(test: YardstickTest, words: ChunkWords, chunk: int, start: int) -> str:
    return words.text(test.table.ids[chunk, start : _word_end(test, words, chunk, start)].tolist())


def _context(test: YardstickTest, words: ChunkWords, place: tuple[int, int, float, float, float]) -> Context:
    chunk, start, _, loss_a, loss_b = place
    ids, end = test.table.ids[chunk], _word_end(test, words, chunk, start)
    before = ids[max(0, start - CONTEXT_TOKENS) : start].tolist()
    after = ids[end : end + CONTEXT_TOKENS].tolist()
    return Context(words.text(before), words.text(after), loss_a, loss_b)
