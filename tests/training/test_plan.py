"""What a run is said to need before it starts."""

from pathlib import Path

import pytest

from core.document import Document, Entity
from core.errors import ChartmarkError
from core.schema import default_schema
from core.store import documents, revisions
from core.store.connection import Store
from core.store.revisions import Save
from training import plan, preset
from training.data import Mix


def test_a_plan_counts_what_is_read_and_grows_with_the_batch(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.db")
    with store.writing() as db:
        e = Entity(id="T1", start=0, end=5, type="Symptom")
        d = Document(id="n", text="Fever " * 100, entities=(e,), relations=())
        key, _ = documents.add(db, d, "train", "tester")
        revisions.add(db, Save(key, "anna", d, "complete", "", "sitting", 1), "anna")
    mix = Mix(database=store.path, synthetic=400)
    small = plan.plan(preset.load("cpu", []), mix, default_schema())
    large = plan.plan(preset.load("cpu", ["schedule.batch=256"]), mix, default_schema())
    assert small.sources == {"notes with gold labels": 1, "synthetic notes": 400}
    assert small.problem is None
    assert large.memory > 4 * small.memory
    assert "1 notes with gold labels, 400 synthetic notes" in next(small.lines())


def test_what_cannot_fit_says_so() -> None:
    found = plan.plan(
        preset.load("cpu", ["schedule.batch=100000"]), Mix(synthetic=10), default_schema()
    )
    assert found.problem
    assert "GiB are needed" in found.problem


def test_a_file_is_counted_as_often_as_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"id": "n", "text": "' + "Fever " * 70 + '", "entities": [], "relations": []}\n')
    found = plan.plan(preset.load("cpu", []), Mix(files=(file,)), default_schema())
    assert found.sources == {"of notes.jsonl": 1}
    assert found.tokens == 100 * preset.load("cpu", []).corrected


def test_a_backbone_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    values = preset.load("cpu", [f"backbone={tmp_path}"])
    with pytest.raises(ChartmarkError, match="no backbone at"):
        plan.plan(values, Mix(synthetic=10), default_schema())


def test_a_cut_backbone_needs_less() -> None:
    mix = Mix(synthetic=10)
    whole, cut = (
        plan.plan(preset.load("smollm2-135m", [f"layers={n}"]), mix, default_schema())
        for n in ("null", 12)
    )
    assert cut.memory < 0.6 * whole.memory
    assert cut.seconds is None or (whole.seconds and cut.seconds < 0.6 * whole.seconds)
