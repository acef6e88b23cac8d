"""What this program uses of other libraries that they do not promise to keep, each with a test of its own.

After an upgrade, a test that fails here names what broke and the file to mend. Where a library has a public
way, the code takes that; a private name that no test here claims fails `test_every_use_is_claimed`.
"""

from __future__ import annotations

import ast
import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.recipe import PRESETS

from .test_walls import PACKAGE, modules

CLAIMED: set[tuple[str, str]] = set()
PUBLIC = {"_replace", "_asdict", "_fields", "_exit", "_value_"}
"""Documented, though they begin with an underscore: of named tuples, of os, and of enums."""


def claims(module: str, *names: str) -> Callable[[Any], Any]:
    """The test is of these private names, which `module` uses."""
    CLAIMED.update((f"workbench.{module}", name) for name in names)
    return lambda test: test


@claims("corpus.hub", "_fingerprint")
def test_datasets_a_data_set_has_a_fingerprint_of_its_content() -> None:
    from datasets import Dataset

    first, second = (Dataset.from_dict({"text": [word]}) for word in ("a", "b"))
    assert first._fingerprint and first._fingerprint != second._fingerprint


@claims("pretrained.client", "_http", "default_client_factory")
def test_huggingface_hub_its_usual_client_can_be_made() -> None:
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    client = _http.default_client_factory()
    assert callable(client.send) and callable(set_client_factory)
    client.close()


@claims("pretrained.hub", "HF_HUB_OFFLINE")
def test_huggingface_hub_and_datasets_keep_whether_they_are_offline_in_a_variable() -> None:
    import datasets.config
    import huggingface_hub.constants

    assert isinstance(huggingface_hub.constants.HF_HUB_OFFLINE, bool)
    assert isinstance(datasets.config.HF_HUB_OFFLINE, bool)


@claims("training.cpu", "_attn_implementation")
def test_transformers_a_configuration_knows_its_attention() -> None:
    from workbench.pretrained.model import load_model

    assert load_model(PRESETS["starter"].model).model.config._attn_implementation == "sdpa"


@claims("training.machine", "_shared_state", "_reset_state")
def test_accelerate_the_state_of_an_earlier_run_can_be_forgotten() -> None:
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    from workbench.training.machine import reset_accelerate

    Accelerator(cpu=True)
    assert AcceleratorState._shared_state
    reset_accelerate()
    assert not AcceleratorState._shared_state


@claims("tui.app", "_fatal_error", "_close_messages_no_wait")
def test_textual_an_exception_that_nothing_caught_reaches_fatal_error() -> None:
    from textual.app import App

    class Broken(App[None]):
        caught: BaseException | None = None

        def on_mount(self) -> None:
            raise ValueError("a fault")

        def _fatal_error(self) -> None:
            self.caught = sys.exc_info()[1]
            self._close_messages_no_wait()

    app = Broken()
    app.run(headless=True)
    assert isinstance(app.caught, ValueError) and app.return_code == 1


@claims("tui.actions", "_bindings")
def test_textual_a_widget_has_its_bindings_key_by_key() -> None:
    from textual.binding import Binding
    from textual.widget import Widget

    class Keyed(Widget):
        BINDINGS = [Binding("x", "go", "Go", tooltip="Goes.")]  # noqa: RUF012

    assert [(key, binding.tooltip) for key, binding in Keyed()._bindings] == [("x", "Goes.")]


@claims("tui.widgets.inputs", "_value")
async def test_textual_an_input_draws_the_text_that_is_overridden() -> None:
    from textual.app import App, ComposeResult

    from workbench.tui.widgets.inputs import TextInput

    class Page(App[None]):
        def compose(self) -> ComposeResult:
            yield TextInput("a\x1bb")

    async with Page().run_test() as pilot:
        drawn = pilot.app.query_one(TextInput).render_line(0).text
        assert "a\ufffdb" in drawn and "\x1b" not in drawn


@claims("web.session", "_open_app_process", "_build_environment", "_process", "_stdin")
def test_textual_serve_opens_its_program_in_a_method_and_keeps_process_and_input() -> None:
    pytest.importorskip("textual_serve")
    from textual_serve.app_service import AppService
    from textual_serve.download_manager import DownloadManager

    async def nothing(*_: object) -> None:
        pass

    async def look() -> None:
        told: dict[str, Any] = {"write_bytes": nothing, "write_str": nothing, "close": nothing}
        service = AppService("x", download_manager=DownloadManager(), **told)
        assert asyncio.iscoroutinefunction(AppService._open_app_process)
        assert service._build_environment(width=80, height=24)["COLUMNS"] == "80"
        assert service._process is None and service._stdin is None

    asyncio.run(look())


def uses() -> Iterator[tuple[str, str]]:
    """Private names of others: read off an object, or imported. What a class overrides is claimed by hand."""
    trees = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in modules()}
    members = {name for tree in trees.values() for name in _members(tree)}
    for module, tree in trees.items():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name) if _is_private(name) and name not in members | PUBLIC:
                    yield module, name
                case ast.ImportFrom(names=names) if not (node.module or "").startswith("workbench"):
                    yield from ((module, alias.name) for alias in names if _is_private(alias.name))


def _members(tree: ast.AST) -> Iterator[str]:
    """The names of methods and fields, and of attributes that are set on `self`."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(body=body):
                yield from (
                    one.name for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                )
                yield from (
                    one.target.id
                    for one in body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                )
            case ast.Attribute(attr=name, value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                yield name


def _is_private(name: str) -> bool:
    return re.match(r"_[a-zA-Z]", name) is not None


def test_every_use_is_claimed() -> None:
    assert sorted(set(uses()) - CLAIMED) == []


def test_no_claim_is_out_of_date() -> None:
    sources = {module: path.read_text(encoding="utf-8") for module, path in modules()}
    assert [claim for claim in sorted(CLAIMED) if claim[1] not in sources.get(claim[0], "")] == []


def test_a_private_name_of_a_library_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / PACKAGE.name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "part.py").write_text(
        "from library import _hidden\n"
        "class Own:\n"
        "    def __init__(self, other):\n"
        "        self._mine = other._theirs\n"
        "        print(self._inherited, self._mine, other._mine)\n"
    )
    monkeypatch.setattr("tests.test_walls.PACKAGE", package)
    assert {name for _, name in uses()} == {"_hidden", "_theirs", "_inherited"}
