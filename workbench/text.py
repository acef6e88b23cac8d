"""Makes text from outside safe for a terminal."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Characters that reorder or hide what follows them: embeddings, overrides, isolates, and marks.
_BIDIRECTIONAL = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
_ALWAYS_REPLACED = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0), *_BIDIRECTIONAL}, REPLACEMENT)
_KEEPING_LINES = {code: text for code, text in _ALWAYS_REPLACED.items() if chr(code) not in "\n\t"}

_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))


def printable(text: str, *, keep_newlines: bool = False) -> str:
    """`text` without control characters, escapes and bidirectional overrides.

    Each becomes U+FFFD; newlines and tabs too, unless `keep_newlines`. Lone surrogates, which cannot be
    encoded, become U+FFFD as well.
    """
    text = text.translate(_KEEPING_LINES if keep_newlines else _ALWAYS_REPLACED)
    if text.isascii():
        return text
    return "".join(REPLACEMENT if unicodedata.category(letter) == "Cs" else letter for letter in text)


def amount(done: float, total: float, unit: str) -> str:
    """Progress as text: `210/444 steps`, `45.1/436.0 MB`, `1,024 documents`; "" if nothing is done yet.

    `total` 0: unknown. Bytes are shown in the largest unit of 1,000 that fits the total.
    """
    if not (total or done):
        return ""
    shown = "{:,.0f}"
    if unit == "bytes":
        whole = max(done, total)
        size, unit = next(entry for entry in _SIZES if whole >= entry[0] or entry[0] == 1)
        done, total, shown = done / size, total / size, "{:,.0f}" if size == 1 else "{:,.1f}"
    counted = f"{shown.format(done)}/{shown.format(total)}" if total else shown.format(done)
    return f"{counted} {unit}".rstrip()
