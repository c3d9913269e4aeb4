"""A queue's settings, and the annotator that works through it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from core.extraction import models
from core.prelabel import read
from core.queue import BY_MODEL, ORDERS, Item, Settings, chosen, queue
from core.queue import blind as is_blind
from core.store import documents, in_use, places
from core.store.connection import Store
from core.store.documents import NO_SPLIT, SPLITS, STATUSES, Filter
from ui import faults
from ui.access import user
from ui.annotate import desk
from ui.annotator.component import Annotator

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_ANY = ""
NONE = "none"
NOTHING = "There are no documents yet. Import some in the Data tab, or make synthetic notes there."
NO_MATCH = "No document matches, or you have finished them all. Change what is in the queue above."


@dataclass(frozen=True, slots=True)
class Opened:
    """The annotator, what suggests in it, and how one document is shown in it."""

    annotator: Annotator
    model: gr.Dropdown
    other: gr.Dropdown
    show: Callable[[str, int, int], dict[str, Any]]


def build(store: Store, shelf: models.Shelf) -> Opened:
    with gr.Accordion("What is in the queue", open=False, elem_id="queue"):
        with gr.Row():
            words = gr.Textbox(label="Search", placeholder="words of the text, or an id", min_width=160)
            split = gr.Dropdown(
                [("any", _ANY), *SPLITS, NO_SPLIT], value=_ANY, label="Split", min_width=110
            )
            status = gr.Dropdown([("any", _ANY), *STATUSES], value=_ANY, label="Status", min_width=110)
            source = gr.Dropdown([("any", _ANY)], value=_ANY, label="Source", min_width=130)
            order = gr.Dropdown(
                list(ORDERS), value=ORDERS[0], label="Order", min_width=170, elem_id="queue-order"
            )
        with gr.Row():
            model = gr.Dropdown([], label="Suggestions by", min_width=170, elem_id="queue-model")
            other = gr.Dropdown([], label="Differ from (for that order)", min_width=170)
            focus = gr.Dropdown(
                [],
                multiselect=True,
                label="Annotate for (all types if empty)",
                min_width=220,
                elem_id="queue-focus",
            )
            with gr.Column(min_width=220):
                unfinished = gr.Checkbox(True, label="Leave out what I have finished")
                blind = gr.Checkbox(
                    True,
                    label="One in ten without suggestions",
                    info="Shows how suggestions sway annotators.",
                )
        start = gr.Button("Start this queue", variant="primary", elem_id="start-queue", size="sm")
    told = gr.HTML(visible=False, elem_id="queue-report")
    annotator = Annotator(elem_id="annotator")
    inputs = [words, split, status, source, order, model, other, focus, unfinished, blind]

    def settings(values: tuple[Any, ...]) -> Settings:
        words, split, status, source, order, model, other, focus, unfinished, blind = values
        return Settings(
            words=words or "", split=split, status=status, source=source, order=order,
            model="" if model == NONE else model or "", other="" if other == NONE else other or "",
            focus=tuple(focus or ()), unfinished=unfinished, blind=blind,
        )  # fmt: skip

    def begin(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        """Read what the order needs, telling how far it is, then hand the queue over."""
        wanted, who = settings(values), user(request)
        try:
            if wanted.order in BY_MODEL:
                keys = chosen(store, wanted, who)
                readers = (wanted.model, wanted.other if wanted.order == BY_MODEL[-1] else "")
                for name in filter(None, readers):
                    for done in read(store, shelf.take, keys, name, who):
                        yield [
                            _line(f"{escape(name)} has read {done:,} of {len(keys):,} documents"),
                            gr.skip(),
                        ]
            items = queue(store, wanted, who)
            yield [_line(""), _value(store, who, items, wanted)]
        except Exception as error:
            problem = f'<div class="problem" role="alert">{escape(faults.told(error))}</div>'
            yield [gr.HTML(problem, visible=True), gr.skip()]

    def load(request: gr.Request) -> list[Any]:
        """The page as its annotator left it."""
        who = user(request)
        found = places.last(store, who)
        was, document = (
            (Settings.of(found[0]), found[1]) if found else (Settings(model=in_use.model(store)), None)
        )
        known = models.available()
        was = was.possible(known)
        items = queue(store, was, who)
        at = next((i for i, item in enumerate(items) if item.id == document), 0)
        types = store.schema.entity_names
        return [
            was.words, was.split, was.status,
            gr.Dropdown([("any", _ANY), *documents.sources(store)], value=was.source), was.order,
            gr.Dropdown([NONE, *known], value=was.model or NONE),
            gr.Dropdown([NONE, *known], value=was.other or NONE),
            gr.Dropdown(list(types), value=[t for t in was.focus if t in types]),
            was.unfinished, was.blind, _value(store, who, items, was, at),
        ]  # fmt: skip

    def show(who: str, document: int, start: int) -> dict[str, Any]:
        """One document by itself, from a place in it on; the queue that was left stays as it was."""
        found = places.last(store, who)
        model = Settings.of(found[0]).model if found else in_use.model(store)
        rows = store.rows("SELECT name, sha256 FROM documents WHERE id = ?", document)
        items = [Item(document, r["name"], "", bool(model) and is_blind(r["sha256"])) for r in rows]
        return {
            **_value(store, who, items, Settings(model=model)), "settings": {}, "start": start,
        }  # fmt: skip

    start.click(
        begin,
        inputs,
        [told, annotator],
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=4,
    )
    gr.on(fn=load, outputs=[*inputs, annotator], **_QUIET)
    return Opened(annotator, model, other, show)


def _value(store: Store, who: str, items: list[Item], wanted: Settings, at: int = 0) -> dict[str, Any]:
    empty = NO_MATCH if documents.page(store, Filter(), size=1).rows else NOTHING
    return desk.value(store, who, items, wanted, at=at, empty=empty)


def _line(text: str) -> gr.HTML:
    return gr.HTML(f'<p class="figures">{text}</p>' if text else "", visible=bool(text))
