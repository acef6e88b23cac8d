"""Reads a stream of JSON values, or the items of an array, spread over any number of lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import CorpusError

_BLANK = " \t\r\n"
_AT_ONCE = 1 << 16  # characters
_LONGEST_WORD = len("-Infinity") + 2
_NEVER_WHOLE = frozenset("0123456789.eE+-")
"""A number at the end of the text read so far may continue."""


class Values:
    """Decodes JSON values from lines as soon as they are complete, with the line number of each."""

    def __init__(self, lines: Iterator[str], path: Path, decoder: json.JSONDecoder) -> None:
        self._lines, self._path = lines, path
        self._decode = decoder.raw_decode
        self._text, self._at, self._line = "", 0, 1
        self._ended = False

    def values(self) -> Iterator[tuple[int, Any]]:
        """Each value with the line in which it begins. Values may be separated by whitespace or commas."""
        while self._skip(_BLANK + ","):
            yield self._value("The file must hold JSON objects one after another.")

    def items(self) -> Iterator[tuple[int, Any]]:
        """Each item of a file that is one array."""
        self._skip(_BLANK)
        self._at += 1
        expects_item = False
        while True:
            sign = self._skip(_BLANK)
            if sign == "]" and not expects_item:
                break
            if not sign:
                raise CorpusError(
                    f"{self._path} ends inside its array, in line {self._line}.",
                    "Copy or download it again, or close the array with ].",
                )
            yield self._value("The items must be JSON objects separated by commas.")
            sign = self._skip(_BLANK)
            expects_item = sign == ","
            if expects_item:
                self._at += 1
            elif sign and sign != "]":
                raise self._wrong("a comma or the end of the array is missing", self._line)
        self._at += 1
        if self._skip(_BLANK):
            raise self._wrong("something follows the end of the array", self._line)

    def _value(self, hint: str) -> tuple[int, Any]:
        began, size = self._line, _AT_ONCE
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or not self._may_be_cut(error):
                    raise self._broken(began, error, hint) from error
            except (ValueError, RecursionError) as error:
                raise self._wrong("it is nested too deeply or contains too long a number", began) from error
            else:
                if self._ended or end < len(self._text) or self._text[end - 1] not in _NEVER_WHOLE:
                    self._line += self._text.count("\n", self._at, end)
                    self._at = end
                    return began, value
            self._more(size)
            size *= 2  # so that a long value is not decoded too often

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the text read so far may be an incomplete value."""
        in_a_string = error.msg.startswith("Unterminated string")
        return in_a_string or error.pos >= len(self._text) - _LONGEST_WORD

    def _broken(self, began: int, error: json.JSONDecodeError, hint: str) -> CorpusError:
        line = began + self._text.count("\n", self._at, error.pos)
        is_cut = error.pos >= len(self._text.rstrip()) or error.msg.startswith("Unterminated string")
        how = "ends too early" if is_cut else "is malformed"
        what = f"the value that begins there {how}" + (f" in line {line}" if line != began else "")
        return self._wrong(what, began, hint)

    def _skip(self, signs: str) -> str:
        """Skip `signs` and return the next character; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in signs:
                self._line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more(_AT_ONCE)

    def _more(self, size: int) -> None:
        """Read about `size` more characters."""
        pieces, count = [self._text[self._at :]], 0
        while count < size:
            line = next(self._lines, None)
            if line is None:
                self._ended = True
                break
            pieces.append(line)
            count += len(line)
        self._text, self._at = "".join(pieces), 0

    def _wrong(self, what: str, line: int, hint: str = "Fix that line.") -> CorpusError:
        return CorpusError(f"{self._path}, line {line} is not valid JSON: {what}.", hint)
