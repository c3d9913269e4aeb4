"""The page: a quiet header and the tabs in the order of the loop."""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core.extraction import models
from core.store.connection import Store
from ui import extract
from ui.access import user
from ui.annotate import tab as annotate
from ui.data import tab as data
from ui.evaluate import tab as evaluate

STYLE = Path(__file__).with_name("style.css")
# Downloads that nobody fetched: looked for every ten minutes, deleted when an hour old.
DELETE_CACHE = (600, 3600)
# System fonts only: a web font would be fetched from outside.
THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="slate",
    radius_size="md",
    font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
    font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
).set(
    # The defaults are too pale to read: white on teal-500, slate-400 on white.
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
)


def build(store: Store, problem: str | None = None) -> gr.Blocks:
    """The whole page over a store. `problem`, something about this machine, is told in the header."""
    shelf = models.Shelf()
    with gr.Blocks(title="Chartmark", analytics_enabled=False, delete_cache=DELETE_CACHE) as app:
        gr.HTML(_header(problem), elem_id="header")
        # The system's choice holds until it is pressed.
        theme = gr.Button("Light / dark", size="sm", elem_id="theme")
        theme.click(None, js="() => document.body.classList.toggle('dark')", api_visibility="private")
        with gr.Tabs() as tabs:
            with gr.Tab("Extract", id="extract"):
                extract.build(shelf)
            with gr.Tab("Annotate", id="annotate"):
                annotator, parts = annotate.build(store, shelf)
            with gr.Tab("Data", id="data"):
                document = data.build(store)
            with gr.Tab("Evaluate", id="evaluate"):
                errors = evaluate.build(store)

        def hand_over(who: str, key: int, start: int) -> list[Any]:
            """A document to the annotator, at a place in it."""
            chosen = gr.Tabs(selected="annotate"), gr.Tabs(selected=annotate.NOTES)
            return [annotator.show(who, key, start), *chosen]

        def from_data(key: int, request: gr.Request) -> list[Any]:
            return hand_over(user(request), key, 0)

        def from_error(place: tuple[int, int], request: gr.Request) -> list[Any]:
            return hand_over(user(request), *place)

        there: list[Any] = [annotator.annotator, tabs, parts]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        document.annotate.click(from_data, document.key, there, **quiet)
        errors.open.click(from_error, errors.place, there, **quiet)
    return app


def _header(problem: str | None) -> str:
    note = f'<span class="problem">{escape(problem)}</span>' if problem else ""
    return (
        "<header><h1>Chartmark</h1><span>entities and relations in clinical text · "
        f"a first version, not a medical device</span>{note}</header>"
    )
