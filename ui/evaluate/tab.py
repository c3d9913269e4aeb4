"""The Evaluate tab, put together: a form that starts a job, the history, one report, two compared."""

import gradio as gr

from core.store.connection import Store
from ui.evaluate import compare, form, history, shown
from ui.evaluate.errors import Errors


def build(store: Store) -> Errors:
    """Lay out the tab inside the current gr.Blocks; returns the errors, which lead to the annotator."""
    ended = form.build(store)
    listing = history.build(store, ended)
    with gr.Tabs():
        with gr.Tab("Report"):
            errors = shown.build(store, listing.chosen)
        with gr.Tab("Compare"):
            compare.build(store, listing)
    return errors
