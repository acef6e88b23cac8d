"""The keys of a screen, read off its bindings: for the help page and the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

_NAMES = {
    **{"⏎": "Enter", "home": "Home", "end": "End", "esc": "Esc", "escape": "Esc"},
    **{"pageup": "PgUp", "pgup": "PgUp", "pagedown": "PgDn", "pgdn": "PgDn"},
}


@dataclass(frozen=True, slots=True)
class Key:
    """What an action is called, what it does, and the keys that do it."""

    action: str
    title: str
    what: str
    keys: tuple[str, ...]
    owner: DOMNode
    """Whose action it is."""


def keys_of(screen: Screen[Any]) -> list[Key]:
    """The keys that have an explanation: the screen's, then those of its focused widget
    and what that stands in, then the program's.
    """
    found: dict[str, Key] = {}
    for owner, binding in _bindings(screen):
        if not binding.tooltip:
            continue
        shown = shown_key(screen.app, binding)
        action = binding.action.removeprefix("app.")
        known = found.get(action)
        keys = known.keys if known else ()
        keys = keys if shown in keys else (*keys, shown)
        found[action] = Key(
            known.action if known else binding.action,
            binding.description,
            binding.tooltip,
            keys,
            known.owner if known else owner,
        )
    return list(found.values())


def _bindings(screen: Screen[Any]) -> Iterator[tuple[DOMNode, Binding]]:
    around = screen.focused.ancestors_with_self if screen.focused else [screen, screen.app]
    owners = [screen, *(owner for owner in around if owner not in (screen, screen.app)), screen.app]
    for owner in owners:
        for _, binding in owner._bindings:
            yield owner, binding


def shown_key(app: App[Any], binding: Binding) -> str:
    """How a key is written on the screen."""
    # Several keys of one binding share its key_display, which names only the first of them.
    key = binding.key_display if binding.key_display and len(binding.key_display) < 4 else None
    shown = key or app.get_key_display(binding)
    return _NAMES.get(shown, shown)
