"""Relations by concept, against the official definition written out for BC5CDR."""

from hypothesis import given
from hypothesis import strategies as st

from core.document import ConceptRelation, Document, Entity, Relation
from core.extraction import Annotation
from core.scoring.concepts import concept_counts


def document(mentions: list[tuple[str, str]], stated: set[tuple[str, str]]) -> Document:
    """Mentions (type, concept) two letters apart; CID relations between concepts."""
    return Document(
        id="d", text="x" * 100, relations=(),
        entities=tuple(
            Entity(id=f"e{i}", start=2 * i, end=2 * i + 1, type=t, concepts=(c,))
            for i, (t, c) in enumerate(mentions)
        ),
        concept_relations=tuple(
            ConceptRelation(head=h, tail=t, type="causes") for h, t in sorted(stated)
        ),
    )  # fmt: skip


def related(d: Document, pairs: list[tuple[int, int]]) -> Annotation:
    return Annotation(
        d.entities, tuple(Relation(head=f"e{h}", tail=f"e{t}", type="causes") for h, t in pairs)
    )


MENTIONS = [("Drug", "C1"), ("Disease", "D1"), ("Drug", "C1"), ("Disease", "D2")]


def test_the_same_concepts_count_once() -> None:
    d = document(MENTIONS, {("C1", "D1"), ("C1", "D2")})
    assert concept_counts(d, related(d, [(0, 1), (2, 1)]), frozenset()) == {"causes": [1, 0, 1]}
    assert concept_counts(d, related(d, [(0, 1), (2, 3)]), frozenset()) == {"causes": [2, 0, 0]}
    assert concept_counts(d, related(d, []), frozenset()) == {"causes": [0, 0, 2]}
    assert concept_counts(document(MENTIONS, set()), related(d, [(0, 1)]), frozenset()) == {
        "causes": [0, 1, 0]
    }


def test_a_mention_that_gold_lacks_has_no_concept() -> None:
    d = document(MENTIONS, {("C1", "D1")})
    stray = Entity(id="s", start=50, end=52, type="Drug")
    read = Annotation((*d.entities, stray), (Relation(head="s", tail="e1", type="causes"),))
    assert concept_counts(d, read, frozenset()) == {"causes": [0, 0, 1]}


def test_symmetric_relations_hold_either_way() -> None:
    d = Document(
        id="d", text="x" * 9, relations=(),
        entities=(
            Entity(id="a", start=0, end=1, type="Drug", concepts=("C2",)),
            Entity(id="b", start=2, end=3, type="Drug", concepts=("C1",)),
        ),
        concept_relations=(ConceptRelation(head="C1", tail="C2", type="interacts_with"),),
    )  # fmt: skip
    read = Annotation(d.entities, (Relation(head="a", tail="b", type="interacts_with"),))
    assert concept_counts(d, read, frozenset({"interacts_with"})) == {"interacts_with": [1, 0, 0]}
    assert concept_counts(d, read, frozenset()) == {"interacts_with": [0, 1, 1]}


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(4, 7)), unique=True, max_size=8)
concepts = st.lists(st.sampled_from(["A", "B", "C"]), min_size=8, max_size=8)


@given(concepts, st.sets(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC"))), pairs)
def test_it_is_the_official_evaluation(names: list[str], stated: set[tuple[str, str]], said) -> None:
    """BioCreative V CDR: the (chemical id, disease id) pairs of an abstract as sets, TP, FP and FN
    over both. Chemicals and diseases have ids of their own."""
    ids = [f"C{n}" for n in names[:4]] + [f"D{n}" for n in names[4:]]
    d = document(
        [("Drug", i) for i in ids[:4]] + [("Disease", i) for i in ids[4:]],
        {(f"C{a}", f"D{b}") for a, b in stated},
    )
    predicted = {(ids[h], ids[t]) for h, t in said}
    true = {(f"C{a}", f"D{b}") for a, b in stated}
    official = [len(predicted & true), len(predicted - true), len(true - predicted)]
    assert concept_counts(d, related(d, said), frozenset()) == (
        {"causes": official} if any(official) else {}
    )
