"""Thresholds: relations by documents in which everything was looked for."""

from functools import partial

from core.document import Annotated, Document, Entity, Relation, RelationSought
from core.extraction import Annotation
from core.scoring import relation_counts
from training.calibrate import _best, _relations_above, _whose
from training.synthetic import notes

MENTIONS = (
    Entity(id="T1", start=0, end=1, type="Drug"),
    Entity(id="T2", start=2, end=3, type="Disease"),
    Entity(id="T3", start=4, end=5, type="Drug"),
)
SURE, UNSURE = (
    Relation(head=head, tail="T2", type="treats", score=score)
    for head, score in (("T1", 0.8), ("T3", 0.4))
)


def document(*gold: Relation, source: str = "hospital", annotated: Annotated | None = None) -> Document:
    return Document(
        id="d",
        text="a b c",
        entities=MENTIONS,
        relations=tuple(r.model_copy(update={"score": None}) for r in gold),
        meta={"source": source},
        annotated=annotated,
    )


def best(*documents: Document) -> float:
    found = [Annotation(entities=MENTIONS, relations=(SURE, UNSURE)) for _ in documents]
    count = partial(relation_counts, symmetric=frozenset())
    return _best(found, documents, count, _relations_above, _whose)["treats"][0]


def test_a_threshold_keeps_what_is_right_and_leaves_what_is_not() -> None:
    assert best(document(SURE, UNSURE)) < 0.4
    assert 0.4 <= best(document(SURE)) < 0.8


def test_many_synthetic_notes_weigh_as_much_as_one_of_people() -> None:
    made = [document(SURE, UNSURE, source=notes.SOURCE), document(SURE, source=notes.SOURCE)] * 25
    assert best(*made) < 0.4  # 6/7 with the unsure ones, 4/5 without
    assert best(document(SURE), *made) >= 0.4  # and 2/3 with, 1 without


def test_where_not_everything_was_looked_for_counts_as_support_and_decides_nothing() -> None:
    sought = RelationSought(type="treats", head="Drug", tail="Disease")
    looked = Annotated(entities=("Drug", "Disease"), relations=(sought,))
    part = document(SURE, UNSURE, annotated=looked)
    found = [Annotation(entities=MENTIONS, relations=(SURE, UNSURE))] * 21
    count = partial(relation_counts, symmetric=frozenset())
    documents = [document(SURE), *[part] * 20]
    threshold, support = _best(found, documents, count, _relations_above, _whose)["treats"]
    assert threshold >= 0.4
    assert support == 41
