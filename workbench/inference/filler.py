"""A loaded masked language model that fills masks and computes surprisal."""

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
"""Limit for models that set none: attention takes memory quadratic in the length."""

_SHOWN = 5  # unknown words

# Reading weights takes a tenth of a second and needs no bar; downloads keep theirs.
transformers_logging.disable_progress_bar()
if "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ:
    enable_progress_bars()


class Filler:
    """Runs on the CPU: a sentence takes milliseconds there, and trainings keep the GPU. Thread-safe."""

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
        """The maximum number of tokens of a text, including special tokens."""

    @classmethod
    def load(cls, model: str) -> Filler:
        """Load a hub id, a folder or `starter`. Only safetensors are read; no code of the model is run.

        Raises ModelError when there is no such model or it cannot fill masks.
        """
        try:
            loaded = load_model(model)
            notes: list[str] = []
            tokenizer = load_tokenizer(model, tell=notes.append)
            return cls(model, loaded.model, tokenizer, (*loaded.notes, *notes))
        except WorkbenchError:
            raise
        except Exception as error:  # libraries raise anything for a damaged file
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(
                f"Cannot load the model {model}: {first_line}",
                "Its files may be damaged, or not those of a model.",
            ) from error

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return self._reader.size

    def fill(
        self, text: str, top_k: int = 5, candidates: Sequence[str] = (), check: Check = never_cancelled
    ) -> FillResult:
        """The `top_k` most probable tokens for each mask of `text`; each mask sees the others as masks.

        With `candidates`, also their probabilities, and only they fill the text. For 2 to `joint.MOST_MASKS`
        masks, also the best combinations (see `joint.joint_fills`).

        Raises UsageError for a text without a mask, with more tokens than `limit`, or not in Unicode, for
        `top_k` below 1, and if no candidate fits some mask. Raises ModelError if the scores are unusable.
        """
        if top_k < 1:
            raise UsageError(f"top_k must be at least 1; got {top_k}.")
        check_words(candidates)
        read = read_text(self._tokenizer, text, self.limit, self._name)
        require_masks(read, str(self._tokenizer.mask_token))
        unknown = self._unknown_words(read)
        notes = (*self.notes, *_unknown_note(unknown))
        slots = Slots(read.ids, read.positions, int(self._tokenizer.mask_token_id), self.limit)
        predictions = self._predictions(read, top_k, check)
        if not candidates:
            words: list[Word] = [(best[0].token_id,) for best in predictions]
            masks = tuple(map(MaskFill, read.positions, predictions))
            propose = joint.of_vocabulary(self._reader, slots, check=check)
            combinations = self._joint(read, slots, propose, [{} for _ in masks], check)
            return FillResult(text, self._filled(read, words), masks, combinations, notes, unknown)
        judged = self._judged(read, slots, candidates, check)
        named = [
            {candidate.token_ids: candidate.text for candidate in of_mask if candidate.token_ids}
            for of_mask in judged
        ]
        masks = tuple(map(MaskFill, read.positions, predictions, judged))
        propose = joint.of_words(self._reader, slots, [list(names) for names in named], check)
        combinations = self._joint(read, slots, propose, named, check)
        filled = _put_in(read, [of_mask[0].text for of_mask in judged])
        return FillResult(text, filled, masks, combinations, notes, unknown)

    def surprisal(self, text: str, check: Check = never_cancelled) -> Surprisal:
        """How unexpected each token of `text` is.

        Raises UsageError for a text with nothing to score, with more tokens than `limit`, or not in Unicode;
        ModelError as `fill` does.
        """
        read = read_text(self._tokenizer, text, self.limit, self._name)
        result = surprisal_of(
            self._reader, read, self._pieces, int(self._tokenizer.mask_token_id), self._special, check
        )
        if not result.count:
            raise UsageError("There is no word in the text to score.", "Type a sentence.")
        unknown = read.ids.count(unknown_id(self._tokenizer))
        notes = (*self.notes, *_unknown_note(self._unknown_words(read)))
        if unknown:
            tokens = "token is" if unknown == 1 else "tokens are"
            notes = (*notes, f"{unknown} {tokens} unknown to the vocabulary and not scored.")
        return result.with_notes(notes)

    def _predictions(self, read: MaskedText, top_k: int, check: Check) -> list[tuple[Prediction, ...]]:
        def take(_: int, scores: torch.Tensor) -> tuple[Prediction, ...]:
            best = self._reader.guesses(scores).topk(self._reader.most(top_k))
            return tuple(
                Prediction(self._pieces.readable(token), token, share)
                for token, share in zip(best.indices.tolist(), best.values.exp().tolist(), strict=True)
            )

        return self._reader.read([Question(read.ids, place) for place in read.positions], take, check)

    def _judged(
        self, read: MaskedText, slots: Slots, words: Sequence[str], check: Check
    ) -> list[tuple[Candidate, ...]]:
        """The candidates of each mask, most probable first, then those that cannot stand there."""
        fitting: list[tuple[int, str, Word]] = []
        unfit: list[list[Candidate]] = [[] for _ in read.positions]
        for slot in range(slots.count):
            for word in words:
                tokens = tokens_in_place(self._tokenizer, read.around, read.ids, read.positions, slot, word)
                if isinstance(tokens, str):
                    unfit[slot].append(Candidate(word, why_not=tokens))
                else:
                    fitting.append((slot, word, tokens))
        empty = (None,) * slots.count
        values = log_probabilities(
            self._reader, slots, [(empty, slot, own) for slot, _, own in fitting], check
        )
        judged = []
        for slot, cannot in enumerate(unfit):
            can: dict[Word, Candidate] = {}
            for (at, word, own), value in zip(fitting, values, strict=True):
                if at == slot:  # if the tokenizer treats two words as equal, keep the first
                    can.setdefault(own, Candidate(word, own, value))
            if not can:
                reasons = "; ".join(f"{candidate.text} {candidate.why_not}" for candidate in cannot[:3])
                where = f"mask {slot + 1}" if slots.count > 1 else "the mask"
                raise UsageError(f"None of the candidates can stand in {where}.", f"{reasons}.")
            ordered = sorted(can.values(), key=lambda fit: fit.log_probability or 0.0, reverse=True)
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
        for best in joint.joint_fills(self._reader, slots, propose, check=check):
            if named[0]:
                texts = [names[word] for names, word in zip(named, best.words, strict=True)]
                filled = _put_in(read, texts)
            else:
                texts = [self._pieces.readable(word[0]) for word in best.words]
                filled = self._filled(read, best.words)
            fills.append(JointFill(filled, tuple(texts), best.words, best.score))
        return tuple(fills)

    def _filled(self, read: MaskedText, words: Sequence[Word]) -> str:
        added = [self._pieces.added_text(word[0]) for word in words]
        seen = [spaces_seen(self._tokenizer, read.around[: slot + 1]) for slot in range(len(words))]

        def fits(slot: int, text: str, word: str) -> bool:
            try:
                joined = self._tokenizer.encode(text + word, add_special_tokens=False)
                alone = self._tokenizer.encode(text, add_special_tokens=False)
            except Exception:  # raised by the tokenizer's Rust code for a word without a token
                return False
            return bool(joined == [*alone, words[slot][0]])

        return fill_in(read.around, added, spaces_seen=seen, fits=fits)

    def _unknown_words(self, read: MaskedText) -> tuple[str, ...]:
        """The words of the text that the tokenizer cannot spell, without duplicates."""
        return tuple(dict.fromkeys(word for part in read.around for word in self._unknown(part)))


def _unknown_note(words: Sequence[str]) -> tuple[str, ...]:
    if not words:
        return ()
    shown = ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
    return (f"Not in the model's vocabulary: {shown}.",)


def _put_in(read: MaskedText, words: Sequence[str]) -> str:
    """The text with the words in place of the masks."""
    return "".join(part for pair in zip(read.around, [*words, ""], strict=True) for part in pair)


def _limit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The lower of the model's and the tokenizer's limits; MOST_TOKENS if neither has one."""
    own = tokenizer.model_max_length  # 10 to the 30 for tokenizers without a limit
    limits = [limit for limit in (usable_positions(model.config), own) if limit and limit < 1_000_000]
    return int(min(limits, default=MOST_TOKENS))
