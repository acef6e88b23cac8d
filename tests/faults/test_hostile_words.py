"""Names, command lines and texts that hold anything: nothing is obeyed, nothing escapes its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.cli import main
from workbench.errors import UsageError, WorkbenchError
from workbench.inference.filler import Filler
from workbench.recipe import PRESETS, Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.worker import launch

from .conftest import FULL, thorough
from .hostile import NASTY, arguments, obeyed, often, text

VERBS = ("train", "runs", "show", "stop", "resume", "delete", "fill")
OPTIONS = (
    "--json",
    "--db",
    "--config",
    "--preset",
    "--set",
    "--name",
    "--tag",
    "--top-k",
    "--yes",
    "--run",
    "--",
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub, no workers, and a folder of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(launch, "_spawn", lambda store, run: None)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def filler(tiny_model: Path) -> Filler:
    return Filler.load(str(tiny_model))


def files_outside(folder: Path) -> set[str]:
    """What lies around the folder that things are to stay in."""
    return {path.name for path in folder.parent.iterdir()}


def run_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and all that is printed. Fails on a traceback, or on what a terminal would obey."""
    code = main(words)
    printed = capsys.readouterr()
    shown = printed.out + printed.err
    assert code in (0, 1, 2), (words, shown)
    assert "Traceback" not in shown
    assert not obeyed(shown), (words, obeyed(shown))
    return code, shown


@often
@given(
    verb=st.sampled_from(VERBS), words=st.lists(st.one_of(st.sampled_from(OPTIONS), arguments), max_size=4)
)
def test_command_lines_of_anything(
    verb: str, words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = files_outside(tmp_path)
    if verb == "train":
        words = ["--detach", "--dataset", "python-docs", *words]
    elif verb == "fill":
        words = ["--model", "./nothing", *words]
    run_command([verb, *words], capsys)
    assert files_outside(tmp_path) == before


@often
@given(name=arguments, tag=arguments)
def test_names_of_anything(name: str, tag: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    before = files_outside(tmp_path)
    database = str(tmp_path / "names.db")
    words = ["train", f"--name={name}", f"--tag={tag}", "--detach", "--db", database]
    code, _ = run_command(words, capsys)
    store = Store.open(database)
    if code == 0:
        run = store.runs()[0]
        folder = Path(run.folder)
        assert folder.resolve().parent == store.runs_folder.resolve() and folder.is_dir()
        assert folder.name.isascii() and len(folder.name) < 100
        store.update_run(run.id, status=Status.FAILED, error=tag, note=name, phase=tag, error_hint=name)
        for look in (["runs"], ["show", str(run.id)], ["runs", "--json"]):
            run_command([*look, "--db", database], capsys)
        store.catalog.remove(run.id)
        assert not folder.exists()
    store.close()
    assert files_outside(tmp_path) == before


@pytest.mark.parametrize("nasty", NASTY)
def test_each_as_everything(nasty: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One word in every place that a person or a library can put it, and then looked at."""
    database = str(tmp_path / "nasty.db")
    store = Store.open(database)
    recipe = PRESETS["starter"].with_changes(dataset=f"./{nasty}"[:4096], dataset_subset=nasty)
    run = store.create_run(recipe, None, [nasty])
    assert Path(run.folder).parent == store.runs_folder
    said = {"error": nasty, "error_hint": nasty, "note": nasty, "phase": nasty, "host": nasty}
    store.update_run(run.id, status=Status.CRASHED, environment={nasty: nasty}, data={"x": [nasty]}, **said)
    store.add_checkpoint(run.id, step=1, epoch=0.1, path=f"/tmp/{nasty}", eval_perplexity=2.0, best=True)
    store.close()
    for look in (["runs"], ["show", "latest"], ["runs", "--json"], ["show", "latest", "--json"]):
        code, _ = run_command([*look, "--db", database], capsys)
        assert code == 0


def test_a_folder_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """Neither a link in a run's folder, nor a folder's name in a database that somebody else made."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("three years of work")
    store = Store.open(tmp_path / "work" / "experiments.db")
    for folder in ("link", "../../precious", str(precious), "..", ".", "/"):
        run = store.create_run(PRESETS["starter"])
        own = Path(run.folder)
        if folder == "link":
            own.mkdir(parents=True)
            (own / "checkpoints").symlink_to(precious)
            (own / "thesis.txt").symlink_to(precious / "thesis.txt")
        else:
            store.update_run(run.id, folder=folder)
        store.update_run(run.id, status=Status.FAILED)
        store.catalog.remove(run.id)
        assert (precious / "thesis.txt").read_text() == "three years of work"
    run = store.create_run(PRESETS["starter"])
    Path(run.folder).symlink_to(precious)
    store.update_run(run.id, status=Status.FAILED)
    store.catalog.remove(run.id)
    assert (precious / "thesis.txt").exists()
    store.close()


@often
@given(before=text, after=text)
def test_texts_to_fill(filler: Filler, before: str, after: str) -> None:
    try:
        result = filler.fill(f"{before}[MASK]{after}", 3)
    except WorkbenchError as error:
        assert error.message
    else:
        assert result.masks and all(len(mask.predictions) == 3 for mask in result.masks)


@often
@given(sentence=arguments)
def test_fill_shows_nothing_that_a_terminal_obeys(
    tiny_model: Path, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fill", "--model", str(tiny_model), "--db", "fill.db", "--", f"a cat {sentence} [MASK]"]
    run_command(words, capsys)
    run_command([*words[:-2], "--json", *words[-2:]], capsys)


def test_fill_reads_lines_of_any_bytes(tiny_model: Path, tmp_path: Path) -> None:
    lines = [
        b"the [MASK] sat",
        b"\xff\xfe\x00\x80 [MASK]",
        "\x1b]0;x\x07 [MASK] \u202e".encode(),
        b"x" * 10**6,
        b"a [MASK]",
    ]
    command = [sys.executable, "-m", "workbench", "fill", "--model", str(tiny_model), "--db", "fill.db", "-"]
    for locale in ("C.UTF-8", "C") if FULL else ("C",):
        environment = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = subprocess.run(command, input=b"\n".join(lines) + b"\n", capture_output=True, env=environment)
        shown = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert "Traceback" not in shown, shown[-2000:]
        assert not obeyed(shown)
        assert done.stdout.count(b"sat") >= 1


@pytest.mark.parametrize("length", [300, 10_000, thorough(3_000_000, 200_000)])
def test_words_of_great_length(length: int, filler: Filler, tmp_path: Path) -> None:
    word = "a" * length
    store = Store.open(tmp_path / "long.db")
    with pytest.raises(UsageError, match="200 characters"):
        store.create_run(Recipe(), word)
    with pytest.raises(UsageError):
        store.find(word)
    store.close()
    assert filler.fill(f"{word} [MASK]").masks
    with pytest.raises(UsageError, match="tokens long"):
        filler.fill("a " * length + "[MASK]")
