"""The walls of CONTRIBUTING.md: what may import what, and what must be up before torch is."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "workbench"
BASE = {"errors", "paths", "private", "text"}
EVENTS = "training.events"
"""Only types, on which the corpus and the worker build as well: a part of its own."""

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "paths": BASE,
    "private": BASE,
    "text": BASE,
    "recipe": BASE,
    "presets": BASE | {"recipe"},
    EVENTS: BASE,
    "pretrained": BASE | {"recipe"},
    "corpus": BASE | {"recipe", "pretrained", EVENTS},
    "training": BASE | {"recipe", "pretrained", "corpus", EVENTS},
    "store": BASE | {"recipe"},
    "inference": BASE | {"pretrained", "store"},
    "analysis": BASE | {"recipe", "pretrained", "corpus", "training", EVENTS, "store", "inference"},
    "worker": BASE | {"recipe", "pretrained", "corpus", "training", EVENTS, "store", "inference", "analysis"},
    "sweeps": BASE | {"recipe", "store", "worker"},
    "imports": BASE | {"recipe", "store"},
    "exports": BASE | {"recipe", "pretrained", "store", "inference", "analysis"},
    "preview": BASE | {"recipe", "pretrained", "corpus", "training", EVENTS, "inference"},
    "web": BASE,
    "tui": BASE
    | {
        "recipe",
        "presets",
        EVENTS,
        "store",
        "worker",
        "sweeps",
        "inference",
        "analysis",
        "exports",
        "preview",
    },
    # `doctor` looks at the machine and the starter
    "cli": BASE
    | {
        "recipe",
        "presets",
        EVENTS,
        "pretrained",
        "corpus",
        "training",
        "store",
        "worker",
        "sweeps",
        "inference",
        "analysis",
        "exports",
        "imports",
        "web",
        "tui",
    },
    "library": BASE | {"recipe", "store", "worker"},
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
    "workbench.inference.console",
    "workbench.inference.server",
    "workbench.recipe",
    "workbench.library",
    "workbench.presets",
    "workbench.preview.client",
    "workbench.training.events",
    "workbench.sweeps.keeper",
    "workbench.sweeps.queueing",
    "workbench.analysis.cloze",
    "workbench.analysis.compare",
]
HEAVY = {"torch", "transformers", "datasets", "accelerate", "numpy", "pyarrow", "pandas"}


def part_of(module: str) -> str:
    """The part that `workbench.PART…` belongs to."""
    inside = module.removeprefix("workbench").lstrip(".")
    if inside == EVENTS or inside.startswith(f"{EVENTS}."):
        return EVENTS
    return inside.partition(".")[0] or "__init__"


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package, by its name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        names = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(names[:-1] if names[-1] == "__init__" and len(names) > 2 else names), path


def imported(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """What a module imports of the package, and on which line."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            above = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, (above, node.module)))
            # `from workbench import errors` and `from workbench.training import events` name modules
            found = [f"{base}.{alias.name}" for alias in node.names] if is_package(base) else [base]
        else:
            continue
        yield from ((name, node.lineno) for name in found if name.partition(".")[0] == "workbench")


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


def is_version(name: str) -> bool:
    return name == "workbench.__version__"


def test_every_part_has_its_place() -> None:
    assert {part_of(module) for module, _ in modules()} <= set(MAY_IMPORT)


def test_nothing_flows_back_up() -> None:
    assert breaches() == []


def test_the_table_has_no_circles() -> None:
    placed: set[str] = set()
    for part, known in MAY_IMPORT.items():
        assert known <= placed | BASE | {part}, f"{part} knows what comes after it"
        placed.add(part)


def test_an_import_that_breaks_a_wall_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "workbench"
    for folder in ("corpus", "store", "training"):
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "corpus" / "chunks.py").write_text(
        "from workbench.training import events\n"
        "def late():\n"
        "    from ..store import Store\n"
        "    from workbench import store\n"
        "    import workbench.training.engine\n"
    )
    monkeypatch.setattr(f"{__name__}.PACKAGE", package)
    assert [line.split(": ")[0] for line in breaches()] == [
        f"workbench/corpus/chunks.py:{n}" for n in (3, 4, 5)
    ]


@pytest.mark.parametrize("module", LIGHT)
def test_it_is_up_before_torch_is_imported(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == []
