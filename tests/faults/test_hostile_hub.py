"""A hub whose repositories hold anything at all: read by the real client libraries, or refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..corpus.test_hub import Sitting as Preparing
from ..pretrained.local_hub import LocalHub, Repository
from ..pretrained.test_faulty_hub import Sitting as Loading
from .conftest import thorough
from .hostile import content

numbers = count()
seldom = settings(
    max_examples=thorough(100, 8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
names = st.sampled_from(
    ["data/train-0", "train", "../../../owned", "a b [red]", "\x1b[31mtrain", "日本語/train", "n" * 200]
)
kinds = st.sampled_from([".parquet", ".jsonl", ".json", ".csv", ".txt", ".arrow", ".jsonl.gz", ""])
cards = content | st.just(b"---\nconfigs:\n- config_name: default\n  data_files: ../../../owned\n---\n")
with_code = b'{"model_type": "bert", "auto_map": {"AutoModelForMaskedLM": "x.Y"}}'


@pytest.fixture(scope="module")
def hub() -> Iterator[LocalHub]:
    hub = LocalHub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "deep" / "in" / "here"


@pytest.fixture(scope="module")
def preparing(folder: Path, hub: LocalHub) -> Iterator[Preparing]:
    sitting = Preparing(folder, hub.url)
    yield sitting
    sitting.close()


@pytest.fixture(scope="module")
def loading(folder: Path, hub: LocalHub) -> Iterator[Loading]:
    sitting = Loading(hub, folder / "models")
    yield sitting
    sitting.close()


@seldom
@given(files=st.dictionaries(st.tuples(names, kinds).map("".join), content, min_size=1, max_size=3))
def test_data_sets_that_hold_anything(
    files: dict[str, bytes], preparing: Preparing, hub: LocalHub, folder: Path
) -> None:
    dataset = f"me/set-{next(numbers)}"
    hub.datasets[dataset] = Repository({"main": files})
    answer = preparing.prepare(dataset, text_column="text")
    assert answer.get("error", "CorpusError") == "CorpusError" and len(answer.get("text", "")) < 2_000
    assert not list(folder.parents[2].rglob("owned*"))


@seldom
@given(card=cards, rows=content)
def test_cards_of_data_sets_that_say_anything(
    card: bytes, rows: bytes, preparing: Preparing, hub: LocalHub, folder: Path
) -> None:
    dataset = f"me/card-{next(numbers)}"
    hub.datasets[dataset] = Repository({"main": {"README.md": card, "train.txt": rows}})
    answer = preparing.prepare(dataset, text_column="")
    assert answer.get("error", "CorpusError") == "CorpusError" and len(answer.get("text", "")) < 2_000
    assert not list(folder.parents[2].rglob("owned*"))


@seldom
@given(
    files=st.fixed_dictionaries(
        {"config.json": content | st.just(with_code)},
        optional={
            "tokenizer.json": content,
            "tokenizer_config.json": content,
            "model.safetensors": content,
            "pytorch_model.bin": content,
            "x.py": st.just(b"open('owned', 'w')"),
        },
    )
)
def test_models_that_hold_anything(
    files: dict[str, bytes], loading: Loading, hub: LocalHub, folder: Path
) -> None:
    model = f"me/model-{next(numbers)}"
    hub.models[model] = Repository({"main": files})
    answer = loading.load(model)
    assert answer["error"] == "ModelError" and answer["text"].strip()
    assert not list(folder.parents[2].rglob("owned*")) and not Path("owned").exists()
