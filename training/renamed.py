"""Real passages with other names in them: what a sentence says of a drug holds for another drug.

Mention replacement (Dai & Adel 2020, arXiv:2010.11683), the same name for the same words all through a
document, so that what refers back still does.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from core.document import Document, Entity

Names = dict[str, tuple[str, ...]]
# Words: longer ones are half sentences, which stand where they stood.
LONGEST = 5


def names(documents: Iterable[Document]) -> Names:
    """The words of all mentions, by type; a type that is ambiguous tells nothing."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for d in documents:
        for e in d.entities:
            words = d.mention(e)
            if not e.types and len(words.split()) <= LONGEST and "\n" not in words:
                found[e.type][words] = None
    return {kind: tuple(sorted(words)) for kind, words in found.items()}


def renamed(document: Document, known: Names, share: float, chance: random.Random) -> Document:
    """The document with that share of its mentions under other names of their type.

    Mentions that lie within or across others, or in pieces, keep theirs. Concepts stay: they are the
    old names', but what is stated between them tells which pairs are not to be taken for unrelated.
    """
    chosen: dict[tuple[str, str], str] = {}
    order = sorted(document.entities, key=lambda e: e.start)
    changes: list[tuple[int, int, str]] = []
    for e in order:
        if e.types or e.fragments or e.type not in known or _touched(e, order):
            continue
        words = document.mention(e)
        key = e.type, words.lower()
        if key not in chosen:
            other = chance.choice(known[e.type]) if chance.random() < share else words
            chosen[key] = other
        if (new := chosen[key]).lower() != words.lower():
            changes.append((e.start, e.end, new[0].upper() + new[1:] if words[0].isupper() else new))
    text, moves = _changed(document.text, changes)
    return document.model_copy(
        update={
            "text": text,
            "entities": tuple(_moved(e, moves) for e in document.entities),
        }
    )


def _touched(e: Entity, others: Sequence[Entity]) -> bool:
    return any(o is not e and o.start < e.end and e.start < o.end for o in others)


def _changed(text: str, changes: Sequence[tuple[int, int, str]]) -> tuple[str, list[tuple[int, int]]]:
    """The text with stretches replaced, and by how much places at or behind each end move."""
    parts: list[str] = []
    moves: list[tuple[int, int]] = []
    at = 0
    for start, end, new in changes:
        parts += [text[at:start], new]
        moves.append((end, len(new) - (end - start)))
        at = end
    return "".join((*parts, text[at:])), moves


def _moved(e: Entity, moves: Sequence[tuple[int, int]]) -> Entity:
    def to(place: int) -> int:
        return place + _by(place, moves)

    return e.model_copy(
        update={
            "start": to(e.start),
            "end": to(e.end),
            "fragments": tuple((to(start), to(end)) for start, end in e.fragments),
        }
    )


def _by(place: int, moves: Sequence[tuple[int, int]]) -> int:
    return sum(n for end, n in moves if end <= place)
