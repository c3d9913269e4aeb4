"""Datasets of both families: what a row says is what the document says, made once."""

import json
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.document import Document, Entity, Relation
from core.extraction import prompt
from core.extraction.one_pass import OnePassExtractor
from core.schema import default_schema
from training import dataset
from training.examples import batch, examples
from training.synthetic.notes import notes


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dataset, "CACHE", tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture(scope="module")
def some() -> list[Document]:
    return list(notes("train", 12, 5, held_out=False))


DENIED = Document(
    id="n",
    text="Denies fever. Asthma, on salbutamol.",
    entities=(
        Entity(id="b", start=14, end=20, type="Disease"),
        Entity(id="a", start=7, end=12, type="Symptom", attributes={"assertion": "absent"}),
        Entity(id="c", start=25, end=35, type="Drug", attributes={"assertion": "present"}),
    ),
    relations=(Relation(head="c", tail="b", type="treats"),),
)


def test_rows_give_the_same_tensors_as_the_documents(
    some: list[Document], starter: OnePassExtractor
) -> None:
    direct = [e for d in some for e in examples(d, starter)]
    kept = [dataset.example(row) for row in dataset.windows(some, starter)]
    assert len(kept) == len(direct)
    for ours, theirs in zip(
        batch(kept, starter.schema, 0), batch(direct, starter.schema, 0), strict=True
    ):
        for field in ours.__slots__:
            assert torch.equal(getattr(ours, field), getattr(theirs, field)), field


def test_a_dataset_is_made_once_for_each_content(
    some: list[Document], starter: OnePassExtractor, cache: Path
) -> None:
    dataset.windows(some, starter)
    (first,) = cache.iterdir()
    made = first.stat().st_mtime_ns
    dataset.windows(some, starter)
    assert [p.stat().st_mtime_ns for p in cache.iterdir()] == [made]
    dataset.windows(some[1:], starter)
    assert len(list(cache.iterdir())) == 2
    assert cache.stat().st_mode & 0o077 == 0
    dataset.clear()
    assert not cache.exists()


def test_an_answer_is_in_order_of_appearance() -> None:
    assert "".join(prompt.answer(DENIED, default_schema())) == (
        '{"entities":[{"text":"fever","type":"Symptom","assertion":"absent"},'
        '{"text":"Asthma","type":"Disease"},{"text":"salbutamol","type":"Drug"}],'
        '"relations":[[2,"treats",1]]}'
    )


def test_no_relation_is_said_and_not_left_out() -> None:
    none = DENIED.model_copy(update={"relations": ()})
    assert "".join(prompt.answer(none, default_schema())).endswith(',"relations":[]}')


def test_every_answer_is_json_that_names_its_mentions(
    some: list[Document], starter: OnePassExtractor
) -> None:
    rows = dataset.conversations(some, default_schema(), starter.tokenizer)
    for d, row in zip(some, rows, strict=True):
        *answer, end = row["pieces"]
        assert end == (starter.tokenizer.eos_token or "")
        said = json.loads("".join(answer))
        assert all(e["text"] in d.text for e in said["entities"])
        assert len(said["relations"]) == len(d.relations)
        assert d.text in row["prompt"]
        assert "treats (Drug or Procedure -> Disease or Symptom)" in row["prompt"]


def test_a_chat_template_is_used_where_there_is_one(starter: OnePassExtractor) -> None:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=starter.tokenizer.backend_tokenizer, eos_token="[SEP]"
    )
    plain = prompt.prompt("Fever.", default_schema(), tokenizer)
    assert plain.endswith("### Note\nFever.\n\n### Answer\n")
    tokenizer.chat_template = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    chat = prompt.prompt("Fever.", default_schema(), tokenizer)
    assert chat.startswith("<system>List the mentions")
    assert chat.endswith("<user>Fever.<assistant>")
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    assert prompt.prompt("Fever.", default_schema(), tokenizer).startswith("<user>List the mentions")
    (row,) = dataset.conversations([DENIED], default_schema(), tokenizer)
    assert row["pieces"][-2:] == ["]}", "[SEP]"]
