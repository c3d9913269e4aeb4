"""Strict counts: type and both offsets equal; relations end-to-end.

A relation counts if its type and both its mentions, as predicted, are right. Where a gold mention
may be one of several types, any of them is right. What a document's annotators did not look for
(`annotated`) is left out on both sides.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.document import Document, Entity, Relation
from core.extraction import Annotation
from core.scoring.summary import FN, FP, TP, Counts

Label = TypeVar("Label", Entity, Relation)


@dataclass(frozen=True, slots=True)
class Matches(Generic[Label]):
    """What was read, each with the gold label that it is, or None; and the gold labels that nothing is.

    Labels that can't be judged (`annotated`, concepts related elsewhere) are in neither.
    """

    read: tuple[tuple[Label, Label | None], ...]
    missed: tuple[Label, ...]


def span_matches(gold: Document, predicted: Annotation) -> Matches[Entity]:
    """Mentions matched one to one by type and both offsets."""
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    open_gold: dict[tuple[int, int], list[Entity]] = defaultdict(list)
    for e in gold.entities:
        if sought is None or sought & set(types_of(e)):
            open_gold[e.start, e.end].append(e)
    read: list[tuple[Entity, Entity | None]] = []
    for p in predicted.entities:
        match = next((g for g in open_gold[p.start, p.end] if p.type in types_of(g)), None)
        if match:
            open_gold[p.start, p.end].remove(match)
        if match or sought is None or p.type in sought:
            read.append((p, match))
    return Matches(tuple(read), tuple(g for rest in open_gold.values() for g in rest))


def entity_counts(gold: Document, predicted: Annotation) -> Counts:
    """Strict matches of one document, by type; an ambiguous gold type is named 'A|B'."""
    return _counted(span_matches(gold, predicted), lambda e: "|".join(types_of(e)))


def relation_matches(
    gold: Document, predicted: Annotation, symmetric: frozenset[str]
) -> Matches[Relation]:
    """Relations matched one to one by type and both mentions. Symmetric types match either way.

    Where gold relates concepts, only their closest mentions are known to state it: another pair of
    mentions of the same two concepts is neither right nor wrong.
    """
    sought = (
        None if gold.annotated is None else {(r.type, r.head, r.tail) for r in gold.annotated.relations}
    )
    mentions = {e.id: e for e in gold.entities}
    entities = {e.id: e for e in predicted.entities}
    left = list(gold.relations)
    read: list[tuple[Relation, Relation | None]] = []
    for r in predicted.relations:
        head, tail = entities[r.head], entities[r.tail]
        ways = [(head, tail), (tail, head)] if r.type in symmetric else [(head, tail)]
        match = next(
            (
                g
                for g in left
                for h, t in ways
                if g.type == r.type and _same(mentions[g.head], h) and _same(mentions[g.tail], t)
            ),
            None,
        )
        if match:
            left.remove(match)
            read.append((r, match))
        elif not _unknown(gold, r.type, head, tail) and (
            sought is None or (r.type, head.type, tail.type) in sought
        ):
            read.append((r, None))
    return Matches(tuple(read), tuple(left))


def relation_counts(gold: Document, predicted: Annotation, symmetric: frozenset[str]) -> Counts:
    """End-to-end matches of one document, by relation type (or gold-entity ones, where the mentions
    were given)."""
    return _counted(relation_matches(gold, predicted, symmetric), lambda r: r.type)


def _counted(matches: Matches[Label], name: Callable[[Label], str]) -> Counts:
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    for x, match in matches.read:
        counts[name(match or x)][TP if match else FP] += 1
    for x in matches.missed:
        counts[name(x)][FN] += 1
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
