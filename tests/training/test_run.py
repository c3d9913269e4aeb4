"""A whole run on the real backbone, cut short: it learns, it leaves a model that extracts."""

import json
from pathlib import Path

import pytest
import yaml

from core.document import Document, Entity, Relation, to_json
from core.errors import ChartmarkError
from core.extraction import models
from core.schema import Schema
from training import dataset, preset, run

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


def test_a_run_learns_and_leaves_a_model(runs: Path, tmp_path: Path) -> None:
    source = tmp_path / "zoo.jsonl"
    source.write_text("".join(to_json(note(n)) + "\n" for n in range(120)))
    changes = [
        "schedule.epochs=6",
        "schedule.accumulate=1",
        "schedule.learning_rate=0.002",
        "heads.size=64",
        "tune=0.25",
        "corpora={}",
        "stitch={}",
    ]
    folder = run.start("cpu", preset.load("cpu", changes), [source], SCHEMA)

    assert json.loads((folder / "status.json").read_text())["state"] == "finished"
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["values"]["schedule"]["epochs"] == 6
    assert len(config["documents"]["train_sha256"]) == 64
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert metrics[-1]["seconds"] > 0

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


def test_a_run_that_fails_is_marked_so(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match=r"can't read .*no\.jsonl"):
        run.start("cpu", preset.load("cpu", []), [tmp_path / "no.jsonl"], SCHEMA)
    (folder,) = runs.iterdir()
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "failed"
    assert "no.jsonl" in status["message"]
