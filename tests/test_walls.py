"""The walls of CONTRIBUTING.md: what may import what, and what must be up before torch is."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "workbench"
GROUND = {"errors", "paths", "private", "faults", "text", "file_kinds", "mounts"}
"""Modules that anything may import."""
BASE = GROUND | {
    "document_hashes",
    "recipe",
    "recipe_fields",
    "stored_recipe",
    "events",
    "status",
    "caveats",
    "metrics",
    "processes",
}
"""What a run is, and what it tells: known to all above the ground."""
FEATURES = ("runs", "new_run", "live", "compare", "sweeps", "console")
"""The folders of `tui/`, one for each thing that a person does."""

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "file_kinds": set(),
    "mounts": set(),
    "paths": GROUND,
    "private": GROUND,
    "faults": GROUND,
    "text": GROUND,
    "recipe_wording": set(),
    "recipe": GROUND | {"recipe_wording"},
    "recipe_fields": GROUND | {"recipe", "recipe_wording"},
    "stored_recipe": GROUND | {"recipe", "recipe_fields"},
    "events": GROUND,
    "status": GROUND,
    "caveats": GROUND | {"recipe", "recipe_fields", "stored_recipe", "status"},
    "metrics": GROUND | {"events"},
    "processes": GROUND,
    "document_hashes": GROUND,
    "journal": BASE,
    "presets": BASE,
    "rpc": GROUND,
    "pretrained": BASE,
    "corpus": BASE | {"pretrained"},
    "training": BASE | {"pretrained", "corpus"},
    "store": BASE | {"journal"},
    "inference": BASE | {"rpc", "pretrained", "store"},
    "analysis": BASE | {"pretrained", "corpus", "training", "store", "inference"},
    "worker": BASE | {"journal", "pretrained", "corpus", "training", "store", "inference", "analysis"},
    "engines": BASE | {"journal", "training", "store", "inference", "worker"},
    "sweeps": BASE | {"journal", "store", "worker", "engines"},
    "imports": BASE | {"journal", "store"},
    "exports": BASE | {"pretrained", "store", "inference", "analysis"},
    "preview": BASE | {"rpc", "pretrained", "corpus", "training", "inference"},
    "web": BASE,
    # Both faces show with it what it draws as text; it knows no face.
    "display": BASE | {"store", "inference", "analysis"},
    "tui.theme": GROUND,
    "tui.actions": GROUND,
    "tui.host": BASE | {"store", "inference"},
    "tui.screen": BASE | {"display", "tui.host"},
    "tui.widgets": BASE
    | {"display", "store", "engines", "worker", "preview", "tui.host", "tui.actions", "tui.screen"},
    **{
        f"tui.{feature}": BASE
        | {
            "presets",
            "display",
            "store",
            "engines",
            "worker",
            "sweeps",
            "inference",
            "analysis",
            "exports",
            "preview",
        }
        | {"tui.host", "tui.actions", "tui.screen", "tui.widgets"}
        for feature in FEATURES
    },
    "tui.app": BASE
    | {"store", "worker", "inference"}
    | {f"tui.{part}" for part in ("theme", "actions", "host", "screen", "widgets", *FEATURES)},
    # of the screens the command line knows the app, and `doctor` looks at the machine and the starter
    "cli": BASE
    | {
        "presets",
        "engines",
        "pretrained",
        "corpus",
        "training",
        "store",
        "worker",
        "sweeps",
        "inference",
        "analysis",
    }
    | {"exports", "imports", "web", "display", "tui.app"},
    "library": BASE | {"store", "worker"},
    "__main__": {"cli"},
    "__init__": {"recipe", "store", "library"},
}
"""Which parts of the package each part may know. Imports for types only, and inside functions, count."""

LIGHT = [
    "workbench.cli",
    "workbench.store",
    "workbench.tui.app",
    "workbench.worker.launch",
    "workbench.worker.liveness",
    "workbench.inference.client",
    "workbench.inference.resolve",
    "workbench.cli.prompt",
    "workbench.inference.server",
    "workbench.recipe",
    "workbench.library",
    "workbench.presets",
    "workbench.preview.client",
    "workbench.preview.server",
    "workbench.rpc",
    "workbench.events",
    "workbench.metrics",
    "workbench.processes",
    "workbench.sweeps.scheduler",
    "workbench.sweeps.queueing",
    "workbench.analysis.cloze",
    "workbench.analysis.compare",
]
HEAVY = {"torch", "transformers", "datasets", "accelerate", "numpy", "pyarrow", "pandas"}
SLOW = HEAVY | {"sqlalchemy", "alembic", "pydantic", "huggingface_hub", "tokenizers", "charset_normalizer"}
SLOW |= {"asyncio", "psutil", "textual", "typer.completion", "rich.console", "rich.table", "rich.progress"}
"""Modules that take so long to import (10 ms to seconds) that the first screen, the command line or a process
may put it off."""
OPTIONAL = {"optuna", "tensorboard", "aiohttp", "pynvml", "readline", "fcntl"}
"""Modules that an installation or a system may lack."""
ON_DEMAND = ("workbench.tui.", "workbench.inference.client")
"""Of the package, what is loaded late for other reasons: screens and the console's client, which the first
screen does without."""
STARTS = {
    "workbench.cli": SLOW - {"typer.completion"},
    "workbench.tui.app": {"sqlalchemy", "pydantic", "huggingface_hub", "psutil", "rich.progress"},
}
"""What is slow and not loaded when the command line shows its help, or when the first screen is painted."""


def part_of(module: str) -> str:
    """The part that `workbench.PART…` belongs to; of the screens each feature is one."""
    inside = module.removeprefix("workbench").lstrip(".").split(".")
    if inside[0] == "tui":
        return ".".join(inside[:2])
    return inside[0] or "__init__"


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package, by its name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        names = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(names[:-1] if names[-1] == "__init__" and len(names) > 2 else names), path


def imported(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """What a module imports of the package, and on which line."""
    for node, _ in import_statements(ast.parse(path.read_text(encoding="utf-8"))):
        yield from ((name, node.lineno) for name in names_of(node, module, path) if is_ours(name))


def is_ours(name: str) -> bool:
    return name.partition(".")[0] == "workbench"


def import_statements(
    tree: ast.AST, late: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """The imports of a module, each with whether a function holds it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, late
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from import_statements(node, late or inside)


