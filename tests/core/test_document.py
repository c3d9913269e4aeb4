"""Documents are checked when made: every error names the field, none shows text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.document import Document, Entity, Relation, parse, to_json
from core.errors import ChartmarkError

TEXT = "Lithium toxicity. 🧪 Fever."


def document(*entities: Entity, relations: tuple[Relation, ...] = (), text: str = TEXT) -> Document:
    return Document(id="n1", text=text, entities=entities, relations=relations)


def entity(start: int, end: int, key: str = "T1", **more: object) -> Entity:
    return Entity(id=key, start=start, end=end, type="Drug", **more)


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (5, 3), (-1, 4), (0, len(TEXT) + 1), (len(TEXT), len(TEXT))],
    ids=["empty", "backwards", "negative", "past the end", "empty at the end"],
)
def test_offsets_outside_the_text_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValidationError, match=r"entities\[0\]: \[.*\) is empty or outside"):
        document(entity(start, end))


def test_an_id_used_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"entities\[1\].id: 'T1' is used twice"):
        document(entity(0, 7), entity(8, 16))


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        (Relation(head="T1", tail="T9", type="causes"), r"relations\[0\].tail: no entity"),
        (Relation(head="T9", tail="T1", type="causes"), r"relations\[0\].head: no entity"),
        (Relation(head="T1", tail="T1", type="causes"), r"same mention"),
    ],
    ids=["no tail", "no head", "with itself"],
)
def test_relations_need_two_mentions(relation: Relation, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        document(entity(0, 7), relations=(relation,))


def test_a_triple_stands_once() -> None:
    twice = (Relation(head="T1", tail="T2", type="causes"),) * 2
    with pytest.raises(ValidationError, match=r"relations\[1\]: .* given twice"):
        document(entity(0, 7), entity(0, 16, "T2"), relations=twice)


@pytest.mark.parametrize(
    "fragments",
    [((0, 3), (2, 7)), ((1, 3), (4, 7)), ((0, 3), (4, 6)), ((0, 0), (0, 7))],
    ids=["overlapping", "late start", "early end", "empty"],
)
def test_fragments_cover_the_mention_in_order(fragments: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValidationError, match="fragments"):
        document(entity(0, 7, fragments=fragments))


def test_offsets_count_code_points() -> None:
    start = TEXT.index("Fever")
    assert document(entity(start, start + 5)).mention(entity(start, start + 5)) == "Fever"
    assert TEXT.encode("utf-16-le").index("Fever".encode("utf-16-le")) // 2 == start + 1


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ValidationError, match="half a surrogate pair at 2"):
        document(text="ab\ud83d")


def test_errors_hold_no_clinical_text() -> None:
    line = '{"id": "n1", "text": "Mr. Secret has gout", "entities": [{"id": 7}], "relations": []}'
    with pytest.raises(ChartmarkError) as caught:
        parse(Document, line, "notes.jsonl, line 3")
    assert "Secret" not in str(caught.value)
    assert str(caught.value).startswith("notes.jsonl, line 3: entities[0].id: ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "n1", "text": "a", "entities": [', "EOF"),
        ('{"id": "n1", "entities": [], "relations": []}', "text: Field required"),
        ('{"id": "n1", "text": "a"}', "entities: Field required"),
        ('{"id": "", "text": "a", "entities": [], "relations": []}', "id: must not be empty"),
        ('{"id": "1", "text": "ab", "entities": [{"id": "T", "start": "0", "end": 1, "type": "D"}], '
         '"relations": []}', r"entities\[0\].start"),
        ("[]", "object"),
    ],
    ids=["cut off", "no text", "no entities", "no id", "offset as text", "no object"],
)  # fmt: skip
def test_a_broken_record_is_one_line(line: str, message: str) -> None:
    with pytest.raises(ChartmarkError, match=message) as caught:
        parse(Document, line, "f, line 1")
    assert "\n" not in str(caught.value)


def test_unknown_keys_survive() -> None:
    line = (
        '{"id":"n1","text":"gout","entities":[{"id":"T1","start":0,"end":4,"type":"Disease",'
        '"colour":"red"}],"relations":[],"meta":{"ward":{"bed":7}},"ours":[1,null]}'
    )
    assert to_json(parse(Document, line, "f")) == line.replace(
        '"entities"', '"meta":{"ward":{"bed":7}},"entities"'
    ).replace(',"meta":{"ward":{"bed":7}},"ours"', ',"ours"')


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(texts)
    entities = []
    for n in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        entities.append(
            Entity(
                id=f"T{n}",
                start=start,
                end=end,
                type=draw(st.sampled_from(["Drug", "Disease"])),
                score=draw(st.none() | st.floats(0, 1)),
                attributes=draw(st.sampled_from([{}, {"assertion": "absent"}])),
            )
        )
    pairs = [(a.id, b.id) for a in entities for b in entities if a.id != b.id]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    relations = tuple(Relation(head=h, tail=t, type="causes") for h, t in chosen)
    return Document(id=draw(texts), text=text, entities=tuple(entities), relations=relations)


@given(documents())
def test_any_document_survives_a_round_trip(document: Document) -> None:
    line = to_json(document)
    assert "\n" not in line
    assert parse(Document, line, "f") == document
