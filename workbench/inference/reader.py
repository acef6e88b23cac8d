"""What a model reads at places in token sequences: the log probability of every token there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, TypeVar

import torch
from transformers import PreTrainedModel

from workbench.errors import ModelError
from workbench.rpc import Check, never_cancelled

T = TypeVar("T")
MOST_SCORES = 64 * 2**20
"""Scores (sequences x tokens x vocabulary) that one pass of the model may give: 256 MiB in fp32."""


class Question(NamedTuple):
    """What stands at `position` of the sequence `ids`, special tokens counted?"""

    ids: tuple[int, ...]
    position: int


class Reader:
    """A model on the CPU. `read` may be called from several threads; they take turns, pass by pass."""

    def __init__(
        self, name: str, model: PreTrainedModel, vocabulary: int, special: Collection[int] = ()
    ) -> None:
        """`special`: tokens that stand for no text, which `guesses` leaves out."""
        self._special = torch.tensor(sorted(one for one in special if one < vocabulary), dtype=torch.int64)
        self._name = name
        self._model = model.eval()
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._scored = int(getattr(model.config, "vocab_size", 0) or vocabulary)

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(weight.numel() * weight.element_size() for weight in self._model.parameters())

    def read(
        self,
        questions: Sequence[Question],
        take: Callable[[int, torch.Tensor], T],
        check: Check = never_cancelled,
    ) -> list[T]:
        """`take(i, log_probabilities)` for each question i, in their order.

        log_probabilities: (tokens that the tokenizer can name,) fp32, natural logarithms; the softmax is over
        all that the model scores. A sequence that several questions are about is read once; sequences of one
        length share passes, as many as MOST_SCORES allows. Raises ModelError when the model gives no scores.
        """
        asked: dict[tuple[int, ...], list[int]] = {}
        for number, question in enumerate(questions):
            asked.setdefault(question.ids, []).append(number)
        taken: dict[int, T] = {}
        for batch in self._batches(list(asked)):
            check()
            about = [(row, number) for row, ids in enumerate(batch) for number in asked[ids]]
            rows = [row for row, _ in about]
            scores = self._scores(batch, rows, [questions[number].position for _, number in about])
            for (_, number), one in zip(about, scores, strict=True):
                taken[number] = take(number, one)
        return [taken[number] for number in range(len(questions))]

    def guesses(self, found: torch.Tensor) -> torch.Tensor:
        """The log probabilities that `read` gave; those of special tokens are minus infinity."""
        return found.index_fill(0, self._special, -torch.inf)

    def most(self, wanted: int) -> int:
        """How many of the `wanted` best guesses there can be."""
        return min(wanted, self._vocabulary - len(self._special))

    def _batches(self, sequences: list[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
        """Sequences of one length together: without padding no family has to be told what is padding."""
        by_length: dict[int, list[tuple[int, ...]]] = {}
        for sequence in sequences:
            by_length.setdefault(len(sequence), []).append(sequence)
        for length, alike in by_length.items():
            size = max(1, MOST_SCORES // (max(length, 1) * self._scored))
            yield from (alike[start : start + size] for start in range(0, len(alike), size))

    def _scores(
        self, batch: list[tuple[int, ...]], rows: list[int], positions: list[int]
    ) -> Iterator[torch.Tensor]:
        try:
            with self._lock, torch.inference_mode():
                scores = self._model(input_ids=torch.tensor(batch)).logits[rows, positions].float()
        except Exception as error:  # whatever a foreign forward raises
            raise ModelError(f"{self._name} cannot read this text: {str(error).strip()[:200]}") from error
        found = scores.log_softmax(-1)[:, : self._vocabulary]
        if found.isnan().any():
            raise ModelError(
                f"{self._name} gives no numbers as scores: its weights are damaged, or training diverged.",
                "Try an earlier checkpoint, or train with a lower learning rate.",
            )
        return iter(found)
