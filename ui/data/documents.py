"""The list of documents: search, filters, pages, export of what is shown, and one document's page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.store import documents, predictions
from core.store.connection import Store
from core.store.documents import COUNTED, NO_SPLIT, ORDERS, SPLITS, STATUSES, Filter
from ui.data import document, export

SIZE = 50
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_COLUMNS = ["id", "source", "split", "status", "patient", "changed", "length", "begins"]
_ANY = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The list: how it is drawn anew, the document that is open, and the event after which the store
    has changed."""

    document: document.Opened
    inputs: list[Any]
    outputs: list[Any]
    refresh: Callable[..., list[Any]]
    changed: Any


def build(store: Store) -> Listing:
    with gr.Row(elem_classes="filters"):
        words = gr.Textbox(
            label="Search",
            placeholder="words of the text, or an id",
            scale=3,
            min_width=220,
            elem_id="search",
        )
        split = _choice("Split", [*SPLITS, NO_SPLIT])
        status = _choice("Status", STATUSES)
        order = gr.Dropdown(list(ORDERS), value="newest first", label="Order", min_width=130)
    with gr.Accordion("More filters", open=False), gr.Row():
        source, kind, relation = (
            _choice("Source", []),
            _choice("Has type", []),
            _choice("Has relation", []),
        )
        annotator = _choice("Annotated by", [])
        one, other = _choice("Model", []), _choice("Differs from", [])
    inputs = [words, split, status, order, source, kind, relation, annotator, one, other]
    page = gr.State(0)
    shown = gr.State(list[int]())
    table = gr.Dataframe(
        headers=_COLUMNS, interactive=False, show_label=False, elem_id="documents", wrap=False,
        datatype=["str", "str", "str", "str", "str", "str", "number", "str"], max_height=360,
        column_widths=["200px", "120px", "65px", "95px", "95px", "155px", "75px", "370px"],
        buttons=[],
    )  # fmt: skip
    with gr.Row(elem_classes="pager"):
        previous = gr.Button("Previous", size="sm", min_width=90, scale=0)
        following = gr.Button("Next", size="sm", min_width=90, scale=0, elem_id="next-page")
        place = gr.HTML(elem_id="place")
    opened = document.build(store)
    export.build(store, made_filter, inputs)

    def refresh(number: int, *values: Any) -> list[Any]:
        found = documents.page(store, made_filter(*values), values[3], size=SIZE, first=number * SIZE)
        rows = [
            [
                r["name"], r["source"], r["split"], r["status"], r["patient"],
                r["changed_at"][:16].replace("T", " "), r["length"], " ".join(r["start"].split()),
            ]
            for r in found.rows
        ]  # fmt: skip
        first = number * SIZE + 1
        total = f"{COUNTED:,} or more" if found.found >= COUNTED else f"{found.found:,}"
        told = f"{first:,} to {first + len(rows) - 1:,} of {total}" if rows else "no documents"
        return [
            number, [r["id"] for r in found.rows], rows, f'<p class="figures">{told}</p>',
            gr.Button(interactive=number > 0), gr.Button(interactive=len(rows) == SIZE),
            *_choices(store),
        ]  # fmt: skip

    drawn: list[Any] = [page, shown, table, place, previous, following]
    outputs = [*drawn, source, kind, relation, annotator, one, other]
    gr.on(
        [c.change if c is not words else c.submit for c in inputs] + [words.blur],
        lambda *values: refresh(0, *values)[:6], inputs, drawn,
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    for button, step in ((previous, -1), (following, 1)):
        button.click(
            lambda number, *values, step=step: refresh(max(number + step, 0), *values)[:6],
            [page, *inputs], drawn, **QUIET,
        )  # fmt: skip

    def chosen(keys: list[int], event: gr.SelectData) -> int | None:
        return keys[event.index[0]] if event.index[0] < len(keys) else None

    table.select(chosen, shown, opened.key, **QUIET).then(
        opened.show, opened.key, opened.outputs, **QUIET
    )
    return Listing(opened, [page, *inputs], outputs, refresh, opened.changed)


def made_filter(*values: Any) -> Filter:
    """The Filter that the components' values say."""
    words, split, status, _, source, kind, relation, annotator, one, other = (v or "" for v in values)
    return Filter(
        words=words, split=split, status=status, source=source, type=kind, relation=relation,
        annotator=annotator, models=(one, other) if one and other else None,
    )  # fmt: skip


def _choice(label: str, values: Any) -> gr.Dropdown:
    return gr.Dropdown([("any", _ANY), *values], value=_ANY, label=label, min_width=110)


def _choices(store: Store) -> list[Any]:
    """What there is to choose from, for the filters that depend on it."""
    schema, models = store.schema, predictions.models(store)

    def column(sql: str) -> list[str]:
        return [r["x"] for r in store.rows(sql) if r["x"]]

    return [
        gr.Dropdown(choices=[("any", _ANY), *((v, v) for v in values)])
        for values in (
            column("SELECT DISTINCT source AS x FROM documents ORDER BY 1"),
            schema.entity_names,
            schema.relation_names,
            column("SELECT DISTINCT annotator AS x FROM revisions ORDER BY 1"),
            models,
            models,
        )
    ]
