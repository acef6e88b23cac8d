"""Runs a model to get the log probability of every token at positions in token sequences."""

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
"""Maximum number of scores (sequences x tokens x vocabulary) of one pass: 256 MiB in fp32."""


class Question(NamedTuple):
    """Which token is at `position` of the sequence `ids`? Special tokens count."""

    ids: tuple[int, ...]
    position: int


class Reader:
    """A model on the CPU. Thread-safe: threads take turns, pass by pass."""

    def __init__(
        self, name: str, model: PreTrainedModel, vocabulary: int, special: Collection[int] = ()
    ) -> None:
        """`special`: tokens without text, which `guesses` excludes."""
        self._special = torch.tensor(
            sorted(token for token in special if token < vocabulary), dtype=torch.int64
        )
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
        """The results of `take(i, log_probabilities)` for each question i, in order.

        log_probabilities: (tokens of the tokenizer,) fp32, natural logarithms; the softmax is over all tokens
        that the model scores. A sequence with several questions is read once; sequences of equal length share
        passes, up to MOST_SCORES. Raises ModelError when the model gives no usable scores.
        """
        by_sequence: dict[tuple[int, ...], list[int]] = {}
        for number, question in enumerate(questions):
            by_sequence.setdefault(question.ids, []).append(number)
        results: dict[int, T] = {}
        for batch in self._batches(list(by_sequence)):
            check()
            pairs = [(row, number) for row, ids in enumerate(batch) for number in by_sequence[ids]]
            rows = [row for row, _ in pairs]
            scores = self._scores(batch, rows, [questions[number].position for _, number in pairs])
            for (_, number), values in zip(pairs, scores, strict=True):
                results[number] = take(number, values)
        return [results[number] for number in range(len(questions))]

    def guesses(self, log_probabilities: torch.Tensor) -> torch.Tensor:
        """The log probabilities from `read`, with minus infinity for special tokens."""
        return log_probabilities.index_fill(0, self._special, -torch.inf)

    def most(self, wanted: int) -> int:
        """The number of best guesses available, at most `wanted`."""
        return min(wanted, self._vocabulary - len(self._special))

    def _batches(self, sequences: list[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
        """Batches of sequences of equal length: without padding, no attention mask is needed."""
        by_length: dict[int, list[tuple[int, ...]]] = {}
        for sequence in sequences:
            by_length.setdefault(len(sequence), []).append(sequence)
        for length, group in by_length.items():
            size = max(1, MOST_SCORES // (max(length, 1) * self._scored))
            yield from (group[start : start + size] for start in range(0, len(group), size))

    def _scores(
        self, batch: list[tuple[int, ...]], rows: list[int], positions: list[int]
    ) -> Iterator[torch.Tensor]:
        try:
            with self._lock, torch.inference_mode():
                scores = self._model(input_ids=torch.tensor(batch)).logits[rows, positions].float()
        except Exception as error:  # a model's forward may raise anything
            raise ModelError(f"{self._name} cannot read this text: {str(error).strip()[:200]}") from error
        log_probabilities = scores.log_softmax(-1)[:, : self._vocabulary]
        if log_probabilities.isnan().any():
            raise ModelError(
                f"The scores of {self._name} are NaN: its weights are damaged, or training diverged.",
                "Try an earlier checkpoint, or train with a lower learning rate.",
            )
        return iter(log_probabilities)
