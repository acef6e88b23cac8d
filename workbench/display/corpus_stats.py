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


def described(values: Mapping[str, Any]) -> str:
    """`values`: corpus.statistics.Statistics as plain values."""
    rows = [["", "train", "test"]]
    for title, name, form in _ROWS:
        rows.append(
            [title.format_map(values), *(format(values[side][name], form) for side in ("train", "test"))]
        )
    lines = [table(rows, frozenset({1, 2})), ""]
    lines.append(f"unknown to the tokenizer: {values['unknown_rate']:.3%} of all tokens")
    lines.append(f"used of its vocabulary: {values['used_vocabulary']:,} of {values['vocabulary']:,}")
    lines.append(
        f"documents: {values['repeated_documents']:,} repeated, {values['near_empty_documents']:,} of under "
        f"five words, {values['empty_documents']:,} empty"
    )
    if values["text_column"]:
        lines.append(f"text column: {values['text_column']}")
    most = max((count for _, _, count in values["lengths"]), default=1)
    histogram = [["tokens", "documents", ""]]
    for begin, end, count in values["lengths"]:
        histogram.append([f"{begin:,}–{end - 1:,}", f"{count:,}", "█" * -(-_BAR_CELLS * count // most)])
    lines += ["", table(histogram, frozenset({0, 1})), *_looked(values)]
    return "\n".join(lines)


def _looked(values: Mapping[str, Any]) -> list[str]:
    """What `inspect` adds: corpus.look.Look as plain values; nothing where it was not looked for."""
    lines: list[str] = []
    if frequent := values.get("frequent_lines"):
        lines += ["", "frequent lines", *(f"  {line['times']:,} × {line['text']}" for line in frequent)]
    if short := values.get("near_empty_examples"):
        lines += ["", "documents of under five words, for instance", *map(_example, short)]
    if others := values.get("other_scripts"):
        counts = ", ".join(f"{name} {count:,}" for name, count in others.items())
        lines += ["", f"mostly in another script than {values['script']}: {counts}; for instance"]
        lines += map(_example, values["other_script_examples"])
    if others := values.get("other_languages"):
        counts = ", ".join(f"{name} {count:,}" for name, count in others.items())
        of = f" (of {values['judged_languages']:,} documents checked)"
        lines += ["", f"in another language than {values['language']}: {counts}{of}; for instance"]
        lines += map(_example, values["other_language_examples"])
    return lines


def _example(example: Mapping[str, Any]) -> str:
    place = f" ({example['place']})" if example.get("place") else ""
    language = f", {example['language']}" if example.get("language") else ""
    return f"  document {example['document']:,}{place}{language}: {example['text']}"
