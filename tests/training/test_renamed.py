"""Real passages under other names: what the labels say stays true."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.document import ConceptRelation, Document, Entity, Relation
from training.renamed import names, renamed


def _document(text: str, *mentions: tuple[str, str]) -> Document:
    entities = [
        Entity(id=f"T{i}", start=text.index(m), end=text.index(m) + len(m), type=kind)
        for i, (m, kind) in enumerate(mentions, start=1)
    ]
    return Document(
        id="d",
        text=text,
        entities=tuple(entities),
        relations=(Relation(head="T1", tail="T2", type="treats"),),
    )


PNEUMONIA = _document(
    "Given ceftriaxone for pneumonia.", ("ceftriaxone", "Drug"), ("pneumonia", "Disease")
)
KNOWN = {"Drug": ("aspirin",), "Disease": ("gout",)}


def test_names_change_and_relations_hold() -> None:
    found = renamed(PNEUMONIA, KNOWN, 1.0, random.Random(0))
    assert found.text == "Given aspirin for gout."
    assert [found.mention(e) for e in found.entities] == ["aspirin", "gout"]
    assert found.relations == PNEUMONIA.relations


def test_no_share_changes_nothing() -> None:
    assert renamed(PNEUMONIA, KNOWN, 0.0, random.Random(0)) == PNEUMONIA


def test_what_was_said_again_is_said_again_and_begins_as_it_did() -> None:
    text = "Ibuprofen helped. He takes ibuprofen."
    places = [(0, 9), (27, 36)]
    d = Document(
        id="d",
        text=text,
        entities=tuple(
            Entity(id=f"T{i}", start=a, end=b, type="Drug") for i, (a, b) in enumerate(places, start=1)
        ),
        relations=(),
    )
    found = renamed(d, {"Drug": ("aspirin", "lithium", "metformin")}, 1.0, random.Random(3))
    first, second = (found.mention(e) for e in found.entities)
    assert first[0].isupper()
    assert first.lower() == second.lower() != "ibuprofen"


def test_mentions_in_mentions_keep_their_names() -> None:
    d = _document("Known lithium toxicity.", ("lithium", "Drug"), ("lithium toxicity", "Disease"))
    assert renamed(d, KNOWN, 1.0, random.Random(0)) == d


def test_concepts_stay_and_pieces_of_mentions_move_along() -> None:
    d = Document(
        id="d",
        text="aspirin for pain and ache of arm",
        entities=(
            Entity(id="T1", start=0, end=7, type="Drug", concepts=("D001241",)),
            Entity(id="T2", start=12, end=32, type="Disease", fragments=((12, 16), (26, 32))),
        ),
        relations=(),
        concept_relations=(ConceptRelation(head="D001241", tail="x", type="treats"),),
    )
    found = renamed(d, {"Drug": ("x",), "Disease": ("gout",)}, 1.0, random.Random(0))
    assert found.text == "x for pain and ache of arm"
    assert [found.text[a:b] for a, b in found.entities[1].fragments] == ["pain", "of arm"]
    # They say which pairs a corpus relates elsewhere: without them those would count as unrelated.
    assert found.concept_relations == d.concept_relations
    assert [e.concepts for e in found.entities] == [e.concepts for e in d.entities]


def test_names_are_those_of_mentions_whose_type_is_sure() -> None:
    d = Document(
        id="d",
        text="ECG and MRI",
        entities=(
            Entity(id="T1", start=0, end=3, type="Procedure"),
            Entity(id="T2", start=8, end=11, type="Lab_Test", types=("Lab_Test", "Procedure")),
        ),
        relations=(),
    )
    assert names([d]) == {"Procedure": ("ECG",)}


@settings(deadline=None)
@given(
    words=st.lists(st.sampled_from(["aspirin", "gout", "and", "for", "β-blocker", "\n"]), max_size=12),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_every_mention_is_its_own_words_or_a_name_of_its_type(
    words: list[str], share: float, seed: int
) -> None:
    kinds = {"aspirin": "Drug", "gout": "Disease", "β-blocker": "Drug"}
    entities, at = [], 0
    for w in words:
        if w in kinds:
            entities.append(Entity(id=f"T{len(entities)}", start=at, end=at + len(w), type=kinds[w]))
        at += len(w) + 1
    d = Document(id="d", text=" ".join(words), entities=tuple(entities), relations=())
    known = {"Drug": ("warfarin sodium", "x"), "Disease": ("flu",)}
    found = renamed(d, known, share, random.Random(seed))
    for old, new in zip(d.entities, found.entities, strict=True):
        assert found.mention(new) in {d.mention(old), *known[new.type]}
    rest = [
        w
        for w in found.text.replace("warfarin sodium", "x").split(" ")
        if w not in {"x", "flu", *kinds}
    ]
    assert rest == [w for w in d.text.split(" ") if w not in kinds]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_chance_gives_the_same_text(seed: int) -> None:
    known = {"Drug": tuple("abcdefgh"), "Disease": tuple("stuvwxyz")}
    first, second = (renamed(PNEUMONIA, known, 0.5, random.Random(seed)) for _ in range(2))
    assert first == second
