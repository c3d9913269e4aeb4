"""The Data tab, put together: figures, the list, import, splits, synthetic notes."""

import gradio as gr

from core.store.connection import Store
from ui.data import document, documents, figures, importing, splits, synthetic


def build(store: Store) -> document.Opened:
    """Lay out the tab inside the current gr.Blocks; returns the document that is open in it."""
    overview = figures.build(store)
    with gr.Tabs():
        with gr.Tab("Documents"):
            listing = documents.build(store)
        with gr.Tab("Import"):
            imported = importing.build(store)
        with gr.Tab("Splits"):
            dealt = splits.build(store)
        with gr.Tab("Synthetic notes"):
            made = synthetic.build(store)
    # Whatever changes the store, and every load of the page, shows at once.
    for changed in (imported, *dealt, made, listing.changed):
        changed.then(overview.refresh, outputs=overview.outputs, **documents.QUIET)
        changed.then(listing.refresh, listing.inputs, listing.outputs, **documents.QUIET)
    gr.on(fn=overview.refresh, outputs=overview.outputs, **documents.QUIET)
    gr.on(fn=listing.refresh, inputs=listing.inputs, outputs=listing.outputs, **documents.QUIET)
    return listing.document
