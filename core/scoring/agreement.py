"""How far two annotators agree: F1 of one against the other, and Cohen's kappa over tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import cohen_kappa_score

from core.document import Document
from core.extraction import Annotation
from core.extraction.windows import split_words
from core.scoring.strict import entity_counts, relation_counts
from core.scoring.summary import MICRO, Score, summarise


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `documents`: strict F1 of mentions and relations by type and micro, which is the same
    whoever is taken as gold; kappa by entity type and over all (MICRO)."""

    documents: int
    mentions: dict[str, Score]
    relations: dict[str, Score]
    kappa: dict[str, float]


def agreement(
    pairs: Sequence[tuple[Document, Document]], types: Sequence[str], symmetric: frozenset[str]
) -> Agreement:
    """Agreement over documents that two annotators labelled. A kappa is left out where neither used
    the type: there is nothing to agree on."""
    read = [(a, Annotation(entities=b.entities, relations=b.relations)) for a, b in pairs]
    return Agreement(
        documents=len(pairs),
        mentions=summarise([entity_counts(a, b) for a, b in read]),
        relations=summarise([relation_counts(a, b, symmetric) for a, b in read]),
        kappa=_kappas(pairs, types),
    )


def _kappas(pairs: Sequence[tuple[Document, Document]], types: Sequence[str]) -> dict[str, float]:
    """Cohen (1960) over words: for each type whether a word is in such a mention, over all which
    types it is in."""
    ours, theirs = ([w for d in side for w in _words(d)] for side in zip(*pairs, strict=True))
    found = {}
    for name in types:
        a, b = [name in w for w in ours], [name in w for w in theirs]
        if any(a) or any(b):
            found[name] = float(cohen_kappa_score(a, b))
    if found:
        found[MICRO] = float(
            cohen_kappa_score(
                ["|".join(sorted(w)) for w in ours], ["|".join(sorted(w)) for w in theirs]
            )
        )
    return found


def _words(d: Document) -> list[set[str]]:
    """For each word of a text, the types of the mentions that it is in."""
    starts, ends = split_words(d.text)
    words: list[set[str]] = [set() for _ in starts]
    for e in d.entities:
        first = int(ends.searchsorted(e.start, side="right"))
        last = int(starts.searchsorted(e.end, side="left"))
        for i in range(first, last):
            words[i].add(e.type)
    return words
