"""The Train tab, put together: the form, the run in progress, the list of runs."""

import gradio as gr

from core.extraction.models import Shelf
from core.store.connection import Store
from ui.train import form, history, monitor


def build(store: Store, shelf: Shelf) -> tuple[gr.State, gr.State]:
    """Lay out the tab inside the current gr.Blocks; the states change with runs, and with the model in
    use."""
    asked = form.build(store, shelf)
    changed, look_after = monitor.build(asked)
    with gr.Accordion("All runs", open=True):
        used = history.build(store, changed, look_after)
    return changed, used
