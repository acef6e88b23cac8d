"""The statuses of a run: one list, from which sets, orders and marks follow."""

from __future__ import annotations

import ast
from pathlib import Path

from workbench.display.status import DIVERGED, MARKS, STALLED
from workbench.events import Phase
from workbench.status import ACTIVE, ENDED, ORDER, RESUMABLE, Status, SweepState

PACKAGE = Path(__file__).parent.parent / "workbench"


def test_every_status_has_its_sets_its_place_and_its_mark() -> None:
    assert set(Status) == ACTIVE | ENDED and not ACTIVE & ENDED
    assert {Status.FINISHED} == ENDED - RESUMABLE
    assert sorted(ORDER, key=lambda status: ORDER[status])[:2] == ["running", "queued"]
    assert set(MARKS) == {*Status, STALLED, DIVERGED} and set(ORDER) == set(Status)


def test_nothing_is_compared_with_a_status_as_bare_text() -> None:
    words = {str(one) for kind in (Status, SweepState, Phase) for one in kind}
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in words
    ]
    assert found == []
