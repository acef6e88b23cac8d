"""`import`: what Hugging Face's Trainer and TensorBoard leave becomes a past run."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.analysis.compare import compare_runs
from workbench.errors import UsageError, WorkbenchError
from workbench.imports.past_run import import_run, read
from workbench.recipe import PRESETS
from workbench.store import Store

from ..cli.conftest import Cli, cli  # noqa: F401
from ..worker.conftest import small_model, store, text_file  # noqa: F401


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, small_model: Path, text_file: Path) -> Path:  # noqa: F811
    """The output folder of a real Trainer: two epochs, a checkpoint after each, a TensorBoard log."""
    import datasets
    from transformers import (
        AutoModelForMaskedLM,
        AutoTokenizer,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
    )

    folder = tmp_path_factory.mktemp("trainer") / "trained elsewhere"
    tokenizer = AutoTokenizer.from_pretrained(small_model)
    lines = text_file.read_text(encoding="utf-8").splitlines()[:64]
    chunks = datasets.Dataset.from_dict(dict(tokenizer(lines, truncation=True, max_length=32)))
    arguments = TrainingArguments(
        str(folder),
        num_train_epochs=2,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=64,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_only_model=True,
        logging_steps=2,
        report_to=["tensorboard"],
        load_best_model_at_end=True,
        learning_rate=1e-3,
        use_cpu=True,
        disable_tqdm=True,
    )
    Trainer(
        AutoModelForMaskedLM.from_pretrained(small_model),
        arguments,
        train_dataset=chunks,
        eval_dataset=chunks,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.3),
        processing_class=tokenizer,
    ).train()
    return folder


def told(folder: Path) -> dict[str, float]:
    """The last of each figure in the Trainer's own log."""
    state = json.loads((folder / "checkpoint-8" / "trainer_state.json").read_text(encoding="utf-8"))
    return {name: value for entry in state["log_history"] for name, value in entry.items()}


def test_a_trainer_s_folder_becomes_a_past_run(trained: Path, store: Store) -> None:  # noqa: F811
    run = import_run(store, trained)
    assert (run.name, run.status, run.tags) == ("trained elsewhere", "finished", ["imported"])
    assert run.eval_perplexity == pytest.approx(math.exp(told(trained)["eval_loss"]))
    assert (run.step, run.epoch, run.total_steps) == (8, 2.0, 8)
    assert run.recipe == {"epochs": 2, "batch_size": 16}  # nothing that the folder does not tell
    assert [(one.step, one.epoch) for one in store.checkpoints(run.id)] == [(4, 1.0), (8, 2.0)]
    assert sum(one.best for one in store.checkpoints(run.id)) == 1
    curve = [one.step for one in store.metrics(run.id, ["train/loss"])]
    assert curve == [2, 4, 6, 8]
    (last,) = [one.value for one in store.metrics(run.id, ["train/grad_norm"]) if one.step == 8]
    assert last == told(trained)["grad_norm"]


def test_it_is_imported_once(trained: Path, store: Store) -> None:  # noqa: F811
    run = import_run(store, trained)
    with pytest.raises(UsageError, match=f"already imported as run {run.id}"):
        import_run(store, trained, "again")
    store.catalog.remove(run.id)
    assert (trained / "checkpoint-8" / "model.safetensors").is_file()
    assert import_run(store, trained, "again").name == "again"


def test_its_tensorboard_log_tells_the_same(trained: Path, store: Store) -> None:  # noqa: F811
    (log,) = {path.parent for path in trained.rglob("events.out.tfevents.*")}
    by_log, by_state = import_run(store, log), import_run(store, trained)
    assert by_log.recipe == {} and by_log.checkpoint is None
    assert by_log.started_at is not None and by_log.ended_at is not None
    for name in ("train/loss", "eval/perplexity", "train/learning_rate"):
        expected = [(one.step, one.epoch, one.value) for one in store.metrics(by_state.id, [name])]
        found = [(one.step, one.epoch, one.value) for one in store.metrics(by_log.id, [name])]
        assert len(found) == len(expected) > 1
        assert found == [pytest.approx(one, rel=1e-5) for one in expected]


