"""What kind of error each wrong or missed mention and relation is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.document import Document, Entity, Relation
from core.extraction import Annotation
from core.scoring.strict import types_of

Kind = Literal[
    "missed", "spurious", "wrong type", "wrong boundary", "wrong type and boundary",
    "relation missed", "relation spurious", "wrong direction", "wrong relation type",
    "relation missed because of a mention", "relation spurious because of a mention",
]  # fmt: skip

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Error:
    """`gold` and `read` are what stands against each other: mentions, or relations with their ends;
    None where there is nothing. `start` and `end` span all of it."""

    kind: Kind
    label: str
    start: int
    end: int
    gold: Entity | Relation | None
    read: Entity | Relation | None


def errors(gold: Document, predicted: Annotation, symmetric: frozenset[str]) -> Iterator[Error]:
    """Every error of one document, mentions first, each mention and relation in one error at most.

    A wrong mention is paired with the gold one at the same place, else with the open one that it
    overlaps most. What annotators did not look for is no error.
    """
    yield from _mention_errors(gold, predicted)
    yield from _relation_errors(gold, predicted, symmetric)


def _mention_errors(gold: Document, predicted: Annotation) -> Iterator[Error]:
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    open_gold = [g for g in gold.entities if sought is None or sought & set(types_of(g))]
    open_read = [p for p in predicted.entities if sought is None or p.type in sought]
    for g in list(open_gold):
        match = next((p for p in open_read if _right(g, p)), None)
        if match:
            open_gold.remove(g)
            open_read.remove(match)
    pairs = [
        (not _same_span(g, p), -_overlap(g, p), i, j)
        for i, g in enumerate(open_gold)
        for j, p in enumerate(open_read)
        if _overlap(g, p) > 0
    ]
    used: set[int] = set()
    met: dict[int, int] = {}
    for _, _, i, j in sorted(pairs):
        if i not in met and j not in used:
            met[i] = j
            used.add(j)
    for i, g in enumerate(open_gold):
        label = "|".join(types_of(g))
        if i not in met:
            yield Error("missed", label, g.start, g.end, g, None)
            continue
        p = open_read[met[i]]
        kind: Kind = "wrong type and boundary"
        if _same_span(g, p):
            kind = "wrong type"
        elif p.type in types_of(g):
            kind = "wrong boundary"
        yield Error(kind, label, min(g.start, p.start), max(g.end, p.end), g, p)
    for j, p in enumerate(open_read):
        if j not in used:
            yield Error("spurious", p.type, p.start, p.end, None, p)


def _relation_errors(
    gold: Document, predicted: Annotation, symmetric: frozenset[str]
) -> Iterator[Error]:
    sought = (
        None if gold.annotated is None else {(r.type, r.head, r.tail) for r in gold.annotated.relations}
    )
    ours = {e.id: e for e in gold.entities}
    theirs = {e.id: e for e in predicted.entities}
    # A gold mention's counterpart among those read, and the other way round.
    read_as = {
        g.id: next((p.id for p in predicted.entities if _right(g, p)), None) for g in gold.entities
    }
    known = {p: g for g, p in read_as.items() if p}
    concepts = {(c.head, c.tail, c.type) for c in gold.concept_relations}
    left = list(predicted.relations)

    def take(ways: tuple[Pair, ...], name: str | None = None) -> Relation | None:
        """The first relation left that goes one of these ways (and has this type), taken out."""
        found = next((r for r in left if (r.head, r.tail) in ways and name in (None, r.type)), None)
        if found:
            left.remove(found)
        return found

    missed: list[tuple[Relation, str | None, str | None]] = []
    for g in gold.relations:
        head, tail = read_as[g.head], read_as[g.tail]
        straight = (head or "", tail or "")
        ways = (straight, straight[::-1]) if g.type in symmetric else (straight,)
        if head is None or tail is None or not take(ways, g.type):
            missed.append((g, head, tail))
    for g, head, tail in missed:
        start, end = _reach(ours[g.head], ours[g.tail])
        if head is None or tail is None:
            yield Error("relation missed because of a mention", g.type, start, end, g, None)
            continue
        turned = take(((tail, head),), g.type)
        other = turned or take(((head, tail), (tail, head)))
        kind: Kind = "relation missed"
        if turned:
            kind = "wrong direction"
        elif other:
            kind = "wrong relation type"
        yield Error(kind, g.type, start, end, g, other)
    for r in left:
        one, two = theirs[r.head], theirs[r.tail]
        if sought is not None and (r.type, one.type, two.type) not in sought:
            continue
        right = [ours[known[k]] for k in (r.head, r.tail) if k in known]
        if len(right) == 2 and any(
            (a, b, r.type) in concepts for a in right[0].concepts for b in right[1].concepts
        ):
            continue  # stated of these concepts, elsewhere
        kind = "relation spurious" if len(right) == 2 else "relation spurious because of a mention"
        yield Error(kind, r.type, *_reach(one, two), None, r)


def _right(g: Entity, p: Entity) -> bool:
    return _same_span(g, p) and p.type in types_of(g)


def _same_span(g: Entity, p: Entity) -> bool:
    return (g.start, g.end) == (p.start, p.end)


def _overlap(g: Entity, p: Entity) -> int:
    return min(g.end, p.end) - max(g.start, p.start)


def _reach(a: Entity, b: Entity) -> tuple[int, int]:
    return min(a.start, b.start), max(a.end, b.end)
