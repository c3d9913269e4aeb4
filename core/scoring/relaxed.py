"""Relaxed counts: type equal, spans overlapping, matched one to one for the largest total overlap."""

from collections import defaultdict

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.document import Document
from core.extraction import Annotation
from core.scoring.strict import types_of
from core.scoring.summary import FN, FP, TP, Counts


def relaxed_counts(gold: Document, predicted: Annotation) -> Counts:
    """Relaxed matches of one document, by type; an ambiguous gold type is named 'A|B'.

    The matching is the assignment of largest total overlap in characters (Kuhn 1955, through
    scipy), so that a long prediction over two mentions is right for one of them and no more.
    """
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    wanted = [g for g in gold.entities if sought is None or sought & set(types_of(g))]
    overlap = np.array(
        [
            [
                max(min(g.end, p.end) - max(g.start, p.start), 0) if p.type in types_of(g) else 0
                for p in predicted.entities
            ]
            for g in wanted
        ]
    ).reshape(len(wanted), len(predicted.entities))
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    matched = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlap[r, c] > 0}
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    for i, g in enumerate(wanted):
        counts["|".join(types_of(g))][TP if i in matched else FN] += 1
    used = set(matched.values())
    for j, p in enumerate(predicted.entities):
        if j not in used and (sought is None or p.type in sought):
            counts[p.type][FP] += 1
    return dict(counts)
