"""One document's page: its revisions, what differs between two, and bringing one back."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.store import revisions
from core.store.connection import Store
from core.store.difference import difference
from core.store.revisions import Revision, Save
from ui import displacy
from ui.access import user

_PROBLEM = '<div class="problem" role="alert">{}</div>'


@dataclass(frozen=True, slots=True)
class Opened:
    """The page: the document's key, how it is drawn, and the button that takes it to the annotator."""

    key: gr.State
    annotate: gr.Button
    outputs: list[Any]
    show: Callable[[int | None], list[Any]]
    changed: Any


def build(store: Store) -> Opened:
    key = gr.State(None)
    seen = gr.State(list[int]())  # the revisions that the page shows
    with gr.Column(visible=False, elem_id="document") as whole:
        title = gr.HTML()
        annotate = gr.Button("Open in Annotate", size="sm", min_width=140, elem_id="annotate-this")
        with gr.Row():
            chosen = gr.Dropdown([], label="Revision", elem_id="revision", scale=3)
            other = gr.Dropdown([], label="Compared with", elem_id="compared", scale=3)
            back = gr.Button("Bring this revision back", elem_id="restore", scale=1, min_width=160)
        changes = gr.HTML(elem_id="changes")
        text = gr.HTML(elem_id="document-text")
        arcs = gr.HTML(elem_id="document-arcs")
    outputs = [whole, title, chosen, other, back, changes, text, arcs, seen]

    def show(document: int | None, revision: int | None = None) -> list[Any]:
        if document is None:
            return [gr.Column(visible=False), *[gr.skip()] * 8]
        found = store.rows("SELECT * FROM documents WHERE id = ?", document)
        if not found:
            return [gr.Column(visible=False), *[gr.skip()] * 8]
        row, past = found[0], revisions.history(store, document)
        names = [(_named(r, row["gold"]), r.id) for r in reversed(past)]
        current = next(
            (r for r in past if r.id == (revision or row["gold"])), past[-1] if past else None
        )
        head = (
            f'<h3>{escape(row["name"])}</h3><p class="figures">{escape(row["split"] or "no split")} · '
            f"{escape(row['status'])} · {len(row['text']):,} characters · added "
            f"{row['added_at'][:16].replace('T', ' ')} by {escape(row['added_by'])}</p>"
        )
        labels = current.document if current else _bare(row)
        return [
            gr.Column(visible=True), head,
            gr.Dropdown(choices=names, value=current.id if current else None, visible=bool(past)),
            gr.Dropdown(choices=[("nothing", 0), *names], value=0, visible=len(past) > 1),
            gr.Button(visible=len(past) > 1), _note(current),
            displacy.highlighted(labels, store.schema), displacy.arcs(labels, store.schema),
            [r.id for r in past],
        ]  # fmt: skip

    def compare(document: int, one: int | None, two: int | None) -> tuple[str, str, str]:
        past = {r.id: r for r in revisions.history(store, document)}
        current, old = past.get(one or 0), past.get(two or 0)
        if current is None:
            return "", "", ""
        told = _changes(old.document, current.document) if old else _note(current)
        schema = store.schema
        return (
            told,
            displacy.highlighted(current.document, schema),
            displacy.arcs(current.document, schema),
        )

    def bring_back(
        document: int, revision: int | None, known: list[int], request: gr.Request
    ) -> list[Any]:
        try:
            past = revisions.history(store, document)
            chosen = next((r for r in past if r.id == revision), None)
            if chosen is None:
                return [gr.skip()] * 9
            if [r.id for r in past] != known:
                shown = show(document)
                shown[5] = _PROBLEM.format("Somebody saved meanwhile: this is how it stands now.")
                return shown
            last = [r for r in past if r.annotator == chosen.annotator][-1]
            who = user(request)
            new = Save(
                document, chosen.annotator, chosen.document, chosen.status, last.token,
                secrets.token_hex(8), 1, chosen.note, restores=chosen.number,
            )  # fmt: skip
            return show(document, revisions.save(store, new, who).id)
        except ChartmarkError as error:
            told = _PROBLEM.format(escape(str(error)))
            return [*[gr.skip()] * 5, told, *[gr.skip()] * 3]

    gr.on(
        [chosen.input, other.input], compare, [key, chosen, other], [changes, text, arcs],
        api_visibility="private", show_progress="hidden",
    )  # fmt: skip
    restored = back.click(bring_back, [key, chosen, seen], outputs, api_visibility="private")
    return Opened(key, annotate, outputs, show, restored)


def _named(r: Revision, gold: int | None) -> str:
    mark = " · gold" if r.id == gold else ""
    by = f" by {r.saved_by}" if r.saved_by != r.annotator else ""
    at = r.saved_at[:16].replace("T", " ")
    return f"{r.annotator} {r.number} · {r.status}{mark} · {at}{by}"


def _bare(row: dict[str, Any]) -> Document:
    return Document(id=row["name"], text=row["text"], entities=(), relations=())


def _note(r: Revision | None) -> str:
    if r is None:
        return '<p class="figures">Nobody has labelled this document yet.</p>'
    return f'<p class="figures">Note: {escape(r.note)}</p>' if r.note else ""


def _changes(old: Document, new: Document) -> str:
    """What the second has that the first has not, as a list."""
    found = difference(old, new)
    if found.empty:
        return '<p class="figures">The two say the same.</p>'
    rows = [("−", _mention(old, e)) for e in found.removed]
    rows += [("+", _mention(new, e)) for e in found.added]
    rows += [("≠", f"{_mention(old, a)} → {_said(b)}") for a, b in found.changed]
    rows += [("−", _relation(old, r)) for r in found.unrelated]
    rows += [("+", _relation(new, r)) for r in found.related]
    items = "".join(f"<li><b>{sign}</b> {told}</li>" for sign, told in rows)
    return f'<ul class="changes">{items}</ul>'


def _said(e: Entity) -> str:
    return escape(" · ".join([*(e.types or (e.type,)), *e.attributes.values(), *e.concepts]))


def _mention(d: Document, e: Entity) -> str:
    return f"“{escape(d.mention(e))}” at {e.start} ({_said(e)})"


def _relation(d: Document, r: Relation) -> str:
    ends = {e.id: d.mention(e) for e in d.entities}
    return f"“{escape(ends[r.head])}” {escape(r.type)} “{escape(ends[r.tail])}”"