def names_of(node: ast.Import | ast.ImportFrom, module: str, path: Path) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    parents = (module if path.name == "__init__.py" else module.rpartition(".")[0]).split(".")
    above = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
    base = ".".join(filter(None, (above, node.module)))
    # `from workbench import errors` and `from workbench.training import events` name modules
    return [f"{base}.{alias.name}" for alias in node.names] if is_package(base) else [base]


def is_package(module: str) -> bool:
    return (PACKAGE.parent / Path(*module.split("."))).is_dir()


def breaches() -> list[str]:
    found = []
    for module, path in modules():
        part = part_of(module)
        for name, line in imported(module, path):
            other = part_of(name)
            if other not in {part, "__init__", *MAY_IMPORT[part]} and not is_version(name):
                found.append(
                    f"{path.relative_to(PACKAGE.parent)}:{line}: {part} must not know {other} ({name})"
                )
    return found


def circles() -> list[set[str]]:
    """The groups of files that import each other, directly or around some corners; for types counts too."""
    paths = dict(modules())
    graph = {
        module: {target for name, _ in imported(module, path) if (target := _file_of(name, paths))} - {module}
        for module, path in paths.items()
    }
    reach = {module: _reached(graph, module) for module in graph}
    found = {frozenset(b for b in reach[a] if a in reach[b]) for a in graph if a in reach[a]}
    return [set(group) for group in found]


