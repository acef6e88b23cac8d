"""What `doctor` learns about the terminal from the environment and tmux. It sends nothing to it."""

from __future__ import annotations

import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from workbench.cli.check import Check

_TMUX_SECONDS = 2.0
_SLOW_ESCAPE = 100
"""Milliseconds that tmux may delay Escape unnoticed."""
_FEW_COLOURS = ("linux", "ansi", "xterm", "screen", "tmux", "rxvt", "cygwin", "konsole", "putty")
_NO_COLOURS = ("dumb", "vt100", "vt102", "vt220", "")


def terminal_checks() -> list[tuple[str, Callable[[], Check]]]:
    """The checks by their names."""
    return [
        ("terminal", _terminal),
        ("colours", _colours),
        ("characters", _characters),
        ("tmux", _tmux),
        ("clipboard", _clipboard),
    ]


def _terminal() -> Check:
    term = os.environ.get("TERM", "")
    if not any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return Check("ok", f"none here; TERM={term or 'not set'}")
    size = shutil.get_terminal_size(fallback=(0, 0))
    message = f"TERM={term}, {size.columns}x{size.lines}"
    message += ", over SSH" if os.environ.get("SSH_CONNECTION") else ""
    if term in ("", "dumb"):
        return Check("warning", message, "The terminal UI needs a real terminal; the verbs work in any.")
    if size.columns < 80 or size.lines < 24:
        return Check("warning", message, "The terminal UI needs 80x24 or more.")
    return Check("ok", message)


def _colours() -> Check:
    term, family = os.environ.get("TERM", ""), os.environ.get("TERM", "").partition("-")[0]
    if os.environ.get("NO_COLOR"):
        return Check("ok", "none, because of NO_COLOR; symbols and words are enough")
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return Check("ok", "16 million")
    if "256color" in term:
        return Check("ok", "256")
    if family in _NO_COLOURS:
        return Check("ok", f"none with TERM={term or 'not set'}; symbols and words are enough")
    if family in _FEW_COLOURS:
        return Check("ok", "16")
    return Check("ok", f"what TERM={term} has")


def _characters() -> Check:
    encoding = (sys.stdout.encoding or locale.getpreferredencoding(False)).lower()
    if "utf" in encoding:
        return Check("ok", encoding)
    return Check(
        "warning", f"{encoding}, not UTF-8", "Set a UTF-8 locale, such as LANG=C.UTF-8, to see curves."
    )


def _tmux() -> Check:
    if not os.environ.get("TMUX"):
        return Check("ok", "not in use")
    term, escape = os.environ.get("TERM", ""), _tmux_option("escape-time")
    if term.partition("-")[0] not in ("tmux", "screen"):
        hint = "Set no TERM in ~/.bashrc; in ~/.tmux.conf: set -g default-terminal tmux-256color"
        return Check("warning", f"TERM={term} within tmux", hint)
    if escape.isdigit() and int(escape) > _SLOW_ESCAPE:
        hint = "Put `set -s escape-time 10` into ~/.tmux.conf."
        return Check("warning", f"delays the Escape key by {escape} ms", hint)
    return Check("ok", "in use")


def _clipboard() -> Check:
    """OSC 52 sets the clipboard of the user's own machine, through SSH and tmux. A terminal cannot be asked
    whether it supports it."""
    otherwise = "Select with the mouse while holding Shift (in some terminals Option or Fn)."
    if os.environ.get("TMUX"):
        setting = _tmux_option("set-clipboard")
        if setting == "off":
            return Check(
                "warning", "tmux does not pass it on (set-clipboard off)", "tmux set -s set-clipboard on"
            )
        return Check(
            "ok", f"through tmux (set-clipboard {setting or 'not known'}), if the terminal supports OSC 52"
        )
    program = os.environ.get("TERM_PROGRAM", "")
    if os.environ.get("STY") or program == "Apple_Terminal" or os.environ.get("TERM") == "linux":
        what = "GNU screen" if os.environ.get("STY") else program or "the Linux console"
        return Check("warning", f"{what} does not support OSC 52", otherwise)
    return Check("ok", f"by OSC 52, if the terminal supports it{f' ({program})' if program else ''}")


def _tmux_option(name: str) -> str:
    try:
        command = ["tmux", "show-options", "-sv", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TMUX_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()
