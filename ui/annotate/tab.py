"""The Annotate tab, put together: the queue's settings, the annotator, reviews, agreement."""

import gradio as gr

from core.extraction import models
from core.store.connection import Store
from ui.annotate import agreement, desk, queue, review

NOTES = "notes"


def build(store: Store, shelf: models.Shelf) -> tuple[queue.Opened, gr.Tabs]:
    """Lay out the tab inside the current gr.Blocks; returns the annotator and the tabs it is among."""
    desk.build(store, shelf)
    with gr.Tabs() as tabs:
        with gr.Tab("Notes", id=NOTES):
            opened = queue.build(store, shelf)
        with gr.Tab("Review") as reviewing:
            review.build(store, reviewing)
        with gr.Tab("Agreement") as agreeing:
            agreement.build(store, agreeing)
    return opened, tabs
