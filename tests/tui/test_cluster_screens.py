"""Runs that are jobs of a cluster, on the screens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from workbench.cli.output import run_as_json
from workbench.engines.configuration import config_file
from workbench.engines.place import Place
from workbench.status import PlaceEngine
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.live.screen import LiveScreen
from workbench.tui.widgets.text_page import TextPage

from .conftest import ENGINE, add_run
from .support import NOW, add_points, losses, screen_text, settle

SIZE = (80, 24)
A100 = """[places.a100]
engine = "slurm"
partition = "gpu-a100"
nodes = 2
gpus = 4
"""
REASON = "the partition's nodes are taken (Resources); 3rd in the queue; starts about 17:35"


def job(job_id: str | None, **columns: Any) -> dict[str, Any]:
    place = Place("a100", PlaceEngine.SLURM, nodes=2, gpus=4, options={"partition": "gpu-a100"})
    own = {"placement": place.to_json(), "place": "a100", "place_engine": "slurm"}
    return own | {"job": job_id, "processes": 8, "nodes": 2, "engine_seen_at": NOW - 4, **columns}


@pytest.fixture
def cluster_runs(store: Store) -> Store:
    """A run that ended here, one that waits in Slurm, and one that runs there."""
    add_run(
        store, "here-before", status="finished", epoch=3.0, eval_perplexity=44.0, baseline_perplexity=3512.0
    )
    waits = job("1235", engine_state="PENDING", engine_reason=REASON)
    add_run(store, "waits", status="queued", started_at=None, ended_at=None, **waits)
    running = job("1234_5", engine_state="RUNNING", engine_reason="n[1-2]")
    add_run(
        store,
        "runs-there",
        status="running",
        phase="training",
        epoch=1.4,
        step=210,
        total_steps=444,
        baseline_perplexity=3512.0,
        eval_perplexity=75.1,
        engine={**ENGINE, "processes": 8},
        **running,
    )
    add_points(store, 3, "train/loss", losses(210))
    add_points(store, 3, "eval/perplexity", [(0, 3512.0), (148, 75.1)])
    return store


async def test_the_list_says_where_runs_are_and_why_one_waits(app: WorkbenchApp, cluster_runs: Store) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        shown = screen_text(pilot)
        for text in (" where ", "slurm 1234_", "slurm 1234_5 · a100 · 2×4", " here "):
            assert text in shown
        await pilot.press("j")
        await settle(pilot)
        assert "waits: the partition's nodes are taken; 3rd in the queue; starts about 17:35" in screen_text(
            pilot
        )


async def test_without_a_cluster_there_is_no_such_column(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert " where " not in screen_text(pilot)


def test_the_list_at_80x24(app: WorkbenchApp, cluster_runs: Store, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=SIZE, run_before=settle)


async def test_a_waiting_run_says_why(app: WorkbenchApp, cluster_runs: Store) -> None:
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(LiveScreen(2))
        await settle(pilot)
        shown = " ".join(screen_text(pilot).split())
        assert "Waiting: the partition's nodes are taken (Resources)." in shown
        assert "Slurm 1235 · a100 · 2×4 3rd in the queue starts about 17:35 4 s ago" in shown


def test_a_job_at_80x24(app: WorkbenchApp, cluster_runs: Store, snap_compare: Any) -> None:
    async def open_run(pilot: Any) -> None:
        app.push_screen(LiveScreen(3))
        await settle(pilot)

    assert snap_compare(app, terminal_size=SIZE, run_before=open_run)


@pytest.mark.parametrize(
    ("reason", "brief"),
    [
        (
            "it is held until `scontrol release` lets it go (JobHeldUser); 2nd in the queue",
            "it is held until `scontrol release` lets it go; 2nd in the queue",
        ),
        (
            "as many of the sweep's runs as allowed are running (JobArrayTaskLimit); 2nd in the queue; "
            "starts about 17:35",
            "as many of the sweep's runs as allowed are running; starts about 17:35",
        ),
    ],
)
async def test_a_reason_that_is_too_long_for_the_list_loses_whole_parts(
    app: WorkbenchApp, cluster_runs: Store, reason: str, brief: str
) -> None:
    cluster_runs.update_run(2, engine_reason=reason)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("j")
        await settle(pilot)
        assert f"waits: {brief} " in screen_text(pilot).replace("\n", " ")


async def test_a_requeued_run_with_a_curve_says_why_it_waits(app: WorkbenchApp, cluster_runs: Store) -> None:
    reason = "its start time has not come (BeginTime); 1st in the queue; starts about 17:35"
    cluster_runs.update_run(3, status="queued", engine_state="PENDING", engine_reason=reason)
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(LiveScreen(3))
        await settle(pilot)
        shown = " ".join(screen_text(pilot).split())
        assert "Slurm its start time has not come starts about 17:35 1234_5 · a100" in shown


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("RUNNING", "n[1-2]", "Slurm 1234_5 · a100 · 2×4 ran on n[1-2]"),
        ("PENDING", REASON, "Slurm 1234_5 · a100 · 2×4 perplexity"),
        ("TIMEOUT", "", "Slurm 1234_5 · a100 · 2×4 timeout"),
    ],
)
async def test_a_run_that_has_ended_has_no_job_that_waits_or_runs(
    app: WorkbenchApp, cluster_runs: Store, state: str, reason: str, shown: str
) -> None:
    cluster_runs.update_run(3, status="stopped", phase=None, engine_state=state, engine_reason=reason)
    told = run_as_json(cluster_runs.run(3))["engine_state"]
    assert told == (state if state == "TIMEOUT" else None)
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(LiveScreen(3))
        await settle(pilot)
        assert shown in " ".join(screen_text(pilot).split())


async def test_slurm_that_is_silent_is_told(app: WorkbenchApp, cluster_runs: Store) -> None:
    cluster_runs.update_run(3, engine_reason="Slurm does not answer since 14:02")
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(LiveScreen(3))
        await settle(pilot)
        assert "does not answer since 14:02, nothing is marked meanwhile" in screen_text(pilot)


async def test_keys_of_a_job(app: WorkbenchApp, cluster_runs: Store) -> None:
    (Path(cluster_runs.run(3).folder) / "job.sh").write_text("#!/bin/bash\n# [red]the script\n")
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(LiveScreen(1))
        await settle(pilot)
        assert not {"X", "R", "b"} & set(app.screen.active_bindings), "a run that is here has no job"
        app.push_screen(LiveScreen(3))
        await settle(pilot)
        await pilot.press("b")
        await settle(pilot)
        assert isinstance(app.screen, TextPage) and "# [red]the script" in screen_text(pilot)
        await pilot.press("escape", "X")
        await settle(pilot)
        assert "Cancel the job of run 3 “runs-there”?" in screen_text(pilot)


async def test_the_form_chooses_a_place(
    app: WorkbenchApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file().write_text(A100)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert "● here  ○ a100" in screen_text(pilot)
        app.screen.query_one("#where").focus()
        await pilot.press("right")
        await settle(pilot)
        assert "A job of Slurm, 8 processes on 2 nodes: partition gpu-a100." in screen_text(pilot)
        await pilot.press("f7")
        await settle(pilot)
        assert "#SBATCH --partition=gpu-a100" in screen_text(pilot)
        await pilot.press("escape", "ctrl+o")
        await settle(pilot)
        for typed, shown in (("6", "#SBATCH --ntasks-per-node=3"), ("5", "cannot be spread evenly")):
            app.screen.query_one("#processes", Input).value = typed
            await pilot.press("f7")
            await settle(pilot)
            assert shown in screen_text(pilot)
            await pilot.press("escape")
        await pilot.press("ctrl+y")
        await settle(pilot)
        assert "--on a100" in app.clipboard


async def test_a_mistake_in_the_configuration_is_told_by_the_form(app: WorkbenchApp, store: Store) -> None:
    config_file().write_text(A100.replace("gpus", "gpu"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert "unknown field 'gpu'" in str([note.title for note in app._notifications])
