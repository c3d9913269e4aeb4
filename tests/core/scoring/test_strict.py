"""Strict scores, worked out by hand."""

import pytest

from core.document import Annotated, ConceptRelation, Document, Entity, Relation, RelationSought
from core.extraction import Annotation
from core.scoring import entity_counts, relation_counts, summarise

TEXT = "aspirin for pain, warfarin for clots"
NONE: frozenset[str] = frozenset()
DRUG = Annotated(entities=("Drug",))


def mention(key: str, start: int, end: int, kind: str, types: tuple[str, ...] = ()) -> Entity:
    return Entity(id=key, start=start, end=end, type=kind, types=types)


ASPIRIN, PAIN = mention("T1", 0, 7, "Drug"), mention("T2", 12, 16, "Symptom")
WARFARIN, CLOTS = mention("T3", 18, 26, "Drug"), mention("T4", 31, 36, "Disease")


def gold(*entities: Entity, relations: tuple[Relation, ...] = (), **more: object) -> Document:
    return Document(id="n", text=TEXT, entities=entities, relations=relations, **more)


def read(*entities: Entity, relations: tuple[Relation, ...] = ()) -> Annotation:
    return Annotation(entities=entities, relations=relations)


def treats(head: str, tail: str) -> Relation:
    return Relation(head=head, tail=tail, type="treats")


def test_type_and_both_offsets_must_be_right() -> None:
    predicted = read(ASPIRIN, mention("T2", 12, 16, "Disease"), mention("T3", 18, 25, "Drug"))
    assert entity_counts(gold(ASPIRIN, PAIN, WARFARIN), predicted) == {
        "Drug": [1, 1, 1],
        "Disease": [0, 1, 0],
        "Symptom": [0, 0, 1],
    }


def test_a_repeat_is_right_once() -> None:
    again = mention("T9", 0, 7, "Drug")
    assert entity_counts(gold(ASPIRIN), read(ASPIRIN, again)) == {"Drug": [1, 1, 0]}


def test_nothing_is_nothing() -> None:
    assert entity_counts(gold(), read()) == {}
    scores = summarise([{}])
    assert (scores["micro"].f1, scores["micro"].support) == (0.0, 0)


def test_an_ambiguous_mention_may_have_either_type() -> None:
    either = mention("T2", 12, 16, "Disease", ("Disease", "Symptom"))
    assert entity_counts(gold(either), read(PAIN)) == {"Disease|Symptom": [1, 0, 0]}
    assert entity_counts(gold(either), read(mention("T2", 12, 16, "Drug"))) == {
        "Disease|Symptom": [0, 0, 1],
        "Drug": [0, 1, 0],
    }


def test_what_nobody_looked_for_is_left_out() -> None:
    assert entity_counts(gold(ASPIRIN, annotated=DRUG), read(ASPIRIN, PAIN)) == {"Drug": [1, 0, 0]}


def test_a_relation_needs_both_mentions_and_its_direction() -> None:
    document = gold(ASPIRIN, PAIN, WARFARIN, CLOTS, relations=(treats("T1", "T2"), treats("T3", "T4")))
    wrong_end = mention("T4", 30, 36, "Disease")
    predicted = read(
        ASPIRIN, PAIN, WARFARIN, wrong_end,
        relations=(treats("T1", "T2"), treats("T3", "T4"), treats("T2", "T1")),
    )  # fmt: skip
    assert relation_counts(document, predicted, NONE) == {"treats": [1, 2, 1]}


def test_a_symmetric_relation_counts_either_way() -> None:
    one = Relation(head="T1", tail="T3", type="interacts_with")
    other = Relation(head="T3", tail="T1", type="interacts_with")
    document, predicted = (
        gold(ASPIRIN, WARFARIN, relations=(one,)),
        read(ASPIRIN, WARFARIN, relations=(other,)),
    )
    assert relation_counts(document, predicted, NONE) == {"interacts_with": [0, 1, 1]}
    either_way = relation_counts(document, predicted, frozenset({"interacts_with"}))
    assert either_way == {"interacts_with": [1, 0, 0]}


def test_relations_that_nobody_looked_for_are_left_out() -> None:
    sought = Annotated(relations=(RelationSought(type="treats", head="Drug", tail="Disease"),))
    predicted = read(ASPIRIN, PAIN, WARFARIN, CLOTS,
                     relations=(treats("T1", "T2"), treats("T3", "T4")))  # fmt: skip
    document = gold(ASPIRIN, PAIN, WARFARIN, CLOTS, annotated=sought)
    assert relation_counts(document, predicted, NONE) == {"treats": [0, 1, 0]}


def test_another_pair_of_related_concepts_is_neither_right_nor_wrong() -> None:
    c, d = {"concepts": ("C",)}, {"concepts": ("D",)}
    mentions = [
        m.model_copy(update=u)
        for m, u in ((ASPIRIN, c), (CLOTS, d), (WARFARIN, c), (PAIN, {"concepts": ("E",)}))
    ]
    document = gold(
        *mentions,
        relations=(treats("T3", "T4"),),
        concept_relations=(ConceptRelation(head="C", tail="D", type="treats"),),
    )
    predicted = read(*mentions, relations=(treats("T1", "T4"), treats("T1", "T2")))
    assert relation_counts(document, predicted, NONE) == {"treats": [0, 1, 1]}


def test_micro_scores_and_their_interval() -> None:
    scores = summarise([{"Drug": [3, 1, 0]}, {"Drug": [1, 0, 2], "Disease": [0, 0, 1]}])
    drug, micro = scores["Drug"], scores["micro"]
    assert (drug.precision, drug.recall, drug.support) == (0.8, pytest.approx(4 / 6), 6)
    assert micro.f1 == pytest.approx(2 * 4 / (2 * 4 + 1 + 3))
    # Two documents: a bootstrap draws both, or one of them twice.
    assert micro.low == pytest.approx(2 / 5)
    assert micro.high == pytest.approx(6 / 7)


def test_groups_are_drawn_whole() -> None:
    counts = [{"Drug": [1, 0, 0]}, {"Drug": [0, 1, 1]}]
    apart, together = summarise(counts)["micro"], summarise(counts, ["a", "a"])["micro"]
    assert (apart.low, apart.high) == (0.0, 1.0)
    assert together.low == together.high == together.f1 == 0.5


def test_open_types_share_a_row() -> None:
    scores = summarise([{"A|B": [2, 0, 1], "B": [0, 1, 0]}, {"A": [0, 3, 0], "C": [1, 0, 0]}])
    assert list(scores) == ["A|B", "C", "micro"]
    assert (scores["A|B"].precision, scores["A|B"].support) == (2 / 6, 3)
