"""The errors of an evaluation, by kind and label, each with its text, gold beside what was read."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core.document import Document, Entity, Relation
from core.evaluation import data as sets
from core.evaluation.report import Report
from core.extraction import Annotation
from core.scoring.errors import Error, errors
from core.store import evaluations
from core.store.connection import Store
from ui import displacy, faults

SIZE = 50
_ANY = ""
_COLUMNS = ["kind", "label", "gold", "read as", "document"]
_CHANGED = " · gold has changed since: these are against gold as it is now"
_AROUND = 160  # characters shown on each side of an error


@dataclass(frozen=True, slots=True)
class Errors:
    """The button that takes an error to the annotator, and where: document and place in it."""

    open: gr.Button
    place: gr.State


@dataclass(frozen=True, slots=True)
class Found:
    """One error, in its document and beside what was read there."""

    error: Error
    gold: Document
    read: Document


def build(store: Store, chosen: gr.State) -> Errors:
    place = gr.State(None)
    page = gr.State(0)
    with gr.Row(elem_classes="filters"):
        kind = gr.Dropdown(
            [("all errors", _ANY)], value=_ANY, label="Errors", min_width=200, elem_id="error-kind"
        )
        label = gr.Dropdown(
            [("any", _ANY)], value=_ANY, label="Label", min_width=140, elem_id="error-label"
        )
    table = gr.Dataframe(
        headers=_COLUMNS,
        interactive=False,
        show_label=False,
        elem_id="errors",
        max_height=320,
        buttons=[],
        column_widths=["230px", "120px", "250px", "250px", "150px"],
        wrap=False,
    )
    with gr.Row(elem_classes="pager"):
        previous = gr.Button("Previous", size="sm", min_width=90, scale=0)
        following = gr.Button("Next", size="sm", min_width=90, scale=0)
        told = gr.HTML(elem_id="errors-told")
    detail = gr.HTML(elem_id="error")
    leave = gr.Button("Open in Annotate", visible=False, size="sm", elem_id="error-annotate")

    def listed(key: int | None, kind: str, label: str, number: int) -> list[Any]:
        try:
            found, note = _found(store, key)
        except Exception as error:
            return [
                0,
                [],
                f'<div class="problem">{escape(faults.told(error))}</div>',
                "",
                gr.Button(visible=False),
            ]
        some = _matching(found, kind, label)
        number = min(number, max((len(some) - 1) // SIZE, 0))
        rows = [_row(f) for f in some[number * SIZE : (number + 1) * SIZE]]
        shown = (
            f"{number * SIZE + 1:,} to {number * SIZE + len(rows):,} of {len(some):,}"
            if rows
            else "none"
        )
        return [number, rows, f'<p class="figures">{shown}{note}</p>', "", gr.Button(visible=False)]

    def begin(key: int | None) -> list[Any]:
        report = evaluations.get(store, key) if key else None
        kinds = [(f"{k} ({sum(n.values()):,})", k) for k, n in report.errors.items()] if report else []
        labels = sorted({x for n in report.errors.values() for x in n}) if report else []
        return [
            gr.Dropdown(choices=[("all errors", _ANY), *kinds], value=_ANY),
            gr.Dropdown(choices=[("any", _ANY), *labels], value=_ANY), *listed(key, "", "", 0),
        ]  # fmt: skip

    def pick(key: int, kind: str, label: str, number: int, event: gr.SelectData) -> list[Any]:
        found, _ = _found(store, key)
        some = _matching(found, kind, label)
        at = number * SIZE + event.index[0]
        if at >= len(some):
            return [gr.skip()] * 3
        f = some[at]
        rows = store.rows("SELECT id FROM documents WHERE name = ?", f.gold.id)
        here = (rows[0]["id"], f.error.start) if rows else None
        return [_detail(f, store), gr.Button(visible=bool(rows)), here]

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    outputs = [page, table, told, detail, leave]
    chosen.change(begin, chosen, [kind, label, *outputs], **quiet)
    gr.on(
        [kind.input, label.input],
        lambda key, kind, label: listed(key, kind, label, 0),
        [chosen, kind, label], outputs, **quiet,
    )  # fmt: skip
    for button, step in ((previous, -1), (following, 1)):
        button.click(
            lambda key, kind, label, n, step=step: listed(key, kind, label, max(n + step, 0)),
            [chosen, kind, label, page], outputs, **quiet,
        )  # fmt: skip
    table.select(pick, [chosen, kind, label, page], [detail, leave, place], **quiet)
    return Errors(leave, place)


def _found(store: Store, key: int | None) -> tuple[list[Found], str]:
    """Every error of an evaluation against gold as it is now, and a word if that has changed since."""
    if key is None:
        return [], ""
    report = evaluations.get(store, key)
    # Counted too: one that was purged changed nothing that is still there.
    changed = store.rows("SELECT max(changed_at) || count(*) AS at FROM documents")[0]["at"]
    return _read(store.path, key, changed, store.schema.symmetric, report)


def _read(
    path: Path, key: int, changed: str | None, symmetric: frozenset[str], report: Report
) -> tuple[list[Found], str]:
    cached = _cache.get((path, key, changed))
    if cached is None:
        folder = report.settings.get("corpora")
        gold = sets.documents(report.data, Path(folder) if folder else None, path)
        notes = {n.id: n for n in report.notes}
        gold = [d for d in gold if d.id in notes]
        note = (
            ""
            if sets.sha256(gold) == report.data_sha256
            else " · gold has changed since: these are against gold as it is now"
        )
        found = [f for d in gold for f in _of(d, notes[d.id].reading, symmetric)]
        _cache.clear()  # one evaluation is looked at at a time
        cached = _cache[path, key, changed] = found, note
    return cached


_cache: dict[tuple[Path, int, str | None], tuple[list[Found], str]] = {}


def _of(
    d: Document, reading: dict[str, list[dict[str, object]]], symmetric: frozenset[str]
) -> list[Found]:
    read = Document.model_validate(
        {
            "id": d.id, "text": d.text,
            "entities": tuple(Entity.model_validate(e, strict=False) for e in reading["entities"]),
            "relations": tuple(Relation.model_validate(r, strict=False) for r in reading["relations"]),
        }
    )  # fmt: skip
    said = Annotation(read.entities, read.relations)
    return [Found(e, d, read) for e in errors(d, said, symmetric)]


def _matching(found: list[Found], kind: str, label: str) -> list[Found]:
    return [f for f in found if kind in ("", f.error.kind) and label in ("", f.error.label)]


def _row(f: Found) -> list[str]:
    return [
        f.error.kind,
        f.error.label,
        _said(f.gold, f.error.gold),
        _said(f.read, f.error.read),
        f.gold.id,
    ]


def _said(d: Document, x: Entity | Relation | None) -> str:
    if x is None:
        return "-"
    if isinstance(x, Entity):
        return f"{d.mention(x)} ({x.type})"
    ends = {e.id: d.mention(e) for e in d.entities}
    return f"{ends[x.head]} {x.type} {ends[x.tail]}"


def _detail(f: Found, store: Store) -> str:
    """The text around an error, twice: as gold has it and as it was read."""
    start = max(0, f.error.start - _AROUND)
    end = min(len(f.gold.text), f.error.end + _AROUND)
    # Not in the middle of a mention or a word.
    for d in (f.gold, f.read):
        start = min([start, *(e.start for e in d.entities if e.start < start < e.end)])
        end = max([end, *(e.end for e in d.entities if e.start < end < e.end)])
    while start > 0 and not f.gold.text[start - 1].isspace():
        start -= 1
    while end < len(f.gold.text) and not f.gold.text[end].isspace():
        end += 1
    told = f'<p class="figures">{escape(f.error.kind)}: {escape(f.error.label)}</p>'
    sides = "".join(
        f"<section><h4>{title}</h4>{displacy.highlighted(part, store.schema)}"
        f"{displacy.arcs(part, store.schema)}</section>"
        for title, part in (("Gold", f.gold.part(start, end)), ("Read", f.read.part(start, end)))
    )
    return f'{told}<div class="beside">{sides}</div>'
