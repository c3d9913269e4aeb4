"""Two evaluations of the same documents: where they differ, whether by chance, and note by note."""

from html import escape
from typing import Any

import gradio as gr

from core.evaluation.versus import Versus, versus
from core.store import evaluations
from core.store.connection import Store
from ui import faults
from ui.evaluate.history import Listing

_DIFFERENCES = ["kind", "first", "second", "difference, micro F1", "95% interval", "p"]
_NOTES = ["document", "kind", "more right", "more wrong", "more missed"]


def build(store: Store, listing: Listing) -> None:
    with gr.Row(elem_classes="filters"):
        one = gr.Dropdown([], label="First", min_width=220, elem_id="compare-one")
        other = gr.Dropdown([], label="Second", min_width=220, elem_id="compare-other")
    told = gr.HTML(elem_id="compare-report")
    table = gr.Dataframe(
        headers=_DIFFERENCES,
        interactive=False,
        show_label=False,
        elem_id="differences",
        buttons=["copy"],
        datatype=["str", "markdown", "markdown", "str", "str", "str"],
        wrap=True,
    )
    gr.Markdown("Gains and losses of the first, document by document")
    notes = gr.Dataframe(
        headers=_NOTES,
        interactive=False,
        show_label=False,
        elem_id="note-differences",
        max_height=360,
        buttons=["copy"],
    )

    def choices() -> list[Any]:
        named = [
            (f"{e.model} on {e.data}, {e.made_at[:16].replace('T', ' ')}", e.id)
            for e in evaluations.entries(store)
        ]
        return [
            gr.Dropdown(choices=named, value=named[0][1] if named else None),
            gr.Dropdown(choices=named, value=named[1][1] if len(named) > 1 else None),
        ]

    def show(first: int | None, second: int | None) -> list[Any]:
        if first is None or second is None:
            return [
                '<p class="figures">Two evaluations of the same documents are compared here.</p>',
                [],
                [],
            ]
        try:
            found = versus(evaluations.get(store, first), evaluations.get(store, second))
        except Exception as error:
            return [f'<div class="problem" role="alert">{escape(faults.told(error))}</div>', [], []]
        return ["", difference_rows(found), [list(n) for n in found.notes]]

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    listing.keys.change(choices, None, [one, other], **quiet)
    # Both change when the list is drawn: the last pair counts.
    gr.on(
        [one.change, other.change], show, [one, other], [told, table, notes],
        trigger_mode="always_last", **quiet,
    )  # fmt: skip


def difference_rows(found: Versus) -> list[list[str]]:
    """A kind a row; the better one in bold where a paired bootstrap gives p < 0.05, and only there."""
    rows = []
    for kind, d in found.differences.items():
        one, other = f"{d.one:.3f}", f"{d.other:.3f}"
        if d.significant:
            one, other = (f"**{one}**", other) if d.f1 > 0 else (one, f"**{other}**")
        rows.append([kind, one, other, f"{d.f1:+.3f}", f"{d.low:+.3f} to {d.high:+.3f}", f"{d.p:.4f}"])
    return rows
