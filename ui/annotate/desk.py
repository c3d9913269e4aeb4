"""What the annotator's page asks of the server: open a document, save labels, remember the place.

Plain JSON in and out. Offsets here are code points; the page counts in UTF-16 units by itself.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

import gradio as gr
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.document import Annotated, Document, RelationSought, explain, to_json
from core.errors import ChartmarkError
from core.extraction import models
from core.prelabel import reading
from core.queue import Item, Settings
from core.schema import Schema
from core.store import places, revisions, work
from core.store.connection import Store
from core.store.revisions import ADJUDICATED, IMPORTED, Conflict, Overtaken, Revision, Save
from core.store.work import Work
from ui import faults
from ui.access import user
from ui.annotate import versions
from ui.annotate.suggest import suggestions
from ui.annotate.versions import exchanged

Answer = dict[str, Any]
Mode = Literal["annotate", "review"]


class Asked(BaseModel):
    """A document that the page shows, or will show next."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    document: int
    who: str
    mode: Mode = "annotate"
    model: str = ""
    blind: bool = False
    focus: list[str] = []
    settings: dict[str, Any] = {}


class Saved(BaseModel):
    """Labels as the page sends them."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    document: int
    who: str
    mode: Mode = "annotate"
    sha256: str
    base: str
    sitting: str = Field(min_length=8, max_length=64)
    sequence: int
    status: revisions.Status
    note: str = ""
    annotated: dict[str, Any] | None = None
    labels: dict[str, Any]
    versions: list[str] = []
    work: Work


def build(store: Store, shelf: models.Shelf) -> None:
    """Let the page call these, inside the current gr.Blocks. Not queued: an edit waits for nobody."""

    def endpoint(name: str, run: Callable[[Any, str], Answer], shape: type[BaseModel]) -> None:
        def handle(payload: dict[str, Any], request: gr.Request) -> dict[str, Any]:
            try:
                sent: Any = shape.model_validate(payload)
                if sent.who != user(request):
                    raise ChartmarkError(
                        f"this page is {sent.who}'s, and you are logged in as {user(request)} by now: "
                        f"log in as {sent.who} again in another tab"
                    )
                return run(sent, sent.who)
            except ValidationError as error:
                return {"problem": explain(error)}
            except Exception as error:
                return {"problem": faults.told(error)}

        gr.api(handle, api_name=name, queue=False, api_visibility="undocumented")

    endpoint("annotate-open", lambda asked, who: opened(store, shelf, asked, who), Asked)
    endpoint("annotate-save", lambda sent, who: saved(store, sent, who), Saved)
    endpoint("annotate-place", lambda asked, who: placed(store, asked, who), Asked)


def value(
    store: Store,
    who: str,
    items: list[Item],
    settings: Settings,
    *,
    at: int = 0,
    mode: Mode = "annotate",
    empty: str = "",
) -> Answer:
    """A queue as the component's value. Its `id` tells a new queue from the same one shown again;
    `who` is whose page it is, and stays so whoever logs in meanwhile."""
    return {
        "id": secrets.token_hex(8),
        "who": who,
        "queue": [asdict(i) for i in items],
        "at": at,
        "mode": mode,
        "model": settings.model,
        "focus": list(settings.focus),
        "settings": settings.values(),
        "schema": store.schema.model_dump(mode="json"),
        "empty": empty,
    }


def opened(store: Store, shelf: models.Shelf, asked: Asked, who: str) -> Answer:
    """A document with labels to go on from, and suggestions. Raises ChartmarkError if it is gone."""
    rows = store.rows("SELECT name, text, sha256, split FROM documents WHERE id = ?", asked.document)
    if not rows:
        raise ChartmarkError("this document is no longer in the store; build the queue again")
    (row,) = rows
    review = asked.mode == "review"
    annotator = ADJUDICATED if review else who
    own = revisions.newest(store.db, asked.document, annotator)
    answer: Answer = {
        "document": asked.document, **row,
        "base": own.token if own else "",
        "status": own.status if own else "new",
        "note": own.note if own else "",
        "blind": False,
        "suggestions": None,
    }  # fmt: skip
    if review:
        answer |= versions.reviewed(store, asked.document, own)
    else:
        start = own or revisions.newest(store.db, asked.document, IMPORTED)
        labels = (
            start.document
            if start
            else Document(id=row["name"], text=row["text"], entities=(), relations=())
        )
        looked = looked_for(start, asked.focus, store.schema)
        past = work.of(store, own.id) if own else None
        answer["labels"] = exchanged(labels)
        answer["annotated"] = looked and json.loads(to_json(looked))
        answer["blind"] = past.blind if past else asked.blind
        if past and (past.model or past.blind or (own and own.status != "draft")):
            answer["suggestions"] = past.model_dump(mode="json")
        elif asked.model and not answer["blind"]:
            answer |= _suggested(store, shelf, asked, labels, who)
    return answer


def _suggested(store: Store, shelf: models.Shelf, asked: Asked, labels: Document, who: str) -> Answer:
    """The model's suggestions; if it fails, a word of warning, and the note can be labelled by hand."""
    try:
        said = reading(store, shelf.take, asked.document, asked.model, who)
    except Exception as error:
        return {"warning": f"without suggestions: {faults.told(error)}"}
    if said is None:
        return {}
    found = suggestions(said, labels, asked.model, asked.focus, store.schema)
    return {"suggestions": found.model_dump(mode="json")}


