"""Several annotators' versions of one document, as a reviewer works on them."""

import json
from collections.abc import Sequence
from typing import Any

from core.document import Annotated, Document, Entity, Relation, to_json
from core.errors import ChartmarkError
from core.store import work
from core.store.connection import Store
from core.store.revisions import ADJUDICATED, IMPORTED, Revision, history
from core.store.work import SuggestedRelation, Suggestion, Work

Key = tuple[object, ...]


def complete(store: Store, document: int) -> list[Revision]:
    """The newest complete revision of each annotator who made one, in the order of their names."""
    newest = {
        r.annotator: r
        for r in history(store, document)
        if r.status == "complete" and r.annotator not in (IMPORTED, ADJUDICATED)
    }
    return [newest[name] for name in sorted(newest)]


def reviewed(store: Store, document: int, own: Revision | None) -> dict[str, Any]:
    """The versions, what they have in common as labels, and where they differ as suggestions.

    A review that was begun goes on as it was left.
    """
    found = complete(store, document)
    if not found:
        raise ChartmarkError("nobody has completed this document yet; build the list again")
    looked = sought(found)
    answer: dict[str, Any] = {
        "versions": [{"annotator": r.annotator, "labels": exchanged(r.document)} for r in found],
        "annotated": looked and json.loads(to_json(looked)),
    }
    past = work.of(store, own.id) if own else None
    if own and past:
        labels, differences = own.document, past
    else:
        labels, differences = merged(found)
    return answer | {
        "labels": exchanged(labels),
        "suggestions": differences.model_dump(mode="json"),
    }


def merged(found: Sequence[Revision]) -> tuple[Document, Work]:
    """What all versions say, as labels, and everything else as suggestions by those who say it."""
    mentions: dict[Key, tuple[Entity, list[str]]] = {}
    relations: dict[tuple[Key, str, Key], tuple[Relation, list[str]]] = {}
    for r in found:
        places = {e.id: _place(e) for e in r.document.entities}
        for e in r.document.entities:
            mentions.setdefault(_place(e), (e, []))[1].append(r.annotator)
        for x in r.document.relations:
            triple = (places[x.head], x.type, places[x.tail])
            relations.setdefault(triple, (x, []))[1].append(r.annotator)
    ids = {place: f"T{i}" for i, place in enumerate(mentions, start=1)}
    agreed = {place: e for place, (e, by) in mentions.items() if len(by) == len(found)}
    suggested = tuple(
        Suggestion(
            key=f"?{ids[place]}", start=e.start, end=e.end, type=e.type, attributes=e.attributes,
            by=", ".join(by), outcome="accepted" if place in agreed else "open",
            became=ids[place] if place in agreed else None, there=place in agreed,
        )
        for place, (e, by) in mentions.items()
    )  # fmt: skip
    kept: list[Relation] = []
    open_relations: list[SuggestedRelation] = []
    for (head, name, tail), (x, by) in relations.items():
        if len(by) == len(found):
            kept.append(x.model_copy(update={"head": ids[head], "tail": ids[tail]}))
        else:
            open_relations.append(
                SuggestedRelation(
                    key=f"?R{len(open_relations)}", type=name, by=", ".join(by),
                    head=f"?{ids[head]}", tail=f"?{ids[tail]}",
                )
            )  # fmt: skip
    labels = found[0].document.model_copy(
        update={
            "entities": tuple(e.model_copy(update={"id": ids[place]}) for place, e in agreed.items()),
            "relations": tuple(kept),
        }
    )
    return labels, Work(mentions=suggested, relations=tuple(open_relations))


def sought(found: Sequence[Revision]) -> Annotated | None:
    """What all of them looked for, so that the adjudicated labels are known to be complete in it."""
    parts = [r.document.annotated for r in found if r.document.annotated is not None]
    if not parts:
        return None
    first, *rest = parts
    return Annotated(
        entities=tuple(x for x in first.entities if all(x in p.entities for p in rest)),
        relations=tuple(x for x in first.relations if all(x in p.relations for p in rest)),
        attributes=tuple(x for x in first.attributes if all(x in p.attributes for p in rest)),
    )


def exchanged(labels: Document) -> dict[str, Any]:
    """A document's mentions and relations in the exchange format."""
    data = json.loads(to_json(labels))
    return {"entities": data["entities"], "relations": data["relations"]}


def _place(e: Entity) -> Key:
    return e.start, e.end, e.type, tuple(sorted(e.attributes.items()))
