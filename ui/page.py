"""The page: a quiet header and the tabs in the order of the loop."""

from html import escape
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr
from anyio import to_thread

from core.extraction import models
from core.store import in_use, runs
from core.store.connection import Store
from training import run
from ui import extract, faults
from ui.access import user
from ui.annotate import tab as annotate
from ui.annotate.queue import NONE
from ui.data import tab as data
from ui.evaluate import tab as evaluate
from ui.train import tab as train

STYLE = Path(__file__).with_name("style.css")
# Downloads that nobody fetched: looked for every ten minutes, deleted when an hour old.
DELETE_CACHE = (600, 3600)
# The tab stands in the address, so that a page that loads itself anew (the server was started again)
# comes back to it. Gradio selects the first tab before a page is loaded: that must not be remembered.
_REMEMBER = "() => document.body.dataset.loaded && history.replaceState(null, '', '#{}')"
_RETURN = """() => {
    document.body.dataset.loaded = "yes"
    document.getElementById(`tab-${location.hash.slice(1)}-button`)?.click()
}"""
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


class Page(gr.Blocks):  # type: ignore[misc]  # gradio gives no types
    """Runs no handler until torch is imported: of two threads that import it at once, one can meet
    modules that the other has half made. Requests are answered at once: clients wait for 5 s.

    What goes wrong in any of them is told in words: gradio says "Error", and prints what may be a note.
    """

    ready: Event

    async def call_function(self, *args: Any, **kwargs: Any) -> Any:
        if not self.ready.is_set():
            await to_thread.run_sync(self.ready.wait)
        try:
            return await super().call_function(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(escape(faults.told(error)), print_exception=False) from None


def build(store: Store, problem: str | None, ready: Event) -> gr.Blocks:
    """The whole page over a store. `problem`, something about this machine, is told in the header;
    nothing runs before `ready`."""
    shelf = models.Shelf(busy=lambda: run.active() is not None)
    with Page(title="Chartmark", analytics_enabled=False, delete_cache=DELETE_CACHE) as app:
        app.ready = ready
        header = gr.HTML(_header(store, problem), elem_id="header")
        # The system's choice holds until it is pressed.
        theme = gr.Button("Light / dark", size="sm", elem_id="theme")
        theme.click(None, js="() => document.body.classList.toggle('dark')", api_visibility="private")
        with gr.Tabs() as tabs:
            with _tab("Extract"):
                model = extract.build(store, shelf)
            with _tab("Annotate"):
                notes, parts = annotate.build(store, shelf)
            with _tab("Data"):
                document = data.build(store)
            with _tab("Train"):
                trained, used = train.build(store, shelf)
            with _tab("Evaluate"):
                errors = evaluate.build(store)
        app.load(None, js=_RETURN, api_visibility="private")

        def hand_over(who: str, key: int, start: int) -> list[Any]:
            """A document to the annotator, at a place in it."""
            chosen = gr.Tabs(selected="annotate"), gr.Tabs(selected=annotate.NOTES)
            return [notes.show(who, key, start), *chosen]

        def from_data(key: int, request: gr.Request) -> list[Any]:
            return hand_over(user(request), key, 0)

        def from_error(place: tuple[int, int], request: gr.Request) -> list[Any]:
            return hand_over(user(request), *place)

        there: list[Any] = [notes.annotator, tabs, parts]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        gr.on(
            [app.load, trained.change, used.change], lambda: _header(store, problem), None, header,
            **quiet,
        )  # fmt: skip
        trained.change(_choices, None, [model, notes.model, notes.other], **quiet)
        used.change(_begin_with, [used, notes.model], [model, notes.model], **quiet)
        document.annotate.click(from_data, document.key, there, **quiet)
        errors.open.click(from_error, errors.place, there, **quiet)
    return app


def _choices() -> list[Any]:
    known = models.available()
    return [gr.Dropdown(choices=known), *[gr.Dropdown(choices=[NONE, *known]) for _ in range(2)]]


def _begin_with(name: str, suggests: str) -> list[Any]:
    """Extract with a model; suggestions too, unless their annotator wants none."""
    return [gr.Dropdown(value=name), suggests if suggests == NONE else gr.Dropdown(value=name)]


def _tab(name: str) -> gr.Tab:
    tab = gr.Tab(name, id=name.lower(), elem_id=f"tab-{name.lower()}")
    tab.select(None, js=_REMEMBER.format(name.lower()), api_visibility="private")
    return tab


def _header(store: Store, problem: str | None) -> str:
    """The model in use, what was corrected since, the run in progress."""
    name, job = in_use.model(store), run.active()
    facts = [f"model in use: {name}"]
    if corrected := runs.corrected_since(store, in_use.since(store)):
        facts.append(f"{corrected:,} notes corrected since")
    if job:
        facts.append(f"{job.title} {'waits' if job.state == 'waiting' else 'is training'}")
    note = f'<span class="problem">{escape(problem)}</span>' if problem else ""
    return (
        "<header><h1>Chartmark</h1><span>entities and relations in clinical text · "
        "a first version, not a medical device</span>"
        f'<span class="state">{escape(" · ".join(facts))}</span>{note}</header>'
    )
