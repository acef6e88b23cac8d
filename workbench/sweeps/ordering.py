"""Moves runs up or down in the queue."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from workbench.store import Store
from workbench.store.sweeps import Place


def move_by(store: Store, run_ids: Collection[int], by: int, *, whole_sweeps: bool = False) -> bool:
    """Move these waiting runs up (`by` -1) or down (1), past one other run or past a whole sweep.

    Returns whether there was anything to pass. Raises UsageError for a run that is not waiting.
    """
    queue = store.sweeps.lines.queue()
    moved = [run_id for run_id in queue if run_id in run_ids]
    groups: Mapping[int, Hashable] = queue if whole_sweeps else {run_id: run_id for run_id in queue}
    target = passed(groups, moved, by)
    if target is None:
        return False
    store.sweeps.move(moved, target)
    return True


def passed(groups: Mapping[int, Hashable], moved: Collection[int], by: int) -> Place | int | None:
    """Where `moved` go to pass their neighbour: before a run, or last; None: there is no neighbour.

    groups: each waiting run in queue order, with the group that is passed as a whole.
    """
    others = [run_id for run_id in groups if run_id not in moved]
    first = next((place for place, run_id in enumerate(groups) if run_id in moved), None)
    if first is None:
        return None
    if by < 0:
        place = first - 1
        while place > 0 and groups[others[place - 1]] == groups[others[first - 1]]:
            place -= 1
    else:
        place = first
        while place < len(others) and groups[others[place]] == groups[others[first]]:
            place += 1
    if place < 0 or place == first:
        return None
    return others[place] if place < len(others) else "last"
