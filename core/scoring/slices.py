"""Parts of an evaluation that tell where the loss is: names, distances, lengths, sources."""

from collections.abc import Callable, Iterable, Sequence

from core.document import Document, Entity, Relation
from core.extraction import Annotation
from core.extraction.windows import Ints, split_words

Pair = tuple[Document, Annotation]
# Words between the two ends of a relation; the last is everything further.
DISTANCES = (5, 15, 40)


def normalised(mention: str) -> str:
    """A mention as names are compared: lower case, blanks as one."""
    return " ".join(mention.lower().split())


def by_name(pairs: Iterable[Pair], seen: Callable[[str], bool]) -> dict[str, list[Pair]]:
    """Mentions whose names training had, and those that it never saw; relations are left out."""
    found: dict[str, list[Pair]] = {"names seen in training": [], "unseen names": []}
    for d, a in pairs:
        known = {e.id: seen(normalised(d.mention(e))) for e in d.entities}
        read = {e.id: seen(normalised(d.mention(e))) for e in a.entities}
        for part, wanted in zip(found.values(), (True, False), strict=True):
            part.append(
                (
                    d.model_copy(
                        update={
                            "entities": tuple(e for e in d.entities if known[e.id] == wanted),
                            "relations": (),
                        }
                    ),
                    Annotation(
                        entities=tuple(e for e in a.entities if read[e.id] == wanted),
                        relations=(),
                    ),
                )
            )
    return found


def by_distance(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Relations by the words between their ends; all mentions are kept."""
    edges = (0, *DISTANCES)
    names = [f"{a} to {b - 1} words apart" for a, b in zip(edges, DISTANCES, strict=False)]
    names.append(f"{DISTANCES[-1]} words apart or more")
    found: dict[str, list[Pair]] = {n: [] for n in names}
    for d, a in pairs:
        starts, _ = split_words(d.text)
        gold = [(r, _bin(r, d.entities, starts)) for r in d.relations]
        read = [(r, _bin(r, a.entities, starts)) for r in a.relations]
        for i, part in enumerate(found.values()):
            theirs = Annotation(entities=a.entities, relations=tuple(r for r, b in read if b == i))
            ours = d.model_copy(update={"relations": tuple(r for r, b in gold if b == i)})
            part.append((ours, theirs))
    return found


def _bin(r: Relation, entities: Sequence[Entity], starts: Ints) -> int:
    ends = sorted((e.start, e.end) for e in entities if e.id in (r.head, r.tail))
    between = starts.searchsorted(ends[1][0]) - starts.searchsorted(ends[0][1])
    return sum(int(between >= edge) for edge in DISTANCES)


def by_length(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Documents in three parts of equal number, the shortest first, named by their lengths in words."""
    sizes = sorted(len(split_words(d.text)[0]) for d, _ in pairs)
    if len(set(sizes)) < 3:
        return {}
    low, high = sizes[len(sizes) // 3], sizes[2 * len(sizes) // 3]
    names = (f"under {low} words", f"{low} to {high - 1} words", f"{high} words or more")
    found: dict[str, list[Pair]] = {n: [] for n in names}
    for d, a in pairs:
        size = len(split_words(d.text)[0])
        found[names[(size >= low) + (size >= high)]].append((d, a))
    return found


def by(pairs: Iterable[Pair], key: Callable[[Document], str]) -> dict[str, list[Pair]]:
    """Documents by what `key` says of them."""
    found: dict[str, list[Pair]] = {}
    for d, a in pairs:
        found.setdefault(key(d), []).append((d, a))
    return found
