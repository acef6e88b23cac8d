"""Learns tokenizers from a text. All of them keep case, accents and every letter of that text.

wordpiece: words split at whitespace and punctuation like BERT's, cased. bpe, unigram: like SentencePiece,
with unknown letters encoded as bytes. bytes: byte-level BPE like RoBERTa's, which encodes any text and
decodes it exactly. The others decode a text up to whitespace and in Unicode's composed form (NFC).
"""

from __future__ import annotations

import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = "[UNK]"
LONGEST_WORD = 100
"""The longest word, in characters, that WordPiece handles whole; longer ones are cut, because the cost is
cubic.
"""
_MOST_FOR_LETTERS = 0.75  # share of a WordPiece or BPE vocabulary
_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
_BYTE_SCORE = -1e6  # a byte is the last resort
_SPACE = "\u2581"
_LONGEST_LINE = 1 << 30  # bytes

Texts = Callable[[], Iterator[list[str]]]
"""Each call iterates over all batches of texts from the start."""


def learn(kind: str, texts: Texts, vocab_size: int, *, lowercase: bool) -> tokenizers.Tokenizer:
    """A tokenizer of about `vocab_size` tokens. The same texts give the same tokenizer.

    kind: wordpiece, bpe, unigram or bytes. The tokenizer adds [CLS] before a text and [SEP] after it.
    """
    blank = _KINDS[kind](lowercase)
    learnt = _LEARN[kind](blank, texts, vocab_size)
    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL]
    learnt.add_special_tokens(special)
    around = [(token, learnt.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    learnt.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=around
    )
    return learnt


def _normalizer(lowercase: bool, *more: Any) -> normalizers.Normalizer:
    return normalizers.Sequence([normalizers.NFC(), *more, *([normalizers.Lowercase()] if lowercase else [])])


def _word_piece(lowercase: bool) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = _normalizer(lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.BertPreTokenizer(),
            pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"),  # each is a word, as in BERT
            pre_tokenizers.Split(Regex(f".{{{LONGEST_WORD}}}"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return tokenizer


def _sentence_piece(model: Any, lowercase: bool) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = _normalizer(lowercase, normalizers.Replace(Regex(r"\s+"), " "))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme="first"),
            pre_tokenizers.Punctuation("isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


def _bpe(lowercase: bool) -> tokenizers.Tokenizer:
    return _sentence_piece(models.BPE(unk_token=UNKNOWN), lowercase)


def _unigram(lowercase: bool) -> tokenizers.Tokenizer:
    return _sentence_piece(models.Unigram(), lowercase)


def _byte_level(lowercase: bool) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(models.BPE())
    if lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _learn_word_piece(blank: tokenizers.Tokenizer, texts: Texts, vocab_size: int) -> tokenizers.Tokenizer:
    first, later = _letters(blank, texts)
    room = int(vocab_size * _MOST_FOR_LETTERS) - len(SPECIAL)
    pieces = [*first.items(), *((f"##{letter}", count) for letter, count in later.items())]
    pieces.sort(key=lambda item: (-item[1], item[0]))
    letters = sorted(piece for piece, _ in pieces[:room])
    # The trainer numbers the letters inside words in an order that changes from run to run, and uses these
    # numbers to choose among equally frequent pairs. So the letters get their numbers beforehand.
    alphabet = sorted({piece.removeprefix("##") or piece for piece in letters})
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*SPECIAL, *letters],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    blank.train_from_iterator(texts(), trainer=trainer)
    vocabulary = blank.get_vocab(with_added_tokens=True)
    return _with_model(
        blank, models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD)
    )


def _learn_bpe(blank: tokenizers.Tokenizer, texts: Texts, vocab_size: int) -> tokenizers.Tokenizer:
    first, later = _letters(blank, texts)
    counts = first + later
    room = max(1, int(vocab_size * _MOST_FOR_LETTERS) - len(SPECIAL) - len(_BYTES))
    by_frequency = sorted(counts, key=lambda letter: (-counts[letter], letter))
    letters = sorted(by_frequency[:room])
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocab_size, len(SPECIAL) + len(_BYTES) + len(letters)),
        special_tokens=[*SPECIAL, *_BYTES],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    blank.train_from_iterator(texts(), trainer=trainer)
    model = models.BPE(
        _vocabulary(blank), _merges(blank), unk_token=UNKNOWN, byte_fallback=True, fuse_unk=False
    )
    return _with_model(blank, model)


def _learn_unigram(blank: tokenizers.Tokenizer, texts: Texts, vocab_size: int) -> tokenizers.Tokenizer:
    """Learn with the sentencepiece library: the trainer of `tokenizers` sums in an order that changes from
    run to run, and so breaks ties between pieces differently.
    """
    words: Counter[str] = Counter()
    for batch in texts():
        words.update(word for text in batch for word in _words(blank, text))
    counts: Counter[str] = Counter()
    for word, times in words.items():
        for letter in word:
            counts[letter] += times
    size = max(64, vocab_size - len(SPECIAL) - len(_BYTES))
    kept = sum(times for _, times in counts.most_common(int(size * _MOST_FOR_LETTERS)))
    model = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv") as file:
        for word, times in sorted(words.items(), key=lambda item: (-item[1], item[0])):
            file.write(f"{word}\t{times}\n")
        file.flush()
        sentencepiece.SentencePieceTrainer.train(
            input=file.name,
            input_format="tsv",
            model_writer=model,
            model_type="unigram",
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=min(1.0, kept / max(1, counts.total())),
            max_sentence_length=_LONGEST_LINE,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            bos_id=-1,
            eos_id=-1,
            num_threads=1,
            minloglevel=2,
        )
    learnt = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    numbers = [number for number in range(len(learnt)) if not learnt.is_unknown(number)]
    pieces = [(learnt.id_to_piece(number), learnt.get_score(number)) for number in numbers]
    fixed = [(token, _BYTE_SCORE) for token in (*SPECIAL, *_BYTES)]
    unknown = SPECIAL.index(UNKNOWN)
    return _with_model(blank, models.Unigram([*fixed, *pieces], unknown, byte_fallback=True))


def _learn_byte_level(blank: tokenizers.Tokenizer, texts: Texts, vocab_size: int) -> tokenizers.Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocab_size, len(SPECIAL) + len(alphabet)),
        special_tokens=[*SPECIAL],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    blank.train_from_iterator(texts(), trainer=trainer)
    return _with_model(blank, models.BPE(_vocabulary(blank), _merges(blank)))


