"""Counts of many documents as precision, recall, F1 and an interval, by label and micro over all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

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


def macro(scores: dict[str, Score]) -> float:
    """Mean F1 over the labels that gold has."""
    supported = [s.f1 for label, s in scores.items() if label != MICRO and s.support]
    return sum(supported) / len(supported) if supported else 0.0


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


def table(scores: dict[str, Score]) -> Iterable[str]:
    """The scores as lines of text, micro last."""
    yield f"{'':22}{'P':>8}{'R':>8}{'F1':>8}  {'95% interval':<16}{'support':>8}"
    for label, s in scores.items():
        yield (
            f"{label:22}{s.precision:8.3f}{s.recall:8.3f}{s.f1:8.3f}  "
            f"[{s.low:.3f}, {s.high:.3f}]  {s.support:8d}"
        )