class Loaded:
    """What an import of each module loads, read off the sources: imports for types only do not count."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = {}
        self.late: list[tuple[str, Path, int, list[str]]] = []
        for module, path in modules():
            tree = ast.parse(path.read_text(encoding="utf-8"))
            types = [
                node
                for node in tree.body
                if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            ]
            for_types = {id(node) for block in types for node, _ in import_statements(block)}
            for node, late in import_statements(tree):
                names = names_of(node, module, path)
                if late:
                    self.late.append((module, path, node.lineno, names))
                elif id(node) not in for_types:
                    self._imports.setdefault(module, set()).update(names)

    def by(self, module: str) -> set[str]:
        """The module, what is loaded with it, and the packages around each."""
        seen: set[str] = set()
        ahead = [module]
        while ahead:
            name = ahead.pop()
            if name and name not in seen:
                seen.add(name)
                ahead += [name.rpartition(".")[0], *self._imports.get(name, ())]
        return seen

    def needless(self) -> list[str]:
        """Imports inside functions that spare their module nothing slow."""
        return [
            f"{path.relative_to(PACKAGE.parent)}:{line}: {', '.join(names)}"
            for module, path, line, names in self.late
            if not any(name.startswith(ON_DEMAND) for name in names)
            and not set().union(*map(self.by, names)) & (SLOW | OPTIONAL) - self.by(module)
        ]


def _file_of(name: str, paths: dict[str, Path]) -> str | None:
    """The module that holds an imported name; a package's own file is not followed."""
    while name and name not in paths:
        name = name.rpartition(".")[0]
    return name if name and paths[name].name != "__init__.py" else None


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead += graph[module]
    return seen


def is_version(name: str) -> bool:
    return name == "workbench.__version__"


def test_every_part_has_its_place() -> None:
    assert {part_of(module) for module, _ in modules()} - {"tui"} <= set(MAY_IMPORT)


def test_nothing_flows_back_up() -> None:
    assert breaches() == []


def test_the_table_has_no_circles() -> None:
    placed: set[str] = set()
    for part, known in MAY_IMPORT.items():
        assert known <= placed | GROUND | {part}, f"{part} knows what comes after it"
        placed.add(part)


def test_no_feature_of_the_screens_knows_another() -> None:
    for feature in FEATURES:
        assert not MAY_IMPORT[f"tui.{feature}"] & {f"tui.{other}" for other in FEATURES}


def test_no_file_is_in_a_circle() -> None:
    assert circles() == []


def test_what_is_shown_as_text_needs_no_textual() -> None:
    for module, path in modules():
        if part_of(module) not in ("display", "cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
                assert not any(name.split(".")[0] == "textual" for name in names), f"{module} needs Textual"


def test_an_import_that_breaks_a_wall_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "workbench"
    for folder in ("corpus", "store", "training"):
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "corpus" / "chunks.py").write_text(
        "from workbench import events\n"
        "def late():\n"
        "    from ..store import Store\n"
        "    from workbench import store\n"
        "    import workbench.training.engine\n"
    )
    monkeypatch.setattr(f"{__name__}.PACKAGE", package)
    assert [line.split(": ")[0] for line in breaches()] == [
        f"workbench/corpus/chunks.py:{n}" for n in (3, 4, 5)
    ]


def test_an_import_inside_a_function_puts_something_slow_off() -> None:
    assert Loaded().needless() == [], "These belong to the top of their files."


def test_a_needless_import_inside_a_function_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "workbench"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "arrays.py").write_text("import numpy\n")
    (package / "light.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import torch\n"
        "def late():\n"
        "    import torch\n"
        "    from workbench import arrays\n"
        "    from workbench.arrays import numpy\n"
        "    import math\n"
    )
    (package / "dear.py").write_text("from workbench import arrays\ndef late():\n    import numpy\n")
    monkeypatch.setattr(f"{__name__}.PACKAGE", package)
    assert Loaded().needless() == ["workbench/dear.py:3: numpy", "workbench/light.py:8: math"]


@pytest.mark.parametrize("module", STARTS)
def test_a_start_does_not_pay_for_what_is_slow(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({STARTS[module]!r} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert (answer.stderr, answer.stdout.split()) == ("", [])


@pytest.mark.parametrize("module", LIGHT)
def test_it_is_up_before_torch_is_imported(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == []
