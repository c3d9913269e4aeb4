"""A model's reading of a document as suggestions beside the labels that are there."""

from collections.abc import Sequence

from core.document import Document
from core.schema import Schema
from core.store.work import SuggestedRelation, Suggestion, Work


def suggestions(
    read: Document, labels: Document, model: str, focus: Sequence[str], schema: Schema
) -> Work:
    """Suggestions that the schema knows, of the types in `focus` (all if it is empty). What the labels
    have already is marked as there, so that relations can lead to it."""
    there = {(e.start, e.end, e.type): e.id for e in labels.entities}
    taken = {e.id for e in labels.entities}
    keys: dict[str, str] = {}
    mentions = []
    wanted = focus or schema.entity_names
    known = {a.name: a.values for a in schema.attributes}
    for e in (e for e in read.entities if e.type in wanted and e.type in schema.entity_names):
        keys[e.id] = key = _key(e.id, taken)
        same = there.get((e.start, e.end, e.type))
        mentions.append(
            Suggestion(
                key=key, start=e.start, end=e.end, type=e.type, score=e.score,
                attributes={k: v for k, v in e.attributes.items() if v in known.get(k, ())},
                fragments=e.fragments, concepts=e.concepts,
                outcome="accepted" if same else "open", became=same, there=bool(same),
            )
        )  # fmt: skip
    became = {s.key: s.became for s in mentions}
    stated = {(r.head, r.type, r.tail) for r in labels.relations}
    stated |= {(r.tail, r.type, r.head) for r in labels.relations if r.type in schema.symmetric}
    relations = []
    types = {e.id: e.type for e in read.entities}
    for r in read.relations:
        if r.head not in keys or r.tail not in keys:
            continue
        if r.type not in schema.allowed(types[r.head], types[r.tail]):
            continue
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
