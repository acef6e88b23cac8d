"""The table of actions: complete, the only one, and true of the classes that take their bindings from it."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode

from workbench.tui.actions import REFERENCE, TABLE, bindings
from workbench.tui.app import WorkbenchApp

TUI = Path(__file__).parents[2] / "workbench" / "tui"
SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(TUI.rglob("*.py"))}


def owners() -> dict[str, type[DOMNode]]:
    """The class that takes each place's bindings."""
    owner_of: dict[str, type[DOMNode]] = {}
    for path, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "bindings":
                        assert isinstance(call.args[0], ast.Constant)
                        place = str(call.args[0].value)
                        assert place not in owner_of, f"two classes are {place}"
                        name = ".".join(path.relative_to(TUI.parents[1]).with_suffix("").parts)
                        owner_of[place] = getattr(importlib.import_module(name), node.name)
    return owner_of


def test_every_place_has_one_class_and_every_class_its_place() -> None:
    assert owners().keys() == TABLE.keys()


def test_no_key_is_bound_outside_the_table() -> None:
    for path, tree in SOURCES.items():
        if path.name == "actions.py":
            continue
        made = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not [call for call in made if ast.unparse(call.func) == "Binding"], path


@pytest.mark.parametrize("place", TABLE)
def test_behind_every_action_is_a_method(place: str) -> None:
    for binding in bindings(place):
        assert isinstance(binding, Binding)
        namespace, name, _ = parse(binding.action)
        target: Any = WorkbenchApp if namespace == "app" else owners()[place]
        methods = (f"action_{name}", f"_action_{name}")
        assert any(hasattr(target, method) for method in methods), f"{place}: nothing does {binding.action}"


@pytest.mark.parametrize("place", TABLE)
def test_names_and_keys_are_given_once(place: str) -> None:
    names = Counter(action.name for action in TABLE[place])
    keys = Counter(key for action in TABLE[place] for key in action.keys.split(","))
    assert max(names.values()) == 1 and max(keys.values()) == 1


def test_every_explained_action_is_in_the_reference() -> None:
    shown = {place for places in REFERENCE.values() for place in places}
    explained = {place for place, actions in TABLE.items() if any(action.what for action in actions)}
    assert explained == shown
