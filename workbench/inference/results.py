"""Results of the console's queries: plain data for the pipe, the store and the screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.metrics import as_json, perplexity


@dataclass(frozen=True, slots=True)
class Prediction:
    """One token in the place of a mask. `probability` is the softmax over the whole vocabulary.

    `text` is the readable token, without the space that some tokenizers keep in it; a WordPiece token that
    continues a word keeps its `##`. `token_id` distinguishes tokens with equal text.
    """

    text: str
    token_id: int
    probability: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate word in the place of a mask. `why_not`: why it cannot stand there; then the rest is empty.

    `log_probability`: natural logarithm, summed over the word's tokens from left to right, each masked
    together with those after it; a probability among words of as many tokens.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    log_probability: float | None = None
    why_not: str = ""

    @property
    def probability(self) -> float | None:
        return None if self.log_probability is None else math.exp(self.log_probability)

    def to_json(self) -> dict[str, Any]:
        """{text, token_ids, log_probability, probability, why_not}."""
        return {
            "text": self.text,
            "token_ids": list(self.token_ids),
            "log_probability": self.log_probability,
            "probability": self.probability,
            "why_not": self.why_not,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Candidate:
        ids = tuple(values["token_ids"])
        return cls(values["text"], ids, values["log_probability"], values["why_not"])


@dataclass(frozen=True, slots=True)
class MaskFill:
    """The best predictions for one mask, most probable first, and the candidates, if any.

    `position` is the index of the mask token in the token sequence that the model reads, special tokens
    counted: in `[CLS] the [MASK]` it is 2.
    """

    position: int
    predictions: tuple[Prediction, ...]
    candidates: tuple[Candidate, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """{position, predictions: [{text, token_id, probability}]}, and candidates, if any."""
        values: dict[str, Any] = {
            "position": self.position,
            "predictions": [
                {"text": guess.text, "token_id": guess.token_id, "probability": guess.probability}
                for guess in self.predictions
            ],
        }
        if self.candidates:
            values["candidates"] = [candidate.to_json() for candidate in self.candidates]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MaskFill:
        predictions = tuple(Prediction(**guess) for guess in values["predictions"])
        candidates = tuple(map(Candidate.from_json, values.get("candidates", [])))
        return cls(values["position"], predictions, candidates)


@dataclass(frozen=True, slots=True)
class JointFill:
    """Words for all masks at once. `score`: the sum over the masks of ln p(word | all other words)."""

    filled: str
    words: tuple[str, ...]
    token_ids: tuple[tuple[int, ...], ...]
    score: float

    @property
    def mean_probability(self) -> float:
        """The geometric mean over the masks of p(word | all other words)."""
        return math.exp(self.score / len(self.words))

    def to_json(self) -> dict[str, Any]:
        """{filled, words, token_ids, score, mean_probability}."""
        return {
            "filled": self.filled,
            "words": list(self.words),
            "token_ids": [list(ids) for ids in self.token_ids],
            "score": self.score,
            "mean_probability": self.mean_probability,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> JointFill:
        ids = tuple(map(tuple, values["token_ids"]))
        return cls(values["filled"], tuple(values["words"]), ids, values["score"])


@dataclass(frozen=True, slots=True)
class FillResult:
    """`text`: the input; `filled`: with the best word in each mask; `masks`: in reading order; `joint`: the
    best combinations for several masks, best first, empty for one mask.

    `notes`: caveats about the model, such as a missing head; not part of the JSON. `unknown`: the words of
    the text that the model's tokenizer cannot spell.
    """

    text: str
    filled: str
    masks: tuple[MaskFill, ...]
    joint: tuple[JointFill, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """{text, filled, masks, joint} with the parts' own JSON, and unknown, if any."""
        values: dict[str, Any] = {
            "text": self.text,
            "filled": self.filled,
            "masks": [mask.to_json() for mask in self.masks],
            "joint": [fill.to_json() for fill in self.joint],
        }
        return values | ({"unknown": list(self.unknown)} if self.unknown else {})

    @classmethod
    def from_json(cls, values: Mapping[str, Any], notes: tuple[str, ...] = ()) -> FillResult:
        """A result from `to_json`."""
        return cls(
            text=values["text"],
            filled=values["filled"],
            masks=tuple(map(MaskFill.from_json, values["masks"])),
            joint=tuple(map(JointFill.from_json, values.get("joint", []))),
            notes=notes,
            unknown=tuple(values.get("unknown", ())),
        )


@dataclass(frozen=True, slots=True)
class TokenSurprisal:
    """The token at `start` to `end` of a text; `token` is its readable form.

    `bits`: -log2 p(token | all others), None if not scored. `rank`: among all tokens, from 1. `best`: the
    model's most likely token there, with `best_probability`.
    """

    start: int
    end: int
    token_id: int
    token: str
    bits: float | None
    rank: int | None
    best: str
    best_probability: float


@dataclass(frozen=True, slots=True)
class Surprisal:
    """`count`: the number of scored tokens; `pseudo_log_likelihood`: the sum of ln p(token | all others).

    Source: Salazar et al. 2020, "Masked Language Model Scoring", equations 1 and 4.
    """

    text: str
    tokens: tuple[TokenSurprisal, ...]
    count: int
    pseudo_log_likelihood: float
    notes: tuple[str, ...] = ()

    @property
    def pseudo_perplexity(self) -> float:
        """exp of the mean surprisal per token in nats, for one text rather than a corpus."""
        return perplexity(-self.pseudo_log_likelihood / self.count)

    @property
    def bits_per_token(self) -> float:
        return -self.pseudo_log_likelihood / self.count / math.log(2)

    def with_notes(self, notes: tuple[str, ...]) -> Surprisal:
        return replace(self, notes=notes)

    def to_json(self) -> dict[str, Any]:
        """{text, tokens: [{start, end, token_id, token, bits, rank, best, best_probability}], count,
        pseudo_log_likelihood, pseudo_perplexity, bits_per_token}; an infinite perplexity is null.
        """
        return {
            "text": self.text,
            "tokens": [
                {name: getattr(token, name) for name in TokenSurprisal.__slots__} for token in self.tokens
            ],
            "count": self.count,
            "pseudo_log_likelihood": self.pseudo_log_likelihood,
            "pseudo_perplexity": as_json(self.pseudo_perplexity),
            "bits_per_token": self.bits_per_token,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Surprisal:
        """A result from `to_json`."""
        tokens = tuple(TokenSurprisal(**token) for token in values["tokens"])
        return cls(values["text"], tokens, values["count"], values["pseudo_log_likelihood"], notes)