def placed(store: Store, asked: Asked, who: str) -> Answer:
    """Remember where the annotator is."""
    if asked.mode == "annotate" and asked.settings:
        places.remember(store, who, asked.settings, asked.document)
    return {}


def saved(store: Store, sent: Saved, who: str) -> Answer:
    """Save labels; the new token, or, if somebody saved meanwhile, both versions' other one."""
    review = sent.mode == "review"
    annotator = ADJUDICATED if review else who
    rows = store.rows("SELECT name, text, sha256 FROM documents WHERE id = ?", sent.document)
    if not rows or rows[0]["sha256"] != sent.sha256:
        raise ChartmarkError("this document is no longer in the store, or has another text")
    start = revisions.newest(store.db, sent.document, annotator)
    if review:
        found = versions.complete(store, sent.document)
        if len(found) < 2:
            raise ChartmarkError("a review needs versions that two people completed")
        if [r.token for r in found] != sent.versions:
            return {"stale": True}
        start = start or found[0]
    start = start or revisions.newest(store.db, sent.document, IMPORTED)
    # What the page does not show (concept relations, keys of other programs) stays as it was.
    whole = json.loads(to_json(start.document)) if start else {}
    whole |= {
        "id": rows[0]["name"],
        "text": rows[0]["text"],
        "annotated": sent.annotated,
        **sent.labels,
    }
    labels = Document.model_validate_json(json.dumps(whole))
    new = Save(
        sent.document, annotator, labels, sent.status, sent.base, sent.sitting, sent.sequence,
        sent.note, work=sent.work.model_copy(update={"versions": tuple(sent.versions)}),
    )  # fmt: skip
    try:
        made = revisions.save(store, new, who)
    except Overtaken:
        newest = revisions.newest(store.db, sent.document, annotator)
        return {"token": newest.token if newest else ""}
    except Conflict as conflict:
        return {"conflict": _theirs(conflict.theirs)}
    return {"token": made.token}


def looked_for(start: Revision | None, focus: list[str], schema: Schema) -> Annotated | None:
    """What the labels will say their annotators looked for; None: everything.

    What was looked for before, and `focus`. It never gets wider by itself: an annotator who looks for
    all types in labels that say less has to say so on the page.
    """
    before = start.document.annotated if start else Annotated()
    if before is None or (not focus and start is None):
        return None
    if not focus:
        return before
    types = [n for n in schema.entity_names if n in (*before.entities, *focus)]
    relations = [
        RelationSought(type=r, head=h, tail=t)
        for h in types
        for t in types
        if h in focus or t in focus
        for r in schema.allowed(h, t)
    ]
    new = [r for r in relations if r not in before.relations]
    return Annotated(
        entities=tuple(types),
        relations=(*before.relations, *new),
        attributes=before.attributes if start else tuple(a.name for a in schema.attributes),
    )


def _theirs(r: Revision) -> Answer:
    looked = r.document.annotated
    return {
        "token": r.token, "status": r.status, "note": r.note, "saved_by": r.saved_by,
        "saved_at": r.saved_at, "labels": exchanged(r.document),
        "annotated": looked and json.loads(to_json(looked)),
    }  # fmt: skip
