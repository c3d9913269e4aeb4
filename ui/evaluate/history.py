"""The evaluations that were made, the newest first."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.evaluation.report import ENTITIES, GIVEN, RELATIONS
from core.store import evaluations
from core.store.connection import Store

_COLUMNS = [
    "model",
    "data",
    "entities F1",
    "relations F1",
    "relations F1, gold mentions",
    "documents",
    "made",
    "by",
]
_EMPTY = (
    '<div class="empty"><p>No model has been evaluated yet.</p><p>Choose a model and documents with '
    "gold labels above. Splits are dealt in the Data tab; a corpus or a file works too.</p></div>"
)


@dataclass(frozen=True, slots=True)
class Listing:
    """`keys`: ids of the evaluations in the order of the list; `chosen`: the one that is open."""

    keys: gr.State
    chosen: gr.State


def build(store: Store, ended: gr.State) -> Listing:
    keys = gr.State(list[int]())
    chosen = gr.State(None)
    empty = gr.HTML(_EMPTY, elem_id="evaluations-empty")
    table = gr.Dataframe(
        headers=_COLUMNS,
        interactive=False,
        show_label=False,
        max_height=260,
        elem_id="evaluations",
        buttons=[],
        column_widths=["180px", "170px", "120px", "130px", "200px", "110px", "160px", "100px"],
        visible=False,
    )

    def load() -> list[Any]:
        found = evaluations.entries(store)
        rows = [
            [
                e.model,
                e.data.rsplit("/", 1)[-1] if e.data.startswith("/") else e.data,
                *(
                    f"{e.figures[k]:.3f}" if k in e.figures else "-"
                    for k in (ENTITIES, RELATIONS, GIVEN)
                ),
                e.documents,
                e.made_at[:16].replace("T", " "),
                e.made_by,
            ]
            for e in found
        ]
        newest = found[0].id if found else None
        return [
            [e.id for e in found],
            gr.Dataframe(value=rows, visible=bool(rows)),
            gr.HTML(visible=not rows),
            newest,
        ]

    def pick(known: list[int], event: gr.SelectData) -> int | None:
        return known[event.index[0]] if event.index[0] < len(known) else None

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    outputs = [keys, table, empty, chosen]
    gr.on(fn=load, outputs=outputs, **quiet)
    ended.change(load, None, outputs, **quiet)
    table.select(pick, keys, chosen, **quiet)
    return Listing(keys, chosen)
