"""How far two annotators agree: F1 of one against the other, and Cohen's kappa over tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import cohen_kappa_score

from core.document import Annotated, Document, RelationSought
from core.extraction import Annotation
from core.extraction.windows import split_words
from core.scoring.strict import entity_counts, relation_counts, types_of
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
    """Agreement over documents that two annotators labelled, on what both looked for. A kappa is left
    out where there is nothing to agree on: neither used the type, or all words are alike."""
    pairs = [_common(a, b) for a, b in pairs]
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
        if len({*a, *b}) == 2:
            found[name] = float(cohen_kappa_score(a, b))
    whole = [["|".join(sorted(w)) for w in side] for side in (ours, theirs)]
    if len({*whole[0], *whole[1]}) > 1:
        found[MICRO] = float(cohen_kappa_score(*whole))
    return found


def _common(a: Document, b: Document) -> tuple[Document, Document]:
    """Both with what both annotators looked for, and nothing else."""
    looked = [d.annotated for d in (a, b) if d.annotated is not None]
    if not looked:
        return a, b
    first, last = looked[0], looked[-1]
    both = Annotated(
        entities=tuple(t for t in first.entities if t in last.entities),
        relations=tuple(r for r in first.relations if r in last.relations),
    )

    def limited(d: Document) -> Document:
        kept = tuple(e for e in d.entities if set(types_of(e)) & set(both.entities))
        types = {e.id: e.type for e in kept}
        related = tuple(
            r for r in d.relations
            if r.head in types and r.tail in types
            and RelationSought(type=r.type, head=types[r.head], tail=types[r.tail]) in both.relations
        )  # fmt: skip
        return d.model_copy(update={"entities": kept, "relations": related, "annotated": both})

    return limited(a), limited(b)


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
