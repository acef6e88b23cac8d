"""Grids of runs, trained for real by the keeper of the queue."""

from __future__ import annotations

from ..cli.conftest import Cli, cli, config  # noqa: F401
from ..worker.conftest import one_thread, recipe, small_model, store, text_file  # noqa: F401


def test_a_grid_is_trained_by_itself_and_its_text_is_prepared_once(cli: Cli, config: str) -> None:  # noqa: F811
    done = cli("sweep", "--config", config, "--mask-prob", "0.15,0.3", "--seeds", "2", "--json")
    assert done.code == 0, done.err
    runs = cli("runs", "--json").json
    assert [run["status"] for run in runs] == ["finished"] * 4
    assert sorted((run["recipe"]["mask_prob"], run["recipe"]["seed"]) for run in runs) == sorted(
        (share, seed) for share in (0.15, 0.3) for seed in {run["recipe"]["seed"] for run in runs}
    )
    assert len({run["recipe"]["split_seed"] for run in runs}) == 1, "all seeds hold out the same rows"
    _, *later = sorted(runs, key=lambda run: run["started_at"])
    assert all(cli("show", str(run["id"]), "--json").json["data"]["from_cache"] for run in later)
    shown = cli("sweep", "show", "latest")
    assert shown.code == 0 and "0.15" in shown.out and "0.3" in shown.out


def test_a_grid_that_cannot_be_is_refused_before_anything_starts(cli: Cli, config: str) -> None:  # noqa: F811
    done = cli("sweep", "--config", config, "--mask-prob", "0.15,1.5")
    assert done.code == 2 and "mask_prob" in done.err
    assert cli("runs", "--json").json == []
