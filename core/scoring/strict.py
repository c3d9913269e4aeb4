"""Strict counts: type and both offsets equal; relations end-to-end.

A relation counts if its type and both its mentions, as predicted, are right. Where a gold mention
may be one of several types, any of them is right. What a document's annotators did not look for
(`annotated`) is left out on both sides.
"""

from collections import defaultdict

from core.document import Document, Entity
from core.extraction import Annotation
from core.scoring.summary import FN, FP, TP, Counts


def entity_counts(gold: Document, predicted: Annotation) -> Counts:
    """Strict matches of one document, by type; an ambiguous gold type is named 'A|B'."""
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    open_gold: dict[tuple[int, int], list[Entity]] = defaultdict(list)
    for e in gold.entities:
        if sought is None or sought & set(types_of(e)):
            open_gold[e.start, e.end].append(e)
    for p in predicted.entities:
        match = next((g for g in open_gold[p.start, p.end] if p.type in types_of(g)), None)
        if match:
            open_gold[p.start, p.end].remove(match)
            counts["|".join(types_of(match))][TP] += 1
        elif sought is None or p.type in sought:
            counts[p.type][FP] += 1
    for missed in open_gold.values():
        for g in missed:
            counts["|".join(types_of(g))][FN] += 1
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


def types_of(e: Entity) -> tuple[str, ...]:
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
    return (gold.start, gold.end) == (read.start, read.end) and read.type in types_of(gold)
