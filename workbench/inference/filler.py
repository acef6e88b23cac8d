"""A loaded masked language model that fills masks in sentences, and says what surprises it in them."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from huggingface_hub.utils import enable_progress_bars
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from workbench.errors import ModelError, UsageError, WorkbenchError
from workbench.inference import joint
from workbench.inference.candidates import check_words, tokens_in_place
from workbench.inference.masked_text import MASK, MaskedText, read_text, require_masks, spaces_seen
from workbench.inference.pieces import Pieces, fill_in
from workbench.inference.reader import Question, Reader
from workbench.inference.results import Candidate, FillResult, JointFill, MaskFill, Prediction, Surprisal
from workbench.inference.slots import Slots, Word, log_probabilities
from workbench.inference.surprisal import surprisal_of
from workbench.pretrained.model import load_model, usable_positions
from workbench.pretrained.special_tokens import special_ids, unknown_id
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.pretrained.unspelled import UnknownWords
from workbench.rpc import Check, never_cancelled

__all__ = ["MASK", "Filler"]
MOST_TOKENS = 8192
"""Limit for models that set none: attention takes memory with the square of the length."""

_SHOWN = 5  # unknown words

# The bar of reading weights flashes by in a tenth of a second; downloads keep theirs.
transformers_logging.disable_progress_bar()
if "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ:
    enable_progress_bars()


class Filler:
    """Runs on the CPU: one sentence takes milliseconds there, and a training keeps its GPU to itself.

    It may be asked from several threads at once. `check`: see `reader.Check`.
    """

    def __init__(
        self,
        name: str,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._name = name
        self._model = model
        self._tokenizer = tokenizer
        self._pieces = Pieces(tokenizer)
        self._special = frozenset(special_ids(tokenizer))
        self._reader = Reader(name, model, len(tokenizer), self._special)
        self._unknown = UnknownWords(tokenizer)
        self.notes = notes
        self.limit = _limit(model, tokenizer)
        """The most tokens of a text, special tokens counted."""

    @classmethod
    def load(cls, model: str) -> Filler:
        """Load a hub id, a folder or `starter`. Only safetensors are read, no code of the model's own is run.

        Raises ModelError when there is no such model or it cannot fill masks.
        """
        try:
            loaded = load_model(model)
            told: list[str] = []
            tokenizer = load_tokenizer(model, tell=told.append)
            return cls(model, loaded.model, tokenizer, (*loaded.notes, *told))
        except WorkbenchError:
            raise
        except Exception as error:  # a damaged file fails in any of the libraries' ways
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(
                f"The model {model} cannot be loaded: {first_line}",
                "Its files may be damaged or not a model's.",
            ) from error

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return self._reader.size

    def fill(
        self, text: str, top_k: int = 5, candidates: Sequence[str] = (), check: Check = never_cancelled
    ) -> FillResult:
        """The `top_k` most probable tokens for each mask of `text`; each mask sees the others as masks.

        With `candidates`, those words as well, and only they fill the text. Where there are several masks,
        up to `joint.MOST_MASKS`, also the words that fit together best (see `joint.joint_fills`).

        Raises UsageError: no mask, more tokens than `limit`, `top_k` below 1, text that is not Unicode, no
        candidate that can stand in some mask. Raises ModelError when the model gives no usable scores.
        """
        if top_k < 1:
            raise UsageError(f"top_k must be at least 1; got {top_k}.")
        check_words(candidates)
        read = read_text(self._tokenizer, text, self.limit, self._name)
        require_masks(read, str(self._tokenizer.mask_token))
        unknown = self._not_known(read)
        notes = (*self.notes, *_unknown_note(unknown))
        slots = Slots(read.ids, read.positions, int(self._tokenizer.mask_token_id), self.limit)
        predictions = self._predictions(read, top_k, check)
        if not candidates:
            words: list[Word] = [(best[0].token_id,) for best in predictions]
            masks = tuple(map(MaskFill, read.positions, predictions))
            propose = joint.of_vocabulary(self._reader, slots, check=check)
            found = self._joint(read, slots, propose, [{} for _ in masks], check)
            return FillResult(text, self._filled(read, words), masks, found, notes, unknown)
        judged = self._judged(read, slots, candidates, check)
        named = [{one.token_ids: one.text for one in judge if one.token_ids} for judge in judged]
        masks = tuple(map(MaskFill, read.positions, predictions, judged))
        propose = joint.of_words(self._reader, slots, [list(names) for names in named], check)
        found = self._joint(read, slots, propose, named, check)
        filled = _put_in(read, [judge[0].text for judge in judged])
        return FillResult(text, filled, masks, found, notes, unknown)

    def surprisal(self, text: str, check: Check = never_cancelled) -> Surprisal:
        """How unexpected each token of `text` is. Raises UsageError: nothing to score, more tokens than
        `limit`, text that is not Unicode. Raises ModelError as `fill` does.
        """
        read = read_text(self._tokenizer, text, self.limit, self._name)
        found = surprisal_of(
            self._reader, read, self._pieces, int(self._tokenizer.mask_token_id), self._special, check
        )
        if not found.count:
            raise UsageError("There is no word in the text to score.", "Type a sentence.")
        unknown = read.ids.count(unknown_id(self._tokenizer))
        notes = (*self.notes, *_unknown_note(self._not_known(read)))
        if unknown:
            tokens = "token is" if unknown == 1 else "tokens are"
            notes = (*notes, f"{unknown} {tokens} unknown to the vocabulary and not scored.")
        return found.with_notes(notes)

    def _predictions(self, read: MaskedText, top_k: int, check: Check) -> list[tuple[Prediction, ...]]:
        def take(_: int, found: torch.Tensor) -> tuple[Prediction, ...]:
            best = self._reader.guesses(found).topk(self._reader.most(top_k))
            return tuple(
                Prediction(self._pieces.readable(token), token, share)
                for token, share in zip(best.indices.tolist(), best.values.exp().tolist(), strict=True)
            )

        return self._reader.read([Question(read.ids, place) for place in read.positions], take, check)

    def _judged(
        self, read: MaskedText, slots: Slots, words: Sequence[str], check: Check
    ) -> list[tuple[Candidate, ...]]:
        """For each mask the candidates, the most probable first, then those that cannot stand there."""
        fitting: list[tuple[int, str, Word]] = []
        unfit: list[list[Candidate]] = [[] for _ in read.positions]
        for slot in range(slots.count):
            for word in words:
                found = tokens_in_place(self._tokenizer, read.around, read.ids, read.positions, slot, word)
                if isinstance(found, str):
                    unfit[slot].append(Candidate(word, why_not=found))
                else:
                    fitting.append((slot, word, found))
        empty = (None,) * slots.count
        values = log_probabilities(
            self._reader, slots, [(empty, slot, own) for slot, _, own in fitting], check
        )
        judged = []
        for slot, cannot in enumerate(unfit):
            can: dict[Word, Candidate] = {}
            for (at, word, own), value in zip(fitting, values, strict=True):
                if at == slot:  # of two words that the tokenizer takes for the same, the first
                    can.setdefault(own, Candidate(word, own, value))
            if not can:
                reasons = "; ".join(f"{one.text} {one.why_not}" for one in cannot[:3])
                where = f"mask {slot + 1}" if slots.count > 1 else "the mask"
                raise UsageError(f"None of the candidates can stand in {where}.", f"{reasons}.")
            ordered = sorted(can.values(), key=lambda one: one.log_probability or 0.0, reverse=True)
            judged.append((*ordered, *cannot))
        return judged

    def _joint(
        self,
        read: MaskedText,
        slots: Slots,
        propose: joint.Propose,
        named: Sequence[dict[Word, str]],
        check: Check,
    ) -> tuple[JointFill, ...]:
        if not 2 <= slots.count <= joint.MOST_MASKS:
            return ()
        fills = []
        for one in joint.joint_fills(self._reader, slots, propose, check=check):
            if named[0]:
                texts = [names[word] for names, word in zip(named, one.words, strict=True)]
                filled = _put_in(read, texts)
            else:
                texts = [self._pieces.readable(word[0]) for word in one.words]
                filled = self._filled(read, one.words)
            fills.append(JointFill(filled, tuple(texts), one.words, one.score))
        return tuple(fills)

    def _filled(self, read: MaskedText, words: Sequence[Word]) -> str:
        added = [self._pieces.added_text(word[0]) for word in words]
        seen = [spaces_seen(self._tokenizer, read.around[: slot + 1]) for slot in range(len(words))]

        def fits(slot: int, text: str, word: str) -> bool:
            try:
                joined = self._tokenizer.encode(text + word, add_special_tokens=False)
                alone = self._tokenizer.encode(text, add_special_tokens=False)
            except Exception:  # of Rust: a word without a token
                return False
            return bool(joined == [*alone, words[slot][0]])

        return fill_in(read.around, added, spaces_seen=seen, fits=fits)

    def _not_known(self, read: MaskedText) -> tuple[str, ...]:
        """The words of the text that the tokenizer cannot spell, each once."""
        return tuple(dict.fromkeys(word for part in read.around for word in self._unknown(part)))


def _unknown_note(words: Sequence[str]) -> tuple[str, ...]:
    if not words:
        return ()
    shown = ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
    return (f"Not in the model's vocabulary: {shown}.",)


def _put_in(read: MaskedText, words: Sequence[str]) -> str:
    """The text with the words just where the masks were written."""
    return "".join(part for pair in zip(read.around, [*words, ""], strict=True) for part in pair)


def _limit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The fewest of what the model's positions allow, what the tokenizer says, and MOST_TOKENS if neither."""
    said = tokenizer.model_max_length  # tokenizers without a limit say 10 to the 30
    limits = [limit for limit in (usable_positions(model.config), said) if limit and limit < 1_000_000]
    return int(min(limits, default=MOST_TOKENS))
