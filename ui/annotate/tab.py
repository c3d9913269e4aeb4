"""The Annotate tab, put together: the queue's settings, the annotator, reviews, agreement."""

import gradio as gr

from core.extraction import models
from core.store.connection import Store
from ui.annotate import agreement, desk, queue, review


def build(store: Store, shelf: models.Shelf) -> queue.Opened:
    """Lay out the tab inside the current gr.Blocks."""
    desk.build(store, shelf)
    with gr.Tabs():
        with gr.Tab("Notes"):
            opened = queue.build(store, shelf)
        with gr.Tab("Review") as reviewing:
            review.build(store, reviewing)
        with gr.Tab("Agreement") as agreeing:
            agreement.build(store, agreeing)
    return opened
