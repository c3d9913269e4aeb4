"""What changed between two versions of a document's labels."""

from dataclasses import dataclass

from core.document import Document, Entity, Relation


@dataclass(frozen=True, slots=True)
class Difference:
    """Mentions and relations that only one side has; mentions that both have, but not alike."""

    removed: tuple[Entity, ...]
    added: tuple[Entity, ...]
    changed: tuple[tuple[Entity, Entity], ...]
    unrelated: tuple[Relation, ...]
    related: tuple[Relation, ...]

    @property
    def empty(self) -> bool:
        return not any((self.removed, self.added, self.changed, self.unrelated, self.related))


def difference(old: Document, new: Document) -> Difference:
    """Mentions are the same by place, those of one id first; what is said of them is compared."""
    pairs: dict[str, Entity] = {}
    free = {e.id: e for e in new.entities}
    for by_id in (True, False):
        for e in (e for e in old.entities if e.id not in pairs):
            found = next(
                (n for n in free.values() if _place(e) == _place(n) and (e.id == n.id or not by_id)),
                None,
            )
            if found:
                pairs[e.id] = free.pop(found.id)
    ours = {n.id: o for o, n in pairs.items()}  # the old id of a new mention
    before = {(r.head, r.type, r.tail): r for r in old.relations}
    # The end of a relation that is a new mention keeps its new id, which no old relation has.
    after = {
        (ours.get(r.head, f"new {r.head}"), r.type, ours.get(r.tail, f"new {r.tail}")): r
        for r in new.relations
    }
    return Difference(
        removed=tuple(e for e in old.entities if e.id not in pairs),
        added=tuple(free.values()),
        changed=tuple(
            (e, pairs[e.id]) for e in old.entities if e.id in pairs and _said(e) != _said(pairs[e.id])
        ),
        unrelated=tuple(r for k, r in before.items() if k not in after),
        related=tuple(r for k, r in after.items() if k not in before),
    )


def _place(e: Entity) -> object:
    return e.start, e.end, e.fragments


def _said(e: Entity) -> object:
    return e.type, e.attributes, e.concepts, e.types
