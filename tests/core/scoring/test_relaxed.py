"""Relaxed, per token and of attributes: worked out by hand, and against the field's libraries."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.document import Annotated, Document, Entity
from core.extraction import Annotation
from core.schema import default_schema
from core.scoring import attribute_counts, entity_counts, relaxed_counts, token_counts

TEXT = "severe chest pain and fever, on aspirin"
ASSERTION = default_schema().attributes[0]


def mention(start: int, end: int, kind: str, key: str = "T", **more) -> Entity:
    return Entity(id=f"{key}{start}-{end}-{kind}", start=start, end=end, type=kind, **more)


def gold(*entities: Entity, **more) -> Document:
    return Document(id="n", text=TEXT, entities=entities, relations=(), **more)


def read(*entities: Entity) -> Annotation:
    return Annotation(entities=entities, relations=())


def test_an_overlap_of_the_same_type_is_right() -> None:
    counts = relaxed_counts(gold(mention(7, 17, "Symptom")), read(mention(0, 17, "Symptom")))
    assert counts == {"Symptom": [1, 0, 0]}
    counts = relaxed_counts(gold(mention(7, 17, "Symptom")), read(mention(7, 17, "Disease")))
    assert counts == {"Symptom": [0, 0, 1], "Disease": [0, 1, 0]}


def test_neighbours_do_not_overlap() -> None:
    # nervaluate takes ends as inclusive and would call these overlapping.
    counts = relaxed_counts(gold(mention(0, 6, "Symptom")), read(mention(6, 7, "Symptom")))
    assert counts == {"Symptom": [0, 1, 1]}


def test_one_prediction_is_right_for_one_mention() -> None:
    two = gold(mention(7, 17, "Symptom"), mention(22, 27, "Symptom"))
    assert relaxed_counts(two, read(mention(7, 27, "Symptom"))) == {"Symptom": [1, 0, 1]}


def test_the_matching_has_the_largest_total_overlap() -> None:
    # Taken greedily, the long prediction would take the long mention and leave the short one nothing.
    two = gold(mention(0, 17, "Symptom"), mention(22, 27, "Symptom"))
    found = read(mention(7, 27, "Symptom"), mention(0, 17, "Symptom"))
    assert relaxed_counts(two, found) == {"Symptom": [2, 0, 0]}


def test_what_was_not_looked_for_is_left_out() -> None:
    partly = gold(mention(32, 39, "Drug"), annotated=Annotated(entities=("Drug",)))
    found = read(mention(32, 39, "Drug"), mention(22, 27, "Symptom"))
    for count in (relaxed_counts, token_counts):
        assert count(partly, found) == {"Drug": [1, 0, 0]}


def test_either_type_of_an_ambiguous_mention_is_right() -> None:
    open_type = gold(mention(22, 27, "Disease", types=("Disease", "Symptom")))
    for count in (relaxed_counts, token_counts):
        assert count(open_type, read(mention(22, 27, "Symptom"))) == {"Disease|Symptom": [1, 0, 0]}


def test_words_count_per_token() -> None:
    counts = token_counts(gold(mention(7, 17, "Symptom")), read(mention(0, 12, "Symptom")))
    assert counts == {"Symptom": [1, 1, 1]}  # chest right, severe wrong, pain missed


def test_attributes_count_where_the_mention_is_right() -> None:
    absent = {"attributes": {"assertion": "absent"}}
    true = gold(mention(7, 17, "Symptom"), mention(22, 27, "Symptom", **absent))
    found = read(mention(7, 17, "Symptom", **absent), mention(22, 27, "Symptom", **absent))
    assert attribute_counts(true, found, ASSERTION) == {"present": [0, 0, 1], "absent": [1, 1, 0]}
    wrong_place = read(mention(0, 17, "Symptom", **absent))
    assert attribute_counts(true, wrong_place, ASSERTION) == {}


def test_attributes_that_nobody_looked_for_are_left_out() -> None:
    partly = Annotated(entities=("Symptom",))
    true = gold(
        mention(7, 17, "Symptom"),
        mention(22, 27, "Symptom", attributes={"assertion": "absent"}),
        annotated=partly,
    )
    found = read(mention(7, 17, "Symptom"), mention(22, 27, "Symptom"))
    assert attribute_counts(true, found, ASSERTION) == {"absent": [0, 0, 1], "present": [0, 1, 0]}


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from(["Drug", "Disease"])),
    max_size=6,
    unique_by=lambda s: (s[0], s[1], s[2]),
)


@settings(deadline=None)
@given(SPANS, SPANS)
def test_relaxed_finds_what_strict_finds_and_every_mention_once(one, other) -> None:
    true = gold(*(mention(s, s + n, t) for s, n, t in one))
    found = read(*(mention(s, s + n, t) for s, n, t in other))
    strict, relaxed = entity_counts(true, found), relaxed_counts(true, found)

    def total(counts, i: int) -> int:
        return sum(c[i] for c in counts.values())

    assert total(relaxed, 0) >= total(strict, 0)
    for counts in (strict, relaxed):
        assert total(counts, 0) + total(counts, 1) == len(found.entities)
        assert total(counts, 0) + total(counts, 2) == len(true.entities)


@settings(deadline=None)
@given(SPANS, SPANS)
def test_tokens_agree_with_scikit_learn(one, other) -> None:
    from sklearn.metrics import f1_score

    from core.extraction.windows import split_words

    true = gold(*(mention(s, s + n, t) for s, n, t in one))
    found = read(*(mention(s, s + n, t) for s, n, t in other))
    starts, ends = split_words(TEXT)

    def labels(entities) -> list[list[int]]:
        return [
            [
                int(any(e.type == kind and e.start < end and start < e.end for e in entities))
                for kind in ("Drug", "Disease")
            ]
            for start, end in zip(starts, ends, strict=True)
        ]

    counts = token_counts(true, found)
    tp, fp, fn = (sum(c[i] for c in counts.values()) for i in range(3))
    ours = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0
    theirs = f1_score(labels(true.entities), labels(found.entities), average="micro", zero_division=0)
    assert abs(ours - theirs) < 1e-12
