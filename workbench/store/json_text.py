"""What may be stored: text without characters that a database refuses, and JSON that every database reads."""

from __future__ import annotations

import json
import re
from typing import Any

_REFUSED = re.compile("[\x00\ud800-\udfff]")
_SUSPECT = re.compile(r"NaN|Infinity|\\u0000|\\ud[89a-f]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_NUMBERS = {"NaN": "null", "Infinity": "1e999", "-Infinity": "-1e999"}
"""JSON knows no infinity, but a number of any size: what is too large for a float is read as infinite."""


def storable(text: str) -> str:
    """`text` with a visible sign for each NUL, which PostgreSQL refuses, and for each lone surrogate, which
    is not a character: names of files that are not UTF-8 have them.
    """
    if _REFUSED.search(text) is None:
        return text
    return _REFUSED.sub(lambda found: "\u2400" if found[0] == "\x00" else "\ufffd", text)


def as_json(value: Any) -> str:
    """`value` as standard JSON. Infinite numbers come back infinite, NaN as None, strings as `storable`."""
    text = json.dumps(value)
    return _TOKEN.sub(_standard, text) if _SUSPECT.search(text) else text


def _standard(found: re.Match[str]) -> str:
    token = found[0]
    if not token.startswith('"'):
        return _NUMBERS[token]
    return json.dumps(storable(json.loads(token))) if _SUSPECT.search(token) else token
