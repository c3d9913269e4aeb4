"""Where a library of the field computes it, the figures are the same."""

import warnings

from hypothesis import assume, given
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from core import scoring
from core.document import Document, Entity
from core.extraction import Annotation

TYPES = ("Drug", "Disease")
WORDS = 12


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Mentions of whole words side by side that do not overlap: what IOB2 can say."""
    found, at = [], 0
    while at < WORDS:
        at += draw(st.integers(0, 3))
        width = draw(st.integers(1, 3))
        if at + width <= WORDS and draw(st.booleans()):
            found.append((at, at + width, draw(st.sampled_from(TYPES))))
        at += width
    return found


def document(mentions: list[tuple[int, int, str]]) -> Document:
    entities = tuple(
        Entity(id=f"e{i}", start=2 * a, end=2 * b - 1, type=t) for i, (a, b, t) in enumerate(mentions)
    )
    return Document(id="d", text="a " * WORDS, entities=entities, relations=())


def tags(mentions: list[tuple[int, int, str]]) -> list[str]:
    row = ["O"] * WORDS
    for a, b, t in mentions:
        row[a:b] = [f"B-{t}", *[f"I-{t}"] * (b - a - 1)]
    return row


@given(st.lists(st.tuples(spans(), spans()), min_size=1, max_size=4))
def test_strict_scores_are_seqevals(pairs) -> None:
    ours = scoring.summarise(
        [scoring.entity_counts(document(g), Annotation(document(p).entities, ())) for g, p in pairs],
        samples=1,
    )
    gold, read = [tags(g) for g, _ in pairs], [tags(p) for _, p in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scores that are undefined
        for ours_is, theirs in (
            ("f1", f1_score),
            ("precision", precision_score),
            ("recall", recall_score),
        ):
            value = theirs(gold, read, mode="strict", scheme=IOB2, zero_division=0)
            assert abs(getattr(ours[scoring.MICRO], ours_is) - value) < 1e-9


@given(st.lists(st.tuples(spans(), spans()), min_size=1, max_size=4))
def test_strict_counts_are_nervaluates(pairs) -> None:
    assume(all(g and p for g, p in pairs))  # it fails on a document without any
    counts = [
        scoring.entity_counts(document(g), Annotation(document(p).entities, ())) for g, p in pairs
    ]
    ours = scoring.summarise(counts, samples=1)[scoring.MICRO]

    def listed(mentions):  # its ends are inclusive
        return [{"label": t, "start": a, "end": b - 1} for a, b, t in mentions]

    theirs = Evaluator(
        [listed(g) for g, _ in pairs], [listed(p) for _, p in pairs], tags=list(TYPES)
    ).evaluate()
    strict = theirs["overall"]["strict"]
    assert abs(ours.precision - strict.precision) < 1e-9
    assert abs(ours.recall - strict.recall) < 1e-9
