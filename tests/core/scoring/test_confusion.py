"""Confusion matrices worked out by hand."""

from core.document import Annotated, Document, Entity, Relation, RelationSought
from core.extraction import Annotation
from core.scoring.confusion import MISSED, SPURIOUS, entity_confusion, relation_confusion


def side(*spans: tuple[int, int, str], relations: tuple[tuple[int, str, int], ...] = ()) -> tuple:
    entities = tuple(Entity(id=f"e{i}", start=a, end=b, type=t) for i, (a, b, t) in enumerate(spans))
    return entities, tuple(Relation(head=f"e{h}", type=t, tail=f"e{x}") for h, t, x in relations)


def pair(gold: tuple, read: tuple, **more) -> tuple[Document, Annotation]:
    d = Document(id="d", text="x" * 50, entities=gold[0], relations=gold[1], **more)
    return d, Annotation(*read)


def test_mentions() -> None:
    gold = side((0, 2, "Drug"), (3, 5, "Disease"), (6, 8, "Symptom"), (10, 20, "Disease"))
    read = side((0, 2, "Drug"), (3, 5, "Symptom"), (10, 19, "Disease"), (30, 31, "Drug"))
    assert entity_confusion(*pair(gold, read)) == {
        ("Drug", "Drug"): 1, ("Disease", "Symptom"): 1, ("Symptom", MISSED): 1, ("Disease", MISSED): 1,
        (SPURIOUS, "Disease"): 1, (SPURIOUS, "Drug"): 1,
    }  # fmt: skip


def test_of_two_at_one_place_the_equal_types_go_together() -> None:
    gold = side((0, 2, "Drug"), (0, 2, "Disease"))
    read = side((0, 2, "Disease"), (0, 2, "Symptom"))
    assert entity_confusion(*pair(gold, read)) == {("Disease", "Disease"): 1, ("Drug", "Symptom"): 1}


def test_an_ambiguous_mention_is_right_as_either() -> None:
    entities = (Entity(id="a", start=0, end=2, type="Lab_Test", types=("Lab_Test", "Procedure")),)
    d = Document(id="d", text="x" * 9, entities=entities, relations=())
    procedure, drug = side((0, 2, "Procedure")), side((0, 2, "Drug"))
    assert entity_confusion(d, Annotation(*procedure)) == {("Procedure", "Procedure"): 1}
    assert entity_confusion(d, Annotation(*drug)) == {("Lab_Test|Procedure", "Drug"): 1}


def test_what_was_not_looked_for_is_left_out() -> None:
    gold = side((0, 2, "Drug"), (3, 5, "Disease"))
    read = side((0, 2, "Disease"), (6, 8, "Drug"))
    only = Annotated(
        entities=("Drug",), relations=(RelationSought(type="treats", head="Drug", tail="Disease"),)
    )
    assert entity_confusion(*pair(gold, read, annotated=only)) == {
        ("Drug", MISSED): 1,
        (SPURIOUS, "Drug"): 1,
    }
    read = side((0, 2, "Drug"), (3, 5, "Disease"), relations=((0, "causes", 1),))
    assert relation_confusion(*pair(gold, read, annotated=only), frozenset()) == {}


def test_relations_between_the_same_places() -> None:
    spans = ((0, 2, "Drug"), (3, 5, "Disease"), (6, 8, "Drug"), (9, 11, "Symptom"))
    gold = side(*spans, relations=((0, "treats", 1), (0, "interacts_with", 2), (2, "causes", 3)))
    read = side(
        *spans,
        relations=((0, "prevents", 1), (2, "interacts_with", 0), (3, "causes", 2), (2, "treats", 1)),
    )
    cells = relation_confusion(*pair(gold, read), frozenset({"interacts_with"}))
    assert cells == {
        ("treats", "prevents"): 1, ("interacts_with", "interacts_with"): 1, ("causes", MISSED): 1,
        (SPURIOUS, "causes"): 1, (SPURIOUS, "treats"): 1,
    }  # fmt: skip


def test_nothing_against_nothing() -> None:
    assert entity_confusion(*pair(side(), side())) == {}
    assert relation_confusion(*pair(side(), side()), frozenset()) == {}