def test_its_model_answers_and_is_scored_on_the_yardstick(
    trained: Path,
    small_model: Path,  # noqa: F811
    text_file: Path,  # noqa: F811
    cli: Cli,  # noqa: F811
    store: Store,  # noqa: F811
) -> None:
    settings = ("--set", "test_size=0.2", "--set", "text_column=", "--set", "train_size=")
    done = cli(
        "import", str(trained), "--model", str(small_model), "--dataset", str(text_file), *settings, "--json"
    )
    assert done.code == 0, done.err
    assert done.json["recipe"]["dataset"] == str(text_file) and "mask_prob" not in done.json["recipe"]
    assert cli("fill", "--run", "latest", "--json", "the [MASK] sat").json["masks"]
    scored = cli("yardstick", "latest", "--json").json
    assert scored["checkpoints"][0]["perplexity"] < scored["base"]["perplexity"]
    refused = cli("export", "latest", "out")
    assert refused.code == 2 and "imported" in refused.err


def test_without_a_recipe_nothing_is_assumed(trained: Path, cli: Cli, store: Store) -> None:  # noqa: F811
    import_run(store, trained)
    assert "None" not in cli("runs").out + cli("show", "latest").out
    done = cli("yardstick", "latest")
    assert done.code == 2 and "--model M and --dataset D" in done.err
    assert cli("resume", "latest").code == 2


def test_what_it_does_not_tell_is_no_difference(trained: Path, store: Store) -> None:  # noqa: F811
    run = import_run(store, trained, settings={"chunk_size": "64"})
    other = store.create_run(PRESETS["starter"].with_changes(epochs=2))
    compared = compare_runs(store, [run.id, other.id])
    assert compared.differences == {"chunk_size": [64, 128]}
    (note,) = [note for note in compared.notes if "was imported" in note]
    assert "fields of its recipe are unknown, adam_beta1, adam_beta2" in note


def test_what_is_not_there_is_said(tmp_path: Path, store: Store) -> None:  # noqa: F811
    (tmp_path / "empty").mkdir()
    for path, words in (("empty", "neither"), ("missing", "no folder")):
        with pytest.raises(UsageError, match=words):
            import_run(store, tmp_path / path)
    assert store.runs() == []


def test_a_pickle_is_no_model(trained: Path, tmp_path: Path, store: Store) -> None:  # noqa: F811
    copy = tmp_path / "2024"
    shutil.copytree(trained, copy)
    (copy / "checkpoint-8" / "model.safetensors").rename(copy / "checkpoint-8" / "pytorch_model.bin")
    run = import_run(store, copy)
    assert run.name == "imported 2024"  # a number alone would be taken for an id
    assert [one.step for one in store.checkpoints(run.id)] == [4]


@pytest.mark.parametrize(
    "entry",
    [{"loss": math.nan}, {"loss": math.inf}, {"loss": "1"}, {"loss": None}, {"loss": 1.0, "step": 1e300}],
)
def test_a_figure_that_is_none_is_left_out(entry: dict[str, object], tmp_path: Path, store: Store) -> None:  # noqa: F811
    history = [{"step": 1, "epoch": 1.0} | entry, {"step": 2, "eval_loss": 800.0}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    run = import_run(store, tmp_path, "odd")
    assert [(one.name, one.value) for one in store.metrics(run.id)] == [
        ("eval/loss", 800.0),
        ("eval/perplexity", math.inf),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["log_history", "step", "epoch", "loss", "eval_loss", "best_model_checkpoint"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=9,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_log_holds_it_is_read_or_refused(tmp_path: Path, state: bytes) -> None:
    (tmp_path / "trainer_state.json").write_bytes(state)
    try:
        assert all(math.isfinite(one.epoch) for one in read(tmp_path).values)
    except WorkbenchError as error:
        assert "a log of Hugging Face's Trainer" in error.message


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=st.binary(max_size=200))
def test_whatever_an_event_file_holds_it_is_read_or_refused(tmp_path: Path, log: bytes) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(log)
    with pytest.raises(WorkbenchError):
        read(tmp_path)
