"""Whole runs on the real backbone, cut short: they learn, leave a model, stop, go on and wait."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from core import jobs
from core.document import Document, Entity, Relation, to_json
from core.errors import ChartmarkError
from core.extraction import models
from core.overlap import Trained
from core.schema import Schema
from training import dataset, preset, run
from training.average import average
from training.data import Mix

# Labels of another field, to show that the schema is data.
SCHEMA = Schema.model_validate(
    {
        "name": "zoo",
        "entities": [
            {"name": "Animal", "colour": "#112233", "shortcut": "a"},
            {"name": "Food", "colour": "#445566", "shortcut": "f"},
        ],
        "relations": [{"name": "eats", "head": ["Animal"], "tail": ["Food"]}],
    }
)


def note(n: int) -> Document:
    animal = ["panda", "zebra", "otter", "koala"][n % 4]
    food = ["bamboo", "grass", "fish", "leaves"][n // 4 % 4]
    hungry = n % 3 > 0
    text = f"Note {n}. The {animal} {'happily eats' if hungry else 'never saw any'} {food} today."
    places = {w: text.index(w) for w in (animal, food)}
    return Document(
        id=f"n{n}",
        text=text,
        entities=(
            Entity(id="T1", start=places[animal], end=places[animal] + len(animal), type="Animal"),
            Entity(id="T2", start=places[food], end=places[food] + len(food), type="Food"),
        ),
        relations=(Relation(head="T1", tail="T2", type="eats"),) if hungry else (),
    )


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(models, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(dataset, "CACHE", tmp_path / "runs" / ".datasets")
    return tmp_path / "runs"


CHANGES = [
    "corrected=1",
    "schedule.epochs=6",
    "schedule.accumulate=1",
    "schedule.learning_rate=0.002",
    "heads.size=64",
    "tune=0.25",
    "corpora={}",
    "stitch={}",
]


def config(source: Path, *changes: str) -> run.Config:
    values = preset.load("cpu", [*CHANGES, *changes])
    return run.Config("cpu", values, SCHEMA, Mix(files=(source,)), "local", "starter")


def notes(tmp_path: Path, count: int) -> Path:
    source = tmp_path / "zoo.jsonl"
    source.write_text("".join(to_json(note(n)) + "\n" for n in range(count)))
    return source


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """Enough notes to learn from."""
    return notes(tmp_path, 120)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return notes(tmp_path, 40)


def losses(folder: Path) -> dict[int, float]:
    return {m["step"]: m["loss"] for m in run.metrics(folder) if "loss" in m}


def test_a_run_learns_and_leaves_a_model(runs: Path, zoo: Path) -> None:
    folder = run.create(config(zoo))
    run.work(folder)

    assert json.loads((folder / "status.json").read_text())["state"] == "finished"
    written = yaml.safe_load((folder / "config.yaml").read_text())
    assert written["values"]["schedule"]["epochs"] == 6
    assert len(yaml.safe_load((folder / "data.yaml").read_text())["train_sha256"]) == 64
    assert run.metrics(folder)[-1]["seconds"] > 0
    assert not (folder / "checkpoints").exists()

    extractor = models.load(folder.name)
    eats, saw = "The zebra happily eats fish today.", "The zebra never saw any fish today."
    there, absent = extractor.extract([eats, saw])
    assert [(eats[e.start : e.end], e.type) for e in there.entities] == [
        ("zebra", "Animal"),
        ("fish", "Food"),
    ]
    assert [(r.head, r.type, r.tail) for r in there.relations] == [("T1", "eats", "T2")]
    assert len(absent.entities) == 2
    assert absent.relations == ()

    # Ended while its model was being compared, it goes on with that, and trains nothing anew.
    (folder / "status.json").write_text('{"state": "stopped", "done": 0, "of": 0, "message": ""}')
    before = (folder / "model" / "adapter_model.safetensors").stat().st_mtime_ns
    (folder / "checkpoints").mkdir()
    steps = len(run.metrics(folder))
    run.work(folder)
    assert json.loads((folder / "status.json").read_text())["state"] == "finished"
    assert (folder / "model" / "adapter_model.safetensors").stat().st_mtime_ns == before
    assert len(run.metrics(folder)) == steps
    assert not (folder / "checkpoints").exists()

    run.export(folder.name, runs / "run.zip")
    assert (runs / "run.zip").stat().st_size > 100_000
    with pytest.raises(ChartmarkError, match="has finished"):
        run.begin(folder)
    run.delete(folder.name)
    assert not folder.exists()


def test_two_models_become_one_between_them(runs: Path, few: Path, tmp_path: Path) -> None:
    first = run.create(config(few, "schedule.epochs=1"))
    run.work(first)
    second = run.create(config(few, "schedule.epochs=1", f"start={first.name}", "schedule.seed=1"))
    run.work(second)
    average(second, [first / "model"], tmp_path / "both")
    with pytest.raises(ChartmarkError, match="has a model already"):
        average(second, [first / "model"], tmp_path / "both")

    weights = [load_file(f / "model" / "heads.safetensors") for f in (first, second, tmp_path / "both")]
    a, b, mean = (w["span_type.weight"].float() for w in weights)
    assert not torch.equal(a, b)
    assert torch.allclose(mean, (a + b) / 2, atol=1e-3)
    (found,) = models.load(str(tmp_path / "both" / "model")).extract(["The zebra eats grass."])
    assert not found.unfinished
    of_both, of_first = Trained.load(tmp_path / "both" / "model"), Trained.load(first / "model")
    assert of_both is not None
    assert of_first is not None
    assert set(of_first.documents) <= set(of_both.documents)

    with pytest.raises(ChartmarkError, match="is built otherwise"):
        average(second, [models.folder("starter")], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_run_that_fails_is_marked_so(runs: Path, tmp_path: Path) -> None:
    folder = run.create(config(tmp_path / "no.jsonl"))
    with pytest.raises(ChartmarkError, match=r"can't read .*no\.jsonl"):
        run.work(folder)
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "failed"
    assert "no.jsonl" in status["message"]


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(runs: Path, few: Path) -> None:
    changes = ("schedule.epochs=4", "schedule.batch=3")  # 40 steps
    whole = run.create(config(few, *changes))
    run.work(whole)

    parts = run.create(config(few, *changes))

    def stop_within_the_second_epoch(done: int, of: int) -> None:
        if of / 4 < done < of / 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        run.work(parts, stop_within_the_second_epoch)
    assert json.loads((parts / "status.json").read_text())["state"] == "stopped"
    seen = set(losses(parts))
    run.work(parts)

    assert json.loads((parts / "status.json").read_text())["state"] == "finished"
    assert seen < set(losses(parts))
    # The same rows in the same order from the same weights and chance: the same loss. (The first figure
    # after the stop averages over fewer steps.)
    assert losses(parts)[40] == pytest.approx(losses(whole)[40], rel=1e-4)
    assert set(losses(parts)) == set(losses(whole))


def test_a_run_goes_on_only_with_the_data_that_it_began_with(runs: Path, zoo: Path) -> None:
    folder = run.create(config(zoo, "schedule.epochs=1"))

    def stop(*_: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        run.work(folder, stop)
    zoo.write_text("".join(to_json(note(n)) + "\n" for n in range(100)))
    with pytest.raises(ChartmarkError, match="the data have changed since this run began"):
        run.work(folder)


def test_loss_that_is_no_number_fails_the_run_with_a_sentence(runs: Path, zoo: Path) -> None:
    folder = run.create(config(zoo, "schedule.learning_rate=1e30", "heads_learning_rate=1e30"))
    with pytest.raises(ChartmarkError, match=r"no number any more .* lower schedule\.learning_rate"):
        run.work(folder)


def test_a_killed_run_is_seen_and_a_second_one_waits(tmp_path: Path, zoo: Path) -> None:
    """In processes of their own, as the app starts them."""
    home = tmp_path / "runs"
    home.mkdir()
    folders = [home / name for name in ("1-first", "2-second")]
    for folder in folders:
        folder.mkdir()
        config(zoo, "schedule.epochs=200", "schedule.patience=200").save(folder)
    begun = [
        subprocess.Popen(
            [sys.executable, "app.py", "train", "--job", str(folder)],
            env={**os.environ, "CHARTMARK_RUNS": str(home)}, cwd=models.ROOT,
        )
        for folder in folders
    ]  # fmt: skip
    try:
        until(
            lambda: {state(f) for f in folders} == {"running", "waiting"} and any(map(losses, folders))
        )
        first = next(i for i, f in enumerate(folders) if state(f) == "running")
        begun[first].kill()
        begun[first].wait()
        assert state(folders[first]) == "interrupted"
        until(lambda: state(folders[1 - first]) == "running")
    finally:
        for process in begun:
            process.kill()
            process.wait()


def state(folder: Path) -> str:
    try:
        return jobs.job(folder).state
    except ChartmarkError:
        return ""


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    for _ in range(int(seconds * 5)):
        if true():
            return
        time.sleep(0.2)
    raise AssertionError("it never came to be")
