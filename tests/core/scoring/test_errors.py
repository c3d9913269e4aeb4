"""Every kind of error, each once, worked out by hand."""

from core.document import ConceptRelation, Document, Entity
from core.extraction import Annotation
from core.scoring.errors import errors
from tests.core.scoring.test_confusion import pair, side

SYMMETRIC = frozenset({"interacts_with"})


def kinds(d: Document, a: Annotation) -> list[tuple[str, str]]:
    return [(e.kind, e.label) for e in errors(d, a, SYMMETRIC)]


def test_mentions() -> None:
    gold = side(
        (0, 2, "Drug"), (3, 5, "Drug"), (10, 20, "Disease"), (22, 28, "Symptom"), (30, 32, "Drug")
    )
    read = side(
        (0, 2, "Drug"), (3, 5, "Disease"), (12, 20, "Disease"), (21, 25, "Drug"), (40, 42, "Drug")
    )
    assert kinds(*pair(gold, read)) == [
        ("wrong type", "Drug"), ("wrong boundary", "Disease"), ("wrong type and boundary", "Symptom"),
        ("missed", "Drug"), ("spurious", "Drug"),
    ]  # fmt: skip


def test_a_mention_is_in_one_error_at_most() -> None:
    # One long reading over two mentions: the boundary of one of them, the other missed.
    gold = side((0, 4, "Drug"), (5, 12, "Drug"))
    assert kinds(*pair(gold, side((0, 12, "Drug")))) == [("missed", "Drug"), ("wrong boundary", "Drug")]
    # The same place goes before a larger overlap.
    gold = side((0, 4, "Drug"), (0, 12, "Disease"))
    assert kinds(*pair(gold, side((0, 4, "Disease")))) == [
        ("wrong type", "Drug"),
        ("missed", "Disease"),
    ]


SPANS = ((0, 2, "Drug"), (3, 5, "Disease"), (6, 8, "Drug"), (9, 11, "Symptom"))


def test_relations() -> None:
    gold = side(
        *SPANS,
        relations=((0, "treats", 1), (1, "causes", 3), (0, "interacts_with", 2), (2, "treats", 3)),
    )
    read = side(
        *SPANS,
        relations=((0, "prevents", 1), (3, "causes", 1), (2, "interacts_with", 0), (2, "treats", 1)),
    )
    assert kinds(*pair(gold, read)) == [
        ("wrong relation type", "treats"), ("wrong direction", "causes"), ("relation missed", "treats"),
        ("relation spurious", "treats"),
    ]  # fmt: skip


def test_relations_lost_and_made_by_mentions() -> None:
    gold = side(*SPANS, relations=((0, "treats", 1),))
    read = side((0, 2, "Drug"), (3, 6, "Disease"), relations=((0, "treats", 1),))
    found = kinds(*pair(gold, read))
    assert ("relation missed because of a mention", "treats") in found
    assert ("relation spurious because of a mention", "treats") in found


def test_what_gold_states_of_the_same_concepts_elsewhere_is_no_error() -> None:
    entities = (
        Entity(id="a", start=0, end=2, type="Drug", concepts=("C1",)),
        Entity(id="b", start=3, end=5, type="Disease", concepts=("C2",)),
    )
    stated = (ConceptRelation(head="C1", tail="C2", type="causes"),)
    d = Document(id="d", text="x" * 9, entities=entities, relations=(), concept_relations=stated)
    read = Annotation(*side((0, 2, "Drug"), (3, 5, "Disease"), relations=((0, "causes", 1),)))
    assert kinds(d, read) == []
    read = Annotation(*side((0, 2, "Drug"), (3, 5, "Disease"), relations=((0, "treats", 1),)))
    assert kinds(d, read) == [("relation spurious", "treats")]


def test_nothing_is_no_error() -> None:
    assert kinds(*pair(side(), side())) == []
    same = side(*SPANS, relations=((0, "treats", 1),))
    assert kinds(*pair(same, same)) == []
