"""The schema is data: checked when read, asked for what may relate to what."""

from pathlib import Path

import pytest

from core.document import Annotated, Document, Entity, Relation, RelationSought
from core.errors import ChartmarkError
from core.schema import Schema, default_schema

GOOD = """
name: tiny
entities:
  - {name: Gene, colour: "#112233", shortcut: g}
  - {name: Drug, colour: "#445566", shortcut: d}
relations:
  - {name: inhibits, head: [Drug], tail: [Gene]}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "schema.yaml"
    path.write_text(text)
    return path


def test_the_default_schema_says_what_may_relate() -> None:
    schema = default_schema()
    assert schema.allowed("Drug", "Disease") == ("treats", "causes", "prevents")
    assert schema.allowed("Drug", "Drug") == ("interacts_with",)
    assert schema.allowed("Disease", "Drug") == ()


def test_another_schema_loads(tmp_path: Path) -> None:
    assert Schema.load(written(tmp_path, GOOD)).entity_names == ("Gene", "Drug")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[Gene]", "[Protein]", "'Protein', which is no entity type"),
        ("name: Drug", "name: Gene", "'Gene' is there twice"),
        ("shortcut: d", "shortcut: g", "'g' is there twice"),
        ("#445566", "red", "colour"),
        ("name: Drug", "name: '<b>'", "name"),
        ("tail: [Gene]", "tail: [Gene], symmetric: true", "symmetric"),
        ("entities:", "entitys:", "entities: Field required"),
        ("name: tiny", "name: [", "not a readable YAML file"),
    ],
)  # fmt: skip
def test_a_wrong_schema_names_its_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ChartmarkError, match=message):
        Schema.load(written(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("entity", "relation", "message"),
    [
        ({"type": "Gene"}, "treats", r"'n1': entities\[0\].type: 'Gene'"),
        ({"type": "Drug", "attributes": {"assertion": "maybe"}}, "treats", "assertion='maybe'"),
        ({"type": "Drug"}, "cures", r"relations\[0\].type: 'cures'"),
        ({"type": "Symptom"}, "treats", "treats can't hold from Symptom to Disease"),
    ],
)
def test_labels_outside_the_schema_are_refused(entity: dict, relation: str, message: str) -> None:
    document = Document(
        id="n1",
        text="aspirin pain",
        entities=(
            Entity(id="T1", start=0, end=7, **entity),
            Entity(id="T2", start=8, end=12, type="Disease"),
        ),
        relations=(Relation(head="T1", tail="T2", type=relation),),
    )
    with pytest.raises(ChartmarkError, match=message):
        default_schema().check(document)


@pytest.mark.parametrize(
    ("sought", "message"),
    [
        (Annotated(entities=("Gene",)), r"annotated\.entities: 'Gene'"),
        (Annotated(attributes=("colour",)), r"annotated\.attributes: 'colour'"),
        (
            Annotated(relations=(RelationSought(type="treats", head="Disease", tail="Drug"),)),
            r"annotated\.relations: treats from Disease to Drug",
        ),
    ],
)
def test_what_was_looked_for_must_be_in_the_schema(sought: Annotated, message: str) -> None:
    document = Document(id="n1", text="a", entities=(), relations=(), annotated=sought)
    with pytest.raises(ChartmarkError, match=message):
        default_schema().check(document)


def test_what_was_there_before_is_let_be_until_it_changes() -> None:
    old = Entity(id="a", start=0, end=4, type="Gene")
    drug = Entity(id="b", start=5, end=7, type="Drug")
    ill = Entity(id="c", start=8, end=9, type="Disease")
    related = (Relation(head="b", tail="c", type="treats"),)
    before = Document(id="d", text="x" * 12, entities=(old, drug, ill), relations=related)
    default_schema().check(before, before)
    moved = before.model_copy(update={"entities": (old.model_copy(update={"end": 3}), drug, ill)})
    with pytest.raises(ChartmarkError, match="'Gene' is not in the schema"):
        default_schema().check(moved, before)
    # The relation is the same, but one of its ends has another type now.
    turned = drug.model_copy(update={"type": "Lab_Test"})
    with pytest.raises(ChartmarkError, match="treats can't hold from Lab_Test to Disease"):
        default_schema().check(before.model_copy(update={"entities": (old, turned, ill)}), before)
