"""The statistics of a text, for the form and for `inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.display.table import table

_BAR_CELLS = 30
_ROWS = (
    ("documents", "documents", ",d"),
    ("tokens", "tokens", ",d"),
    ("chunks of {chunk_size}", "chunks", ",d"),
    ("tokens left over", "dropped_tokens", ",d"),
    ("tokens per document, mean", "mean_length", ",.1f"),
    ("median", "median_length", ",.1f"),
    ("longest", "longest", ",d"),
    ("unknown tokens", "unknown_tokens", ",d"),
)


def described(found: Mapping[str, Any]) -> str:
    """`found`: corpus.statistics.Statistics as plain values."""
    rows = [["", "train", "test"]]
    for title, name, form in _ROWS:
        rows.append(
            [title.format_map(found), *(format(found[side][name], form) for side in ("train", "test"))]
        )
    lines = [table(rows, frozenset({1, 2})), ""]
    lines.append(f"unknown to the tokenizer: {found['unknown_rate']:.3%} of all tokens")
    lines.append(f"used of its vocabulary: {found['used_vocabulary']:,} of {found['vocabulary']:,}")
    lines.append(
        f"documents: {found['repeated_documents']:,} repeated, {found['near_empty_documents']:,} of under "
        f"five words, {found['empty_documents']:,} empty"
    )
    if found["text_column"]:
        lines.append(f"text column: {found['text_column']}")
    most = max((count for _, _, count in found["lengths"]), default=1)
    histogram = [["tokens", "documents", ""]]
    for begin, end, count in found["lengths"]:
        histogram.append([f"{begin:,}–{end - 1:,}", f"{count:,}", "█" * -(-_BAR_CELLS * count // most)])
    lines += ["", table(histogram, frozenset({0, 1})), *_looked(found)]
    return "\n".join(lines)


def _looked(found: Mapping[str, Any]) -> list[str]:
    """What `inspect` adds: corpus.look.Look as plain values; nothing where it was not looked for."""
    lines: list[str] = []
    if frequent := found.get("frequent_lines"):
        lines += ["", "frequent lines", *(f"  {one['times']:,} × {one['text']}" for one in frequent)]
    if short := found.get("near_empty_examples"):
        lines += ["", "documents of under five words, for instance", *map(_example, short)]
    if others := found.get("other_scripts"):
        counts = ", ".join(f"{name} {count:,}" for name, count in others.items())
        lines += ["", f"mostly in another script than {found['script']}: {counts}; for instance"]
        lines += map(_example, found["other_script_examples"])
    if others := found.get("other_languages"):
        counts = ", ".join(f"{name} {count:,}" for name, count in others.items())
        of = f" (of {found['judged_languages']:,} documents looked at)"
        lines += ["", f"in another language than {found['language']}: {counts}{of}; for instance"]
        lines += map(_example, found["other_language_examples"])
    return lines


def _example(example: Mapping[str, Any]) -> str:
    place = f" ({example['place']})" if example.get("place") else ""
    language = f", {example['language']}" if example.get("language") else ""
    return f"  document {example['document']:,}{place}{language}: {example['text']}"
