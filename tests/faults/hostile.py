"""What somebody might put into a text, a file, a name or a command line, as strategies of hypothesis."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from .conftest import thorough

NASTY = [
    "\x00",
    "\x1b[2J\x1b[31m",
    "\x1b]0;title\x07",
    "\x1b]52;c;Y2FuYXJ5\x07",
    "\x1bP$q\x1b\\",
    "\x9b31m",
    "\r\x08\x7f",
    "\u202egnp.exe",
    "\u2066\u2069\u200f",
    "\ufeff",
    "\u2028\u2029\x85",
    "[red]x[/red]",
    "[/]",
    "[@click=app.quit]press[/]",
    "[link=file:///etc/passwd]x[/link]",
    "[MASK]",
    "../../../etc/passwd",
    "..\\..\\x",
    "/dev/null",
    "~root",
    "$(touch owned)",
    "; touch owned",
    "%s%n{0}{__class__}",
    "'; DROP TABLE run; --",
    "🎉\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "e" + "\u0301" * 50,
    "A" * 10_000,
    "\U0010ffff",
]
"""Controls, markup, paths, quoting, and letters that are not what they seem."""

FORBIDDEN = frozenset(
    map(chr, [*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2069, 0x200F])
)
"""What must never reach a terminal."""

pieces = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))
text = st.lists(pieces, max_size=6).map("".join)
"""Any text, lone surrogates left out, often with something nasty in it."""
arguments = text.map(lambda value: value.replace("\x00", ""))
"""What a command line can hold: no program is ever given a zero."""
content = st.one_of(
    st.binary(max_size=400),
    st.lists(text, max_size=8).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")),
)
"""What a file can hold."""

often = settings(
    max_examples=thorough(400, 30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def obeyed(shown: str) -> set[str]:
    """The characters of an output that a terminal would obey."""
    return FORBIDDEN.intersection(shown)
