"""The checkpoints that can be chosen."""

from __future__ import annotations

from workbench.recipe import PRESETS
from workbench.store import Store


def test_checkpoints_newest_first_without_deleted_runs(location: str) -> None:
    store = Store.open(location)
    for name in ("first", "second", "deleted"):
        run = store.create_run(PRESETS["starter"], name)
        assert run.id
        for step in (10, 20):
            store.add_checkpoint(
                run.id, step=step, epoch=step / 10, path="x", eval_perplexity=9.0, best=step == 10
            )
    store.update_run(3, status="finished")
    store.catalog.delete([3])
    found = store.models.saved()
    assert [(one.run, one.step, one.best, one.newest) for one in found] == [
        ("second", 20, False, True),
        ("second", 10, True, False),
        ("first", 20, False, True),
        ("first", 10, True, False),
    ]
    assert found[0].base == "starter" and found[0].epoch == 2.0
    assert [one.run_id for one in store.models.saved(1)] == [1, 1]
    assert len(store.models.saved(limit=3)) == 3
    store.close()
    store.close()
