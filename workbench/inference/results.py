"""What the console's questions give: plain data that goes over a pipe, into the store and onto the screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.metrics import as_json, perplexity


@dataclass(frozen=True, slots=True)
class Prediction:
    """One token in the place of a mask. `probability` is the softmax over the whole vocabulary.

    `text` is the token as a person reads it, without the space that some tokenizers keep in it; a WordPiece
    token that goes on with the word before keeps its `##`. `token_id` tells apart tokens that read alike.
    """

    text: str
    token_id: int
    probability: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A given word in the place of a mask. `why_not`: why it cannot stand there; then nothing else is known.

    `log_probability`: natural logarithm, summed over the word's tokens from left to right, each masked
    together with those after it; among words of as many tokens.
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
    """The best predictions for one mask, most probable first, and the candidates if some were given.

    `position` is the index of the mask token in the token sequence that the model reads, special tokens
    counted: in `[CLS] the [MASK]` it is 2.
    """

    position: int
    predictions: tuple[Prediction, ...]
    candidates: tuple[Candidate, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """{position, predictions: [{text, token_id, probability}]}, and candidates where some were given."""
        values: dict[str, Any] = {
            "position": self.position,
            "predictions": [
                {"text": one.text, "token_id": one.token_id, "probability": one.probability}
                for one in self.predictions
            ],
        }
        if self.candidates:
            values["candidates"] = [one.to_json() for one in self.candidates]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MaskFill:
        predictions = tuple(Prediction(**one) for one in values["predictions"])
        candidates = tuple(Candidate.from_json(one) for one in values.get("candidates", []))
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
        ids = tuple(tuple(one) for one in values["token_ids"])
        return cls(values["filled"], tuple(values["words"]), ids, values["score"])


@dataclass(frozen=True, slots=True)
class FillResult:
    """`text` as it was given, `filled` with the best word in each mask by itself, the masks in reading order,
    and in `joint` the words that fit several masks best together, best first; empty for one mask.

    `notes`: what the person should know about the model, such as a missing head; not part of the JSON.
    `unknown`: the words of the text that the model's tokenizer cannot spell.
    """

    text: str
    filled: str
    masks: tuple[MaskFill, ...]
    joint: tuple[JointFill, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """{text, filled, masks, joint}, of which see the parts, and unknown where there are such words."""
        values: dict[str, Any] = {
            "text": self.text,
            "filled": self.filled,
            "masks": [mask.to_json() for mask in self.masks],
            "joint": [one.to_json() for one in self.joint],
        }
        return values | ({"unknown": list(self.unknown)} if self.unknown else {})

    @classmethod
    def from_json(cls, values: Mapping[str, Any], notes: tuple[str, ...] = ()) -> FillResult:
        """The result that `to_json` wrote."""
        return cls(
            text=values["text"],
            filled=values["filled"],
            masks=tuple(MaskFill.from_json(mask) for mask in values["masks"]),
            joint=tuple(JointFill.from_json(one) for one in values.get("joint", [])),
            notes=notes,
            unknown=tuple(values.get("unknown", ())),
        )


@dataclass(frozen=True, slots=True)
class TokenSurprisal:
    """A token of a text, which stands at `start` to `end` of it and reads as `token`.

    `bits`: -log2 p(token | all others); None: not scored. `rank`: its place among all tokens, from 1.
    `best`: what the model would have put there, with `best_probability`.
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
    """`count` tokens were scored; `pseudo_log_likelihood` is the sum of their ln p(token | all others).

    Source: Salazar et al. 2020, "Masked Language Model Scoring", equations 1 and 4.
    """

    text: str
    tokens: tuple[TokenSurprisal, ...]
    count: int
    pseudo_log_likelihood: float
    notes: tuple[str, ...] = ()

    @property
    def pseudo_perplexity(self) -> float:
        """exp of the mean surprisal of a token in nats; here of one text, there of a corpus."""
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
        """What `to_json` wrote."""
        tokens = tuple(TokenSurprisal(**token) for token in values["tokens"])
        return cls(values["text"], tokens, values["count"], values["pseudo_log_likelihood"], notes)
