"""Presets that a person saves: kept whole, listed, refused clearly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench import presets
from workbench.errors import UsageError
from workbench.recipe import PRESETS

MINE = PRESETS["starter"].with_changes(chunk_size=64, mask_prob=0.3, text_column=None)


def test_what_is_saved_is_read_back_and_offered_after_the_built_in_ones() -> None:
    assert presets.names() == list(PRESETS)
    presets.save("b notes", MINE)
    file = presets.save("a-first", PRESETS["xsum"])
    assert file.parent == presets.presets_folder()
    assert presets.names() == [*PRESETS, "a-first", "b notes"]
    assert presets.load("b notes") == MINE
    assert presets.load("starter") == PRESETS["starter"]


def test_saving_again_replaces_and_leaves_nothing_lying_about() -> None:
    presets.save("mine", PRESETS["xsum"])
    presets.save("mine", MINE)
    assert presets.load("mine") == MINE
    assert [path.name for path in presets.presets_folder().iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("name", ["starter", "", "  ", "../up", "a/b", ".hidden", "x" * 61, "bell\a", "dot."])
def test_names_that_a_preset_cannot_have(name: str) -> None:
    with pytest.raises(UsageError):
        presets.save(name, MINE)
    assert presets.names() == list(PRESETS)


def test_letters_of_any_script_are_letters() -> None:
    presets.save("特許 2", MINE)
    assert presets.load("特許 2") == MINE


def test_deleting() -> None:
    presets.save("mine", MINE)
    presets.delete("mine")
    assert presets.saved() == []
    with pytest.raises(UsageError, match="no preset 'mine'"):
        presets.delete("mine")
    with pytest.raises(UsageError, match="cannot be deleted"):
        presets.delete("xsum")


def test_one_that_is_not_there_and_one_that_was_edited_badly() -> None:
    presets.save("mine", MINE)
    with pytest.raises(UsageError) as missing:
        presets.load("mime")
    assert "starter, xsum, mine" in missing.value.hint
    (presets.presets_folder() / "mine.toml").write_text("epochs = 0\n", encoding="utf-8")
    with pytest.raises(UsageError, match="epochs: must be at least 1"):
        presets.load("mine")


def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("MLM_WORKBENCH_CONFIG", str(blocked))
    assert presets.saved() == []
    with pytest.raises(UsageError, match="Cannot write the preset to"):
        presets.save("mine", MINE)


def test_the_command_line_finds_them() -> None:
    presets.save("mine", MINE)
    command = [sys.executable, "-m", "workbench", "train", "--preset"]
    unknown = subprocess.run([*command, "mime"], capture_output=True, text=True, timeout=120)
    assert unknown.returncode == 2 and "starter, xsum, mine" in " ".join(unknown.stderr.split())
    # It was found and read when what is wrong is the flag that goes before it.
    wrong = subprocess.run(
        [*command, "mine", "--mask-prob", "2"], capture_output=True, text=True, timeout=120
    )
    assert wrong.returncode == 2 and "mask_prob: must be below 1" in " ".join(wrong.stderr.split())
