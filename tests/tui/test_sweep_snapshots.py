"""Pictures of the list of sweeps and of one sweep, empty, usual and overfull."""

from __future__ import annotations

from workbench.store import Store
from workbench.tui.app import WorkbenchApp

from . import sweep_worlds as worlds
from .test_run_snapshots import picture
from .test_snapshots import Compare, size

__all__ = ["size"]  # a fixture


def test_no_sweeps_yet(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture("w"))


def test_sweeps(app: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    worlds.half_done(store)
    worlds.of_three_fields(store)
    worlds.search(store)
    assert snap_compare(app, terminal_size=size, run_before=picture("w", "j"))


def test_more_sweeps_than_fit(
    app: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    worlds.overfull(store)
    assert snap_compare(app, terminal_size=size, run_before=picture("w", "end"))


def test_a_sweep(app: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    worlds.half_done(store)
    assert snap_compare(app, terminal_size=size, run_before=picture("w", "enter", "right"))


def test_curves_of_a_sweep(
    app: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    worlds.of_three_fields(store)
    assert snap_compare(app, terminal_size=size, run_before=picture("w", "enter", "a", "v", "v", "v"))


def test_a_sweep_larger_than_the_screen(
    app: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    worlds.overfull(store)
    assert snap_compare(app, terminal_size=size, run_before=picture("w", "enter", "end", "left"))


def test_a_sweep_of_sixteen_colours(
    app_of_16_colours: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    worlds.half_done(store)
    assert snap_compare(app_of_16_colours, terminal_size=size, run_before=picture("w", "enter"))


def test_a_sweep_without_colour(
    app_without_colour: WorkbenchApp, store: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    worlds.half_done(store)
    assert snap_compare(app_without_colour, terminal_size=size, run_before=picture("w", "enter"))
