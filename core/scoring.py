"""Precision, recall and F1, strict: type and both offsets equal; relations end-to-end.

A relation counts if its type and both its mentions, as predicted, are right. Where a gold mention
may be one of several types, any of them is right. What a document's annotators did not look for
(`annotated`) is left out on both sides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.document import Document, Entity
from core.extraction import Annotation

TP, FP, FN = range(3)
Counts = dict[str, list[int]]  # label → [true positives, false positives, false negatives]
MICRO = "micro"


@dataclass(frozen=True, slots=True)
class Score:
    """`support` counts gold labels; `low` and `high` bound 95% of the bootstrap's F1."""

    precision: float
    recall: float
    f1: float
    support: int
    low: float
    high: float


def entity_counts(gold: Document, predicted: Annotation) -> Counts:
    """Strict matches of one document, by type; an ambiguous gold type is named 'A|B'."""
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    open_gold: dict[tuple[int, int], list[Entity]] = defaultdict(list)
    for e in gold.entities:
        if sought is None or sought & set(_types(e)):
            open_gold[e.start, e.end].append(e)
    for p in predicted.entities:
        match = next((g for g in open_gold[p.start, p.end] if p.type in _types(g)), None)
        if match:
            open_gold[p.start, p.end].remove(match)
            counts["|".join(_types(match))][TP] += 1
        elif sought is None or p.type in sought:
            counts[p.type][FP] += 1
    for missed in open_gold.values():
        for g in missed:
            counts["|".join(_types(g))][FN] += 1
    return dict(counts)


def relation_counts(gold: Document, predicted: Annotation, symmetric: frozenset[str]) -> Counts:
    """End-to-end matches of one document, by relation type. Symmetric types match either way.

    Where gold relates concepts, only their closest mentions are known to state it: another pair of
    mentions of the same two concepts is neither right nor wrong.
    """
    sought = (
        None if gold.annotated is None else {(r.type, r.head, r.tail) for r in gold.annotated.relations}
    )
    mentions = {e.id: e for e in gold.entities}
    read = {e.id: e for e in predicted.entities}
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    unmatched = [(r.type, mentions[r.head], mentions[r.tail]) for r in gold.relations]
    for r in predicted.relations:
        head, tail = read[r.head], read[r.tail]
        ways = [(head, tail), (tail, head)] if r.type in symmetric else [(head, tail)]
        match = next(
            (
                g
                for g in unmatched
                for h, t in ways
                if g[0] == r.type and _same(g[1], h) and _same(g[2], t)
            ),
            None,
        )
        if match:
            unmatched.remove(match)
            counts[r.type][TP] += 1
        elif _unknown(gold, r.type, head, tail):
            continue
        elif sought is None or (r.type, head.type, tail.type) in sought:
            counts[r.type][FP] += 1
    for name, _, _ in unmatched:
        counts[name][FN] += 1
    return dict(counts)


def summarise(
    documents: Sequence[Counts],
    groups: Sequence[str] | None = None,
    samples: int = 1000,
    seed: int = 0,
) -> dict[str, Score]:
    """Scores by label, and micro over all labels. Types that gold somewhere leaves open ('A|B') share
    a row: a wrong A and a missed 'A|B' are of one class.

    Intervals: percentile bootstrap (Efron 1979) over documents, or over `groups` of them.
    """
    rows = _rows({label for d in documents for label in d})
    labels = sorted(set(rows.values()))
    table = np.zeros((len(documents), len(labels) + 1, 3))
    for i, d in enumerate(documents):
        for label, counts in d.items():
            table[i, labels.index(rows[label])] += counts
    table[:, -1] = table[:, :-1].sum(1)
    if groups is not None:
        names = {g: i for i, g in enumerate(dict.fromkeys(groups))}
        merged = np.zeros((len(names), *table.shape[1:]))
        np.add.at(merged, [names[g] for g in groups], table)
        table = merged
    n = len(table)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), samples) if n else None
    scores = {}
    for j, label in enumerate([*labels, MICRO]):
        tp, fp, fn = table[:, j].sum(0)
        spread = (0.0, 0.0)
        if draws is not None:
            spread = tuple(np.percentile(_f1(draws @ table[:, j]), [2.5, 97.5]))
        scores[label] = Score(
            precision=float(tp / (tp + fp)) if tp + fp else 0.0,
            recall=float(tp / (tp + fn)) if tp + fn else 0.0,
            f1=float(_f1(np.array([tp, fp, fn]))),
            support=int(tp + fn),
            low=float(spread[0]),
            high=float(spread[1]),
        )
    return scores


def _rows(labels: set[str]) -> dict[str, str]:
    """The row of each label: itself, or the union of the open types that it is linked to."""
    groups: list[set[str]] = []
    for label in labels:
        linked = [g for g in groups if g & set(label.split("|"))]
        groups = [g for g in groups if g not in linked] + [set(label.split("|")).union(*linked)]
    return {label: "|".join(sorted(g)) for label in labels for g in groups if label.split("|")[0] in g}


def _f1(counts: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    tp, fp, fn = counts[..., TP], counts[..., FP], counts[..., FN]
    whole = 2 * tp + fp + fn
    result: np.typing.NDArray[np.float64] = np.where(whole > 0, 2 * tp / np.maximum(whole, 1), 0.0)
    return result


def _types(e: Entity) -> tuple[str, ...]:
    return e.types or (e.type,)


def _unknown(gold: Document, name: str, head: Entity, tail: Entity) -> bool:
    """Whether gold relates the concepts of two rightly read mentions, elsewhere in the document."""
    if not gold.concept_relations:
        return False
    ends = [{c for g in gold.entities if _same(g, e) for c in g.concepts} for e in (head, tail)]
    return any(
        c.type == name and c.head in ends[0] and c.tail in ends[1] for c in gold.concept_relations
    )


def _same(gold: Entity, read: Entity) -> bool:
    return (gold.start, gold.end) == (read.start, read.end) and read.type in _types(gold)


def table(scores: dict[str, Score]) -> Iterable[str]:
    """The scores as lines of text, micro last."""
    yield f"{'':22}{'P':>8}{'R':>8}{'F1':>8}  {'95% interval':<16}{'support':>8}"
    for label, s in scores.items():
        yield (
            f"{label:22}{s.precision:8.3f}{s.recall:8.3f}{s.f1:8.3f}  "
            f"[{s.low:.3f}, {s.high:.3f}]  {s.support:8d}"
        )
