"""Reviews: documents that several people completed, decided between into the adjudicated gold."""

from typing import Any

import gradio as gr

from core.queue import Item, Settings
from core.store.connection import Store
from ui.access import user
from ui.annotate import desk
from ui.annotator.component import Annotator

_NOBODY = (
    "No document has been completed by two people. When one has, its versions stand here side by side, "
    "with what differs marked, to be accepted from either into the adjudicated gold."
)


def build(store: Store, tab: gr.Tab) -> None:
    decided = gr.Checkbox(False, label="Show what was decided already, too", elem_id="review-decided")
    annotator = Annotator(elem_id="reviewer")

    def load(everything: bool, request: gr.Request) -> dict[str, Any]:
        items = disputed(store, everything=everything)
        return desk.value(store, user(request), items, Settings(), mode="review", empty=_NOBODY)

    gr.on(
        [tab.select, decided.change],
        load,
        decided,
        annotator,
        api_visibility="private",
        show_progress="hidden",
    )


def disputed(store: Store, *, everything: bool) -> list[Item]:
    """Documents that two people or more completed; those decided already only with `everything`."""
    rows = store.rows(
        "SELECT d.id, d.name, (SELECT status FROM revisions a WHERE a.document = d.id"
        " AND a.annotator = 'adjudicated' ORDER BY a.number DESC LIMIT 1) AS status"
        " FROM documents d JOIN revisions r ON r.document = d.id AND r.status = 'complete'"
        " AND r.annotator NOT IN ('imported', 'adjudicated')"
        " GROUP BY d.id HAVING count(DISTINCT r.annotator) > 1 ORDER BY d.id"
    )
    return [
        Item(r["id"], r["name"], r["status"] or "new", blind=False)
        for r in rows
        if everything or r["status"] != "complete"
    ]
