"""Whether one model is better than another on the same documents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.scoring.summary import FN, FP, TP, Counts

SAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """Micro F1 of the first (`one`) less that of the second (`other`), its 95% interval, and how likely
    as large a difference, either way, is by chance (`p`, two-sided)."""

    one: float
    other: float
    f1: float
    low: float
    high: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < 0.05


def compare(
    one: Sequence[Counts], other: Sequence[Counts], groups: Sequence[str], seed: int = 0
) -> Difference:
    """Paired bootstrap over `groups` of documents (Efron and Tibshirani 1993; Koehn 2004): both models
    are scored on the same draws."""
    names = {g: i for i, g in enumerate(dict.fromkeys(groups))}
    tables = [np.zeros((len(names), 3)) for _ in range(2)]
    for table, documents in zip(tables, (one, other), strict=True):
        for group, counts in zip(groups, documents, strict=True):
            for row in counts.values():
                table[names[group]] += row
    n = len(names)
    if not n:
        return Difference(0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), SAMPLES)
    spread = _f1(draws @ tables[0]) - _f1(draws @ tables[1])
    scores = [float(_f1(table.sum(0))) for table in tables]
    low, high = np.percentile(spread, [2.5, 97.5])
    # With the observed difference among the draws, so that no p is zero.
    below, above = (1 + (spread <= 0).sum()) / (SAMPLES + 1), (1 + (spread >= 0).sum()) / (SAMPLES + 1)
    p = float(min(1.0, 2 * min(below, above)))
    return Difference(scores[0], scores[1], scores[0] - scores[1], float(low), float(high), p)


def _f1(counts: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    whole = 2 * counts[..., TP] + counts[..., FP] + counts[..., FN]
    found: np.typing.NDArray[np.float64] = 2 * counts[..., TP] / np.maximum(whole, 1)
    return found
