"""Makes text and JSON storable in every database."""

from __future__ import annotations

import json
import re
from typing import Any

_REFUSED = re.compile("[\x00\ud800-\udfff]")
_SUSPECT = re.compile(r"NaN|Infinity|\\u0000|\\ud[89a-f]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_NUMBERS = {"NaN": "null", "Infinity": "1e999", "-Infinity": "-1e999"}
"""JSON has no infinity, but numbers of any size: one too large for a float is read as infinite."""


def storable(text: str) -> str:
    """`text` with a visible sign for each NUL, which PostgreSQL refuses, and for each lone surrogate, as in
    file names that are not UTF-8.
    """
    if _REFUSED.search(text) is None:
        return text
    return _REFUSED.sub(lambda match: "\u2400" if match[0] == "\x00" else "\ufffd", text)


def as_json(value: Any) -> str:
    """`value` as standard JSON. Infinite numbers come back infinite, NaN as None, strings as `storable`."""
    text = json.dumps(value)
    return _TOKEN.sub(_standard, text) if _SUSPECT.search(text) else text


class Damaged(dict[str, Any]):
    """In the place of JSON that cannot be read: nothing."""


def from_json(text: str) -> Any:
    """The value of JSON; Damaged where it is broken, so that one bad row is one bad row."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return Damaged()


def _standard(match: re.Match[str]) -> str:
    token = match[0]
    if not token.startswith('"'):
        return _NUMBERS[token]
    return json.dumps(storable(json.loads(token))) if _SUSPECT.search(token) else token
