"""Counts per token: of each type, the words that its mentions cover."""

from collections import defaultdict
from collections.abc import Iterable

from core.document import Document, Entity
from core.extraction import Annotation
from core.extraction.windows import split_words
from core.scoring.strict import types_of
from core.scoring.summary import FN, FP, TP, Counts


def token_counts(gold: Document, predicted: Annotation) -> Counts:
    """Words (runs of letters and digits, or single signs) right, wrong and missed, by type.

    A word may be of several types, as mentions may nest. A word of an ambiguous gold mention is right
    under any of its types, and counts once, under 'A|B'.
    """
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    starts, ends = split_words(gold.text)

    def words(e: Entity) -> Iterable[int]:
        first = int(ends.searchsorted(e.start, side="right"))
        last = int(starts.searchsorted(e.end, side="left"))
        return range(first, last)

    said = {(w, p.type) for p in predicted.entities for w in words(p)}
    true = {
        (w, types_of(g))
        for g in gold.entities
        if sought is None or sought & set(types_of(g))
        for w in words(g)
    }
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    right: set[tuple[int, str]] = set()
    for word, types in true:
        hits = {(word, t) for t in types} & said
        right |= hits
        counts["|".join(types)][TP if hits else FN] += 1
    for _, kind in said - right:
        if sought is None or kind in sought:
            counts[kind][FP] += 1
    return dict(counts)
