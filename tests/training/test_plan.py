"""What a run is said to need before it starts."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

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


def test_sentences_that_are_joined_are_fewer_rows(corpora_folder: Path) -> None:
    """By turns: three at a time, then one by one."""

    def steps(times: int, joined: str) -> int:
        changes = [f"corpora={{phee: {times}}}", f"stitch={{phee: {joined}}}", "schedule.epochs=1"]
        return plan.plan(
            preset.load("cpu", changes), Mix(files=(corpora_folder,)), default_schema()
        ).steps

    assert steps(1, "[3]") == pytest.approx(steps(1, "[1]") / 3, abs=1)
    assert steps(2, "[3, 1]") == pytest.approx(steps(1, "[1]") * 4 / 3, abs=2)


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


def test_a_checkpoint_stored_in_4_bits_is_planned_as_what_it_is(tmp_path: Path) -> None:
    """bitsandbytes keeps two weights a byte, all in one column: that is no matrix a million wide."""
    plain, stored = tmp_path / "plain", tmp_path / "stored"
    weight = np.zeros((1536, 576), dtype=np.float32)
    packed = np.zeros((weight.size // 2, 1), dtype=np.uint8)
    for folder, w in ((plain, weight), (stored, packed)):
        folder.mkdir()
        shape = {"hidden_size": 576, "num_attention_heads": 9, "num_hidden_layers": 1}
        (folder / "config.json").write_text(json.dumps({"model_type": "llama", **shape}))
        save_file({"layers.0.mlp.up_proj.weight": w}, folder / "model.safetensors")
    told = [
        plan._Shape.of(preset.load("smollm2-135m", [f"backbone={folder}"]))
        for folder in (plain, stored)
    ]
    assert told[0] == told[1]


def test_a_window_longer_than_the_backbone_reads_is_refused() -> None:
    with pytest.raises(ChartmarkError, match="reads 512 tokens at once"):
        plan.plan(preset.load("cpu", ["window=1024"]), Mix(synthetic=1), default_schema())
