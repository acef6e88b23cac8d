"""Cloze suites: sentences with a missing word and the expected words, one per line.

# a comment
The capital of [MASK] is Paris. -> france
It was a [MASK] day. -> fine | good | nice
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.inference.pieces import Pieces
from workbench.pretrained.special_tokens import special_ids
from workbench.pretrained.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.store import Cloze

MASK, ARROW, OR = "[MASK]", "->", "|"
TOP = 5
_SHAPE = f"Each line is: The capital of {MASK} is Paris. {ARROW} france"
_SHOWN_MISTAKES = 3


@dataclass(frozen=True)
class Item:
    """A sentence with one mask; any of `expected` is correct. `line`: its number in the file."""

    line: int
    text: str
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """The items of a file, and the file's name."""

    name: str
    items: tuple[Item, ...]

    @property
    def fingerprint(self) -> str:
        """A hash of the sentences and words, without comments and blank lines."""
        text = "\n".join(f"{item.text}{ARROW}{OR.join(item.expected)}" for item in self.items)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def read_suite(path: Path) -> Suite:
    """Read a file. Raises UsageError, which lists the faulty lines."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"The suite {path} is not UTF-8 text.", _SHAPE) from error
    except OSError as error:
        raise UsageError(f"Cannot read the suite {path}: {error.strerror}.", _SHAPE) from error
    items, mistakes = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text, arrow, words = line.rpartition(ARROW)
        expected = tuple(word.strip() for word in words.split(OR) if word.strip())
        masks = text.count(MASK)
        if not arrow:
            mistakes.append(f"line {number} has no {ARROW}")
        elif masks != 1:
            mistakes.append(f"line {number} has {masks or 'no'} {MASK}{'s' if masks > 1 else ''}")
        elif not expected:
            mistakes.append(f"line {number} expects no word after {ARROW}")
        else:
            items.append(Item(number, text.strip(), expected))
    if mistakes:
        more = len(mistakes) - _SHOWN_MISTAKES
        shown = "; ".join(mistakes[:_SHOWN_MISTAKES]) + (f"; and {more} more" if more > 0 else "")
        raise UsageError(f"{path}: {shown}.", _SHAPE)
    if not items:
        raise UsageError(f"The suite {path} has no sentences.", _SHAPE)
    return Suite(path.name, tuple(items))


@dataclass(frozen=True)
class Answer:
    """A model's answer to an item.

    rank: the best expected word's rank among all tokens that are not special, from 1; None if the item was
    left out, for the reason in `left_out`. top: the model's most likely words.
    """

    line: int
    text: str
    expected: tuple[str, ...]
    rank: int | None
    probability: float | None
    top: tuple[str, ...]
    left_out: str = ""


def answer_suite(suite: Suite, model: str, revision: str | None = None) -> list[Answer]:
    """The answers of a model (folder, hub id or `starter`), in fp32 on the CPU. Raises ModelError.

    An expected word of several tokens does not fit into one mask and is ignored. An item without any other
    expected word is left out, with the reason.
    """
    import torch

    from workbench.pretrained.model import load_model, usable_positions

    tokenizer = load_tokenizer(model, revision)
    network = load_model(model, revision).model.eval()
    pieces = Pieces(tokenizer)
    special = torch.tensor(sorted(token for token in special_ids(tokenizer) if token < len(tokenizer)))
    limit = int(min(usable_positions(network.config) or 10**9, tokenizer.model_max_length))
    answers = []
    for item in suite.items:
        ids, position, correct, reason = _question(item, tokenizer, limit)
        if not correct:
            answers.append(Answer(item.line, item.text, item.expected, None, None, (), reason))
            continue
        with torch.inference_mode():
            scores = network(input_ids=torch.tensor([ids])).logits[0, position, : len(tokenizer)].double()
        best = max(correct, key=lambda token: float(scores[token]))
        guesses = scores.index_fill(0, special, -torch.inf)
        rank = 1 + int((guesses > scores[best]).sum())
        most = min(TOP, len(scores) - len(special))
        top = tuple(pieces.readable(int(token)) for token in guesses.topk(most).indices)
        probability = float(scores.softmax(0)[best])
        answers.append(Answer(item.line, item.text, item.expected, rank, probability, top))
    return answers


def _question(
    item: Item, tokenizer: PreTrainedTokenizerBase, limit: int
) -> tuple[list[int], int, list[int], str]:
    """Token ids with one mask, its position, the correct tokens, and the reason if there are none."""
    ids = _ids(tokenizer, item.text.replace(MASK, str(tokenizer.mask_token)))
    if ids is None:
        return [], 0, [], "a word of the sentence is not in the vocabulary"
    if ids.count(int(tokenizer.mask_token_id)) != 1:
        return ids, 0, [], "the tokenizer does not see one mask; put spaces around it"
    if len(ids) > limit:
        return ids, 0, [], f"{len(ids)} tokens are too many: the model reads at most {limit}"
    position = ids.index(int(tokenizer.mask_token_id))

    correct, reasons = [], []
    for word in item.expected:
        filled = _ids(tokenizer, item.text.replace(MASK, word))
        if filled is None:
            reasons.append(f"{word} is not in the vocabulary")
            continue
        rest = len(ids) - position - 1
        own = filled[position : len(filled) - rest]
        if filled[:position] != ids[:position] or filled[len(filled) - rest :] != ids[position + 1 :]:
            reasons.append(f"{word} merges with a neighbouring word")
        elif len(own) != 1:
            reasons.append(f"{word} is {len(own)} tokens")
        elif own[0] in special_ids(tokenizer):
            reasons.append(f"{word} is not in the vocabulary")
        else:
            correct.append(own[0])
    return ids, position, correct, "; ".join(reasons)


def _ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int] | None:
    """The tokens of a text; None if the tokenizer has none for one of its words."""
    try:
        return list(tokenizer(text, verbose=False)["input_ids"])
    except Exception:  # raised by the tokenizer's Rust code
        return None


def metrics_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """`items` (not left out), `top1` and `top5` (shares), and `mean_reciprocal_rank` over them."""
    ranks = [answer.rank for answer in answers if answer.rank is not None]
    count = max(1, len(ranks))
    return {
        "items": len(ranks),
        "top1": sum(rank == 1 for rank in ranks) / count,
        "top5": sum(rank <= TOP for rank in ranks) / count,
        "mean_reciprocal_rank": sum(1 / rank for rank in ranks) / count,
    }


@dataclass(frozen=True)
class RankChange:
    """An item whose rank changed."""

    line: int
    text: str
    expected: tuple[str, ...]
    before: int
    after: int

    @property
    def broke(self) -> bool:
        """It was correct before, and is not after."""
        return self.before == 1 and self.after > 1

    @property
    def fixed(self) -> bool:
        """It is correct after, and was not before."""
        return self.after == 1 and self.before > 1


def rank_changes(before: Cloze, after: Cloze) -> Iterator[RankChange]:
    """The items whose rank differs between two scores of a suite, in the order of the file."""
    ranks = {answer["line"]: answer["rank"] for answer in before.answers}
    for answer in after.answers:
        was, now = ranks.get(answer["line"]), answer["rank"]
        if was is not None and now is not None and was != now:
            yield RankChange(answer["line"], answer["text"], tuple(answer["expected"]), was, now)
