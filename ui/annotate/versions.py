"""Several annotators' versions of one document, as a reviewer works on them."""

import json
from collections.abc import Sequence
from typing import Any

from core.document import Annotated, Document, Entity, Relation, to_json
from core.errors import ChartmarkError
from core.schema import Schema
from core.store import work
from core.store.connection import Store
from core.store.revisions import ADJUDICATED, IMPORTED, Revision, history
from core.store.work import SuggestedRelation, Suggestion, Work

Key = tuple[object, ...]
Triple = tuple[Key, str, Key]


def complete(store: Store, document: int) -> list[Revision]:
    """The newest complete revision of each annotator who made one, in the order of their names."""
    newest = {
        r.annotator: r
        for r in history(store, document)
        if r.status == "complete" and r.annotator not in (IMPORTED, ADJUDICATED)
    }
    return [newest[name] for name in sorted(newest)]


def reviewed(store: Store, document: int, own: Revision | None) -> dict[str, Any]:
    """The versions, what was decided or is common as labels, and where they differ as suggestions.

    A review that was begun goes on as it was left, unless there are other versions by now: then what
    was decided stays, and all that it does not have is suggested. Raises ChartmarkError unless two
    people completed the document.
    """
    found = complete(store, document)
    if len(found) < 2:
        raise ChartmarkError("a review needs versions that two people completed; build the list again")
    looked = sought(found)
    past = work.of(store, own.id) if own else None
    tokens = tuple(r.token for r in found)
    if own and past and past.versions == tokens:
        labels, differences = own.document, past
    else:
        labels, differences = merged(found, store.schema)
        if own:
            labels, differences = own.document, against(own.document, differences, store.schema)
    return {
        "versions": [
            {"annotator": r.annotator, "token": r.token, "labels": exchanged(r.document)} for r in found
        ],
        "annotated": looked and json.loads(to_json(looked)),
        "labels": exchanged(labels),
        "suggestions": differences.model_dump(mode="json"),
    }


def merged(found: Sequence[Revision], schema: Schema) -> tuple[Document, Work]:
    """What all versions say, as labels, and everything else as suggestions by those who say it."""
    mentions: dict[Key, tuple[Entity, dict[str, None]]] = {}
    relations: dict[Triple, tuple[Relation, dict[str, None]]] = {}
    for r in found:
        places = {e.id: _place(e, schema) for e in r.document.entities}
        for e in r.document.entities:
            mentions.setdefault(places[e.id], (e, {}))[1][r.annotator] = None
        for x in r.document.relations:
            relations.setdefault(_triple(x, places, schema), (x, {}))[1][r.annotator] = None
    ids = {place: f"T{i}" for i, place in enumerate(mentions, start=1)}
    agreed = {place: e for place, (e, by) in mentions.items() if len(by) == len(found)}
    suggested = tuple(
        Suggestion(
            key=f"?{ids[place]}", start=e.start, end=e.end, type=e.type, attributes=e.attributes,
            fragments=e.fragments, concepts=e.concepts, by=", ".join(by),
            outcome="accepted" if place in agreed else "open",
            became=ids[place] if place in agreed else None, there=place in agreed,
        )
        for place, (e, by) in mentions.items()
    )  # fmt: skip
    kept: list[Relation] = []
    differing: list[SuggestedRelation] = []
    for (head, name, tail), (x, by) in relations.items():
        if len(by) == len(found):
            kept.append(x.model_copy(update={"head": ids[head], "tail": ids[tail]}))
        else:
            differing.append(
                SuggestedRelation(
                    key=f"?R{len(differing)}", type=name, by=", ".join(by),
                    head=f"?{ids[head]}", tail=f"?{ids[tail]}",
                )
            )  # fmt: skip
    labels = found[0].document.model_copy(
        update={
            "entities": tuple(e.model_copy(update={"id": ids[place]}) for place, e in agreed.items()),
            "relations": tuple(kept),
        }
    )
    return labels, Work(
        versions=tuple(r.token for r in found), mentions=suggested, relations=tuple(differing)
    )


def against(labels: Document, differences: Work, schema: Schema) -> Work:
    """Differences beside labels that were decided on: what these have is no longer open."""
    here = {_place(e, schema): e.id for e in labels.entities}
    keys = {}
    mentions = []
    for s in differences.mentions:
        place = _place(s, schema)
        keys[s.key] = became = here.get(place)
        told = {"outcome": "accepted" if became else "open", "became": became, "there": bool(became)}
        mentions.append(s.model_copy(update=told))
    stated = {(r.head, r.type, r.tail) for r in labels.relations}
    stated |= {(r.tail, r.type, r.head) for r in labels.relations if r.type in schema.symmetric}
    relations = []
    for x in differences.relations:
        triple = (keys.get(x.head) or "", x.type, keys.get(x.tail) or "")
        if triple in stated:
            x = x.model_copy(update={"outcome": "accepted", "became": triple, "there": True})
        relations.append(x)
    return differences.model_copy(update={"mentions": tuple(mentions), "relations": tuple(relations)})


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


def _place(e: Entity | Suggestion, schema: Schema) -> Key:
    values = tuple(e.attributes.get(a.name, a.default) for a in schema.attributes)
    return e.start, e.end, e.fragments, e.type, values


def _triple(r: Relation, places: dict[str, Key], schema: Schema) -> Triple:
    head, tail = places[r.head], places[r.tail]
    if r.type in schema.symmetric and str(tail) < str(head):
        head, tail = tail, head
    return head, r.type, tail
