"""Several processes on the screens: in the form beside the device, and live with all their devices."""

from __future__ import annotations

import pytest

from workbench.display.measurements import Measurements
from workbench.metrics import MetricName
from workbench.recipe import PRESETS
from workbench.store import Metric, Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.live.text import processes_line
from workbench.tui.new_run.command import command_of
from workbench.tui.new_run.field_group import FieldGroup
from workbench.tui.new_run.screen import NewRunScreen
from workbench.worker.system import together

from .support import screen_text, settle, type_text


def test_the_gpus_of_a_run_are_told_together_and_one_by_one() -> None:
    one = {MetricName.GPU: 90.0, MetricName.GPU_MEMORY: 50.0, MetricName.GPU_MEMORY_USED: 40.0}
    two = {MetricName.GPU: 70.0, MetricName.GPU_MEMORY: 60.0, MetricName.GPU_TEMPERATURE: 61.0}
    assert together([one]) == one
    assert together([one, two]) == {
        "system/gpu": 80.0,
        "system/gpu_memory": 60.0,
        "system/gpu_memory_used": 40.0,
        "system/gpu_temperature": 61.0,
        "system/gpu/0": 90.0,
        "system/gpu/1": 70.0,
        "system/gpu_memory/0": 50.0,
        "system/gpu_memory/1": 60.0,
    }


def test_every_process_has_its_device_on_the_live_screen(store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    measured = Measurements()
    run.engine = {"processes": 1, "devices": ["vm cpu"]}
    assert processes_line(run, measured) == ""
    run.engine = {"processes": 3, "devices": ["n1 cuda:0", "n1 cuda:1", "n2 cpu", "n2 cpu"]}
    assert processes_line(run, measured) == "Processes   4: n1 cuda:0 cuda:1 · n2 cpu ×2"
    values = {"system/gpu/0": 97.2, "system/gpu/1": 95.0, "system/gpu_memory/0": 81.0}
    measured.add(
        Metric(id=number, run_id=run.id, name=name, step=1, epoch=0.0, value=value, at=0.0)
        for number, (name, value) in enumerate(values.items())
    )
    assert processes_line(run, measured).endswith("n2 cpu ×2  GPU 97 95 %  memory 81 %")


async def test_the_live_screen_of_a_run_with_two_processes(app: WorkbenchApp, store: Store) -> None:
    run = store.create_run(PRESETS["starter"], "two")
    devices = ["vm cpu", "vm cpu"]
    store.update_run(run.id, status="finished", engine={"processes": 2, "devices": devices})
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "Processes   2: vm cpu ×2" in screen_text(pilot)


async def test_the_form_has_processes_beside_the_device(
    app: WorkbenchApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 50)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        form = app.screen
        assert isinstance(form, NewRunScreen)
        assert "--processes" not in form._command(PRESETS["starter"])
        await form._open(form.query_one("#group-machine", FieldGroup))
        await settle(pilot)
        form.query_one("#processes").focus()
        await type_text(pilot, "2")
        await settle(pilot)
        assert "It is no part of the recipe" in screen_text(pilot)
        assert "--processes 2" in form._command(PRESETS["starter"])


def test_the_command_says_how_many() -> None:
    recipe = PRESETS["starter"]
    assert command_of(recipe, "starter", recipe, None, processes=4).endswith("--processes 4")
