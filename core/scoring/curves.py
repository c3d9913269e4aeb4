"""How far scores can be trusted: the precision-recall curve, and calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall of what scores at least each threshold, from the highest one down, and the
    threshold of the best F1 (None where nothing was predicted)."""

    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    best: float | None
    best_f1: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Predictions in ten bins of equal width: how many, their mean score, the share that is right.

    `error` is the expected calibration error (Naeini et al. 2015, as in Guo et al. 2017): the mean over
    predictions of the distance between their bin's score and its share.
    """

    counts: tuple[int, ...]
    scores: tuple[float, ...]
    right: tuple[float, ...]
    error: float


def curve(judged: Sequence[tuple[float, bool]], gold: int) -> Curve:
    """From predictions (score, right) and the number of gold labels, found or not."""
    if not judged:
        return Curve((), (), (), None, 0.0)
    scores, right = _sorted(judged)
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # where a score ends
    tp = np.cumsum(right)[last]
    precision = tp / (last + 1)
    recall = tp / gold if gold else np.zeros(len(tp))
    f1 = 2 * tp / (last + 1 + gold)
    best = int(f1.argmax())
    return Curve(
        tuple(scores[last].tolist()),
        tuple(precision.tolist()),
        tuple(recall.tolist()),
        float(scores[last][best]),
        float(f1[best]),
    )


def calibration(judged: Sequence[tuple[float, bool]]) -> Calibration:
    """From predictions (score, right)."""
    scores, right = _sorted(judged)
    # As in scikit-learn, a score on the edge of two bins belongs to the upper one, but 1 to the last.
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    whole = np.maximum(counts, 1)
    mean = np.bincount(bins, scores, BINS) / whole
    share = np.bincount(bins, right, BINS) / whole
    error = float((counts * np.abs(mean - share)).sum() / max(counts.sum(), 1))
    return Calibration(tuple(counts.tolist()), tuple(mean.tolist()), tuple(share.tolist()), error)


def _sorted(
    judged: Sequence[tuple[float, bool]],
) -> "tuple[np.typing.NDArray[np.float64], np.typing.NDArray[np.float64]]":
    table = np.array([(s, r) for s, r in judged], dtype=float).reshape(-1, 2)
    order = np.argsort(-table[:, 0], kind="stable")
    return table[order, 0], table[order, 1]
