"""States and reasons of Slurm in plain words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.engines.protocol import Stand
from workbench.engines.slurm_words import REASONS, advice_for, ending_in_words, reason_in_words, stand_of


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Resources", "the partition's nodes are taken (Resources)"),
        ("Priority", "jobs with a higher priority come first (Priority)"),
        ("QOSMaxJobsPerUserLimit", "you may not run more jobs at once (QOSMaxJobsPerUserLimit)"),
        ("AssocGrpGRES", "all GPUs that the group may use are taken (AssocGrpGRES)"),
        ("AssocGrpCpuLimit", "all CPUs that the group may use are taken (AssocGrpCpuLimit)"),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-2]", "a node that it needs is down or reserved"),
        ("Nodes required for job are DOWN, DRAINED", "its nodes are down, drained"),
        ("SomethingNew", "SomethingNew"),
        ("(Resources)", "the partition's nodes are taken (Resources)"),
        ("None", "Slurm has not looked at it yet"),
        ("N/A", ""),
    ],
)
def test_reasons(reason: str, words: str) -> None:
    assert reason_in_words(reason).startswith(words)


def test_a_reason_is_one_part_of_what_a_waiting_job_says() -> None:
    assert not [words for words in REASONS.values() if ";" in words]


def test_endings() -> None:
    assert ending_in_words("OUT_OF_MEMORY") == "its job needed more memory than it asked for (OUT_OF_MEMORY)"
    assert ending_in_words("CANCELLED by 1000") == "its job was cancelled (CANCELLED by 1000)"
    assert ending_in_words("NEWSTATE") == "its job ended (NEWSTATE)"
    assert "more time" in advice_for("TIMEOUT") and advice_for("FAILED") == ""


def test_states() -> None:
    for state, stand in {
        "PENDING": Stand.WAITING,
        "REQUEUE_HOLD": Stand.WAITING,
        "COMPLETING": Stand.RUNNING,
        "CONFIGURING": Stand.RUNNING,
        "TIMEOUT": Stand.ENDED,
        "CANCELLED by 0": Stand.ENDED,
    }.items():
        assert stand_of(state) is stand


def test_the_page_has_the_table_of_reasons() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (.+?) \| (.+) \|$", page, re.MULTILINE)
    assert {(reason, words) for reason, words in REASONS.items() if reason != "None"} <= set(shown)
