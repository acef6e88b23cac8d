"""What a run leaves behind is for its user alone, and holds no secret of the environment."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.private import UMASK_VARIABLE, make_folder, without_secrets, write_whole
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store

from .conftest import begin, cli, wait_for_end  # noqa: F401

CANARY = "hf_canary_that_nobody_may_hear"
SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "MY_PASSWORD")


def open_to_others(folder: Path) -> dict[str, str]:
    """What others than the user may do something with."""
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}
    return {str(path.relative_to(folder)): oct(mode) for path, mode in modes.items() if mode & 0o077}


def files_with(text: str, folder: Path) -> list[str]:
    # by another process: to open and close a database's files beside SQLite would drop its locks
    found = subprocess.run(["grep", "-rla", text, str(folder)], capture_output=True, text=True)
    return found.stdout.splitlines()


@pytest.mark.usefixtures("from_nursery")
def test_all_that_is_written_is_private(store: Store, tiny: Recipe, tmp_path: Path) -> None:
    before = os.umask(0)  # the most generous
    try:
        run = wait_for_end(store, begin(store, tiny))
        assert run.status == Status.FINISHED, run.error
        beside = {path.name for path in tmp_path.iterdir()}
        assert {"experiments.db-wal", "experiments.db-shm", "runs", "cache"} <= beside
        assert open_to_others(tmp_path) == {}
    finally:
        os.umask(before)


@pytest.mark.usefixtures("from_nursery")
def test_the_umask_decides_where_it_is_asked_to(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UMASK_VARIABLE, "apply")
    before = os.umask(0o027)
    try:
        store = Store.open(tmp_path / "shared.db")
        run = wait_for_end(store, begin(store, tiny.with_changes(max_steps=1)))
        assert run.status == Status.FINISHED, run.error
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "shared.db", Path(run.folder))}
        assert modes == {0o640, 0o750}
        store.close()
    finally:
        os.umask(before)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary wherever a secret can be."""
    for name in SECRETS:
        monkeypatch.setenv(name, CANARY)
    for name in ("HTTPS_PROXY", "HF_ENDPOINT"):
        monkeypatch.setenv(name, f"http://me:{CANARY}@127.0.0.1:9")


@pytest.mark.usefixtures("from_nursery", "secrets")
def test_no_secret_of_the_environment_is_kept(store: Store, tiny: Recipe, tmp_path: Path) -> None:
    run = wait_for_end(store, begin(store, tiny))
    assert run.status == Status.FINISHED, run.error
    assert files_with("animals.txt", tmp_path), "grep finds nothing at all"
    assert files_with(CANARY, tmp_path) == []


@pytest.mark.usefixtures("secrets")
def test_nor_by_one_that_fails_on_the_hub(
    store: Store,
    tiny: Recipe,
    tmp_path: Path,
    cli: Callable[..., object],  # noqa: F811
) -> None:
    """A worker of its own, whose libraries read the token and the proxy when they are imported."""
    run = wait_for_end(store, begin(store, tiny.with_changes(dataset="nobody/nothing")))
    assert run.status == Status.FAILED and "nobody/nothing" in (run.error or "")
    assert CANARY not in str(cli("show", "latest", "--json"))
    assert files_with("nobody", tmp_path), "grep finds nothing at all"
    assert files_with(CANARY, tmp_path) == []


def test_what_is_quoted_in_a_log_or_an_error_loses_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    monkeypatch.setenv("SHORT_TOKEN", "a")
    quoted = f"401 for Bearer {CANARY} at https://ada:lovelace@hub.example/x: a token is needed"
    assert without_secrets(quoted) == "401 for Bearer *** at https://ada:***@hub.example/x: a token is needed"


@pytest.mark.usefixtures("from_nursery")
def test_an_error_that_quotes_a_secret_is_kept_without_it(
    store: Store, tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    run = wait_for_end(store, begin(store, tiny.with_changes(dataset=f"/nowhere/{CANARY}.txt")))
    assert run.status == Status.FAILED and run.error is not None
    assert CANARY not in run.error


def test_folders_are_private_from_the_first_moment(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        make_folder(there / "a" / "b")
        write_whole(there / "c" / "text", b"mine")
    finally:
        os.umask(before)
    assert open_to_others(there) == {} and stat.S_IMODE(there.stat().st_mode) == 0o755
    assert [path.name for path in (there / "c").iterdir()] == ["text"]
