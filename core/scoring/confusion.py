"""Confusion matrices: what gold mentions and relations were read as."""

from collections import Counter

from core.document import Document, Entity, Relation
from core.extraction import Annotation
from core.scoring.strict import types_of

# The other side of what has no counterpart.
MISSED, SPURIOUS = "missed", "spurious"
# What is compared; not always what the strict scores beside it count.
COMPARED = {
    "entities": "mentions at equal offsets",
    "relations": "pairs at equal offsets, whatever types their mentions have",
}
Cells = Counter[tuple[str, str]]  # (gold, read) → count


def entity_confusion(gold: Document, predicted: Annotation) -> Cells:
    """Types of mentions with equal offsets; the rest is MISSED or SPURIOUS.

    Of several at one place those of equal type go together first. An ambiguous gold mention that is
    read as any of its types counts as that one.
    """
    sought = None if gold.annotated is None else set(gold.annotated.entities)
    left: dict[tuple[int, int], list[Entity]] = {}
    for p in predicted.entities:
        if sought is None or p.type in sought:
            left.setdefault((p.start, p.end), []).append(p)
    cells: Cells = Counter()
    open_gold = []
    for g in gold.entities:
        if sought is not None and not sought & set(types_of(g)):
            continue
        here = left.get((g.start, g.end), [])
        match = next((p for p in here if p.type in types_of(g)), None)
        if match:
            here.remove(match)
            cells[match.type, match.type] += 1
        else:
            open_gold.append(g)
    for g in open_gold:
        here = left.get((g.start, g.end), [])
        cells["|".join(types_of(g)), here.pop(0).type if here else MISSED] += 1
    for rest in left.values():
        cells.update((SPURIOUS, p.type) for p in rest)
    return cells


def relation_confusion(gold: Document, predicted: Annotation, symmetric: frozenset[str]) -> Cells:
    """Types of relations between the same two places in the same direction; a pair that only one side
    relates is MISSED or SPURIOUS."""
    ours = _by_place(gold.entities, gold.relations, symmetric)
    theirs = _by_place(predicted.entities, predicted.relations, symmetric)
    sought = None if gold.annotated is None else {r.type for r in gold.annotated.relations}
    cells: Cells = Counter()
    for place in ours.keys() | theirs.keys():
        a, b = ours.get(place, Counter()), theirs.get(place, Counter())
        if sought is not None:
            b = Counter({t: n for t, n in b.items() if t in sought})
        both = a & b
        for name, n in both.items():
            cells[name, name] += n
        rest, other = sorted((a - both).elements()), sorted((b - both).elements())
        for i in range(max(len(rest), len(other))):
            g = rest[i] if i < len(rest) else SPURIOUS
            p = other[i] if i < len(other) else MISSED
            cells[g, p] += 1
    return cells


def _by_place(
    entities: tuple[Entity, ...], relations: tuple[Relation, ...], symmetric: frozenset[str]
) -> dict[tuple[tuple[int, int], tuple[int, int]], Counter[str]]:
    places = {e.id: (e.start, e.end) for e in entities}
    found: dict[tuple[tuple[int, int], tuple[int, int]], Counter[str]] = {}
    for r in relations:
        head, tail = places[r.head], places[r.tail]
        if r.type in symmetric and tail < head:
            head, tail = tail, head
        found.setdefault((head, tail), Counter())[r.type] += 1
    return found
