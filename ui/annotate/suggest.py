"""A model's reading of a document as suggestions beside the labels that are there."""

from collections.abc import Sequence

from core.document import Document
from core.store.work import SuggestedRelation, Suggestion, Work


def suggestions(read: Document, labels: Document, model: str, focus: Sequence[str]) -> Work:
    """Suggestions of the types in `focus` (all if it is empty). What the labels have already is
    marked as there, so that relations can lead to it."""
    there = {(e.start, e.end, e.type): e.id for e in labels.entities}
    taken = {e.id for e in labels.entities}
    keys: dict[str, str] = {}
    mentions = []
    for e in (e for e in read.entities if not focus or e.type in focus):
        keys[e.id] = key = _key(e.id, taken)
        same = there.get((e.start, e.end, e.type))
        mentions.append(
            Suggestion(
                key=key, start=e.start, end=e.end, type=e.type, attributes=e.attributes, score=e.score,
                outcome="accepted" if same else "open", became=same, there=bool(same),
            )
        )  # fmt: skip
    became = {s.key: s.became for s in mentions}
    stated = {(r.head, r.type, r.tail) for r in labels.relations}
    relations = []
    for r in (r for r in read.relations if r.head in keys and r.tail in keys):
        head, tail = keys[r.head], keys[r.tail]
        triple = (became[head] or "", r.type, became[tail] or "")
        same_relation = triple in stated
        relations.append(
            SuggestedRelation(
                key=_key(f"{r.head} {r.type} {r.tail}", taken), head=head, tail=tail, type=r.type,
                score=r.score, outcome="accepted" if same_relation else "open",
                became=triple if same_relation else None, there=same_relation,
            )
        )  # fmt: skip
    return Work(model=model, mentions=tuple(mentions), relations=tuple(relations))


def _key(name: str, taken: set[str]) -> str:
    """A key that no mention has as its id."""
    key = f"?{name}"
    while key in taken:
        key = f"?{key}"
    return key
