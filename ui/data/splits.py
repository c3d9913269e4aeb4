"""Splits: dealing documents out, or putting those that the list shows into one."""

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from core.errors import ChartmarkError
from core.store import documents, splits
from core.store.connection import Store
from core.store.documents import NO_SPLIT, SPLITS, Filter
from ui.access import user

_PROBLEM = '<div class="problem" role="alert">{}</div>'


def build(store: Store) -> tuple[Any, Any]:
    """Lay out the tab; returns the events after which the store has changed."""
    gr.HTML(
        '<p class="figures">Notes of one patient stay together. Documents of a test set, and others of '
        "their patients, stay where they are; what a model was trained on never enters one.</p>"
    )
    with gr.Row():
        way = gr.Dropdown(list(splits.WAYS), value="random", label="Deal", min_width=130)
        train = gr.Number(80, label="train %", minimum=0, maximum=100, precision=0, min_width=90)
        dev = gr.Number(10, label="dev %", minimum=0, maximum=100, precision=0, min_width=90)
        test = gr.Number(10, label="test %", minimum=0, maximum=100, precision=0, min_width=90)
        seed = gr.Number(0, label="seed", precision=0, min_width=90)
        undecided = gr.Checkbox(True, label="Only documents without a split", min_width=160)
    deal = gr.Button("Deal", elem_id="deal")
    report = gr.HTML(elem_id="deal-report")
    with gr.Accordion("Move one document, with all of its patient's", open=False):
        with gr.Row():
            name = gr.Textbox(label="Document's id", elem_id="move-id")
            target = gr.Dropdown([*SPLITS, NO_SPLIT], value="train", label="to", elem_id="move-to")
            release = gr.Checkbox(False, label="Take it out of the test set if it is there")
        move = gr.Button("Move", elem_id="move")

    def run(
        way: str,
        train: float,
        dev: float,
        test: float,
        seed: float,
        undecided: bool,
        request: gr.Request,
    ) -> str:
        shares = {"train": (train or 0) / 100, "dev": (dev or 0) / 100, "test": (test or 0) / 100}
        which = Filter(split=NO_SPLIT) if undecided else Filter()
        return _told(
            lambda: _dealt(splits.deal(store, shares, way, int(seed or 0), user(request), which))
        )

    def put(name: str, target: str, release: bool, request: gr.Request) -> str:
        def moved() -> str:
            key = documents.find(store, name.strip())
            split = "" if target == NO_SPLIT else target
            n = documents.set_split(store, [key], split, user(request), release=release)
            return f"{n} documents moved to {target}"

        return _told(moved)

    private = {"api_visibility": "private"}
    return (
        deal.click(run, [way, train, dev, test, seed, undecided], report, **private),
        move.click(put, [name, target, release], report, **private),
    )


def _dealt(counts: dict[str, int]) -> str:
    return "dealt: " + ", ".join(f"{counts.get(s, 0):,} to {s}" for s in SPLITS)


def _told(action: Callable[[], str]) -> str:
    try:
        return f'<p class="figures">{escape(action())}</p>'
    except ChartmarkError as error:
        return _PROBLEM.format(escape(str(error)))
