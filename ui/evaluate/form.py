"""What to evaluate on what: starts a job, and tells how far it is, whoever started it."""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core import jobs
from core.errors import ChartmarkError
from core.extraction import models
from core.formats.mapping import corpora
from core.jobs import Job
from core.store.connection import Store
from core.store.documents import SPLITS
from ui import faults
from ui.access import user

KIND = "evaluation"
_OTHER = "a file, or a corpus"


def build(store: Store) -> gr.State:
    """The form; the state counts evaluations that ended, and changes when one does."""
    ended = gr.State("")
    with gr.Row(elem_classes="filters"):
        model = gr.Dropdown(
            [], multiselect=True, label="Models", scale=3, min_width=220, elem_id="evaluate-models"
        )
        data = gr.Dropdown([], label="Gold labels of", scale=2, min_width=180, elem_id="evaluate-data")
        run = gr.Button("Evaluate", variant="primary", scale=1, min_width=120, elem_id="evaluate-run")
        stop = gr.Button("Stop", visible=False, scale=1, min_width=80, elem_id="evaluate-stop")
    with gr.Accordion("Other data, and documents that the model was trained on", open=False):
        with gr.Row():
            path = gr.Textbox(
                label="File",
                placeholder="gold.jsonl, or a corpus's split such as bc5cdr/dev",
                elem_id="evaluate-path",
            )
            folder = gr.Textbox(
                label="Folder of corpora", placeholder="where bc5cdr, maccrobat2020, … are"
            )
        overlap = gr.Checkbox(
            False, label="Leave out what the model was trained on, instead of refusing"
        )
    told = gr.HTML(elem_id="evaluate-report")
    timer = gr.Timer(1.0, active=False)
    place = jobs.home(store.path.resolve())

    def start(
        names: list[str], chosen: str, file: str, corpora_folder: str, allow: bool, request: gr.Request
    ) -> list[Any]:
        try:
            if not names:
                raise ChartmarkError("choose one model or several")
            target = (file or "").strip() if chosen == _OTHER else chosen
            if not target:
                raise ChartmarkError("name the file or the corpus's split to evaluate on")
            words = ["evaluate", "--model", *names, "--data", _absolute(target)]
            words += ["--db", str(store.path.resolve()), "--by", user(request)]
            words += (
                ["--corpora", str(Path(corpora_folder.strip()).resolve())] if corpora_folder else []
            )
            words += ["--allow-overlap"] if allow else []
            jobs.start(
                place, KIND, f"{', '.join(names)} on {chosen if chosen != _OTHER else target}", words
            )
        except Exception as error:
            problem = f'<div class="problem" role="alert">{escape(faults.told(error))}</div>'
            return [problem, gr.skip(), gr.skip(), gr.skip()]
        return poll("")

    def poll(before: str) -> list[Any]:
        """The newest job's line, the stop button, the timer, and the id of the last one that ended."""
        last = next(iter(jobs.jobs(place, KIND)), None)
        if last is None:
            return ["", gr.Button(visible=False), gr.Timer(active=False), gr.skip()]
        finished = last.folder.name if not last.running else before
        return [
            _line(last), gr.Button(visible=last.running), gr.Timer(active=last.running),
            finished if finished != before else gr.skip(),
        ]  # fmt: skip

    def end() -> None:
        for j in jobs.jobs(place, KIND):
            if j.running:
                jobs.stop(j.folder)

    def choices() -> list[Any]:
        known = models.available()
        rows = store.rows(
            "SELECT split, count(*) AS n FROM documents WHERE gold IS NOT NULL AND split <> ''"
            " GROUP BY split"
        )
        splits = {r["split"]: r["n"] for r in rows}
        named = [(f"{s} ({splits[s]:,} documents with gold)", s) for s in SPLITS if s in splits]
        first = "test" if "test" in splits else next(iter(splits), _OTHER)
        return [
            gr.Dropdown(choices=known, value=known[:1]),
            gr.Dropdown(choices=[*named, (_OTHER, _OTHER)], value=first),
        ]

    outputs = [told, stop, timer, ended]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    run.click(start, [model, data, path, folder, overlap], outputs, **quiet)
    stop.click(end, **quiet)
    timer.tick(poll, ended, outputs, concurrency_limit=None, **quiet)
    gr.on(fn=poll, inputs=ended, outputs=outputs, **quiet)
    gr.on(fn=choices, outputs=[model, data], **quiet)
    return ended


def _absolute(data: str) -> str:
    name, _, split = data.partition("/")
    return data if data in SPLITS or (name in corpora() and split) else str(Path(data).resolve())


def _line(j: Job) -> str:
    if j.running:
        how_far = f": {j.done:,} of {j.of:,} documents read" if j.of else " is starting"
        return f'<p class="figures">{escape(j.title)}{how_far}</p>'
    if j.state == "finished":
        return f'<p class="figures">{escape(j.title)}: finished</p>'
    why = {"failed": j.message, "stopped": "stopped", "interrupted": "it was killed; start it again"}
    return f'<div class="problem" role="alert">{escape(j.title)}: {escape(why[j.state])}</div>'