_KINDS: dict[str, Callable[[bool], tokenizers.Tokenizer]] = {
    "wordpiece": _word_piece,
    "bpe": _bpe,
    "unigram": _unigram,
    "bytes": _byte_level,
}
_LEARN: dict[str, Callable[[tokenizers.Tokenizer, Texts, int], tokenizers.Tokenizer]] = {
    "wordpiece": _learn_word_piece,
    "bpe": _learn_bpe,
    "unigram": _learn_unigram,
    "bytes": _learn_byte_level,
}


def _letters(blank: tokenizers.Tokenizer, texts: Texts) -> tuple[Counter[str], Counter[str]]:
    """How often each letter begins a word, and how often it occurs later in one."""
    first: Counter[str] = Counter()
    later: Counter[str] = Counter()
    for batch in texts():
        words = Counter(word for text in batch for word in _words(blank, text))
        for word, times in words.items():
            first[word[0]] += times
            for letter in word[1:]:
                later[letter] += times
    return first, later


def _words(blank: tokenizers.Tokenizer, text: str) -> Sequence[str]:
    normal = blank.normalizer.normalize_str(text)
    return [word for word, _ in blank.pre_tokenizer.pre_tokenize_str(normal) if word]


def _with_model(blank: tokenizers.Tokenizer, model: Any) -> tokenizers.Tokenizer:
    """A tokenizer with this model and the other parts of `blank`, but without what training added to it."""
    tokenizer = tokenizers.Tokenizer(model)
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        if getattr(blank, part) is not None:
            setattr(tokenizer, part, getattr(blank, part))
    return tokenizer


def _facts(trained: tokenizers.Tokenizer) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(trained.to_str())["model"]
    return facts


def _vocabulary(trained: tokenizers.Tokenizer) -> dict[str, int]:
    return trained.get_vocab(with_added_tokens=True)


def _merges(trained: tokenizers.Tokenizer) -> list[tuple[str, str]]:
    return [(merge[0], merge[1]) for merge in _facts(trained)["merges"]]
