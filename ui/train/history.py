"""Every run: figures and curves side by side; the model in use, names, deletion, export."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core import jobs
from core.errors import ChartmarkError
from core.extraction import models
from core.store import in_use
from core.store.connection import Store
from training import run
from ui import faults
from ui.access import user
from ui.train import monitor

_COLUMNS = ["in use", "run", "state", "preset", "entity F1", "relation F1", "on new notes", "took"]


def build(store: Store, changed: gr.State, look_after: Callable[[Any], Any]) -> gr.State:
    """Lay out the list; the state changes with the model in use. `look_after` has the run above shown
    anew after an event here."""
    used = gr.State("")
    keys = gr.State(list[str]())
    table = gr.Dataframe(
        headers=_COLUMNS, interactive=False, show_label=False, max_height=300, elem_id="runs",
        buttons=[], visible=False,
        column_widths=["70px", "260px", "100px", "190px", "100px", "120px", "150px", "90px"],
    )  # fmt: skip
    with gr.Row(visible=False) as tools:
        chosen = gr.Dropdown(
            [], multiselect=True, label="Runs (several: their curves together)", scale=3,
            min_width=240, elem_id="runs-chosen",
        )  # fmt: skip
        use = gr.Button("Use this model", variant="primary", scale=1, min_width=170, elem_id="runs-use")
        name = gr.Textbox(label="New name", scale=1, min_width=120, max_lines=1, elem_id="runs-name")
        rename = gr.Button("Rename", scale=1, min_width=90, elem_id="runs-rename")
        delete = gr.Button("Delete …", scale=1, min_width=90, elem_id="runs-delete")
        sure = gr.Button(
            "Delete for good", variant="stop", visible=False, scale=1, min_width=90, elem_id="runs-sure"
        )
        pack = gr.DownloadButton("Export as zip", scale=1, min_width=110, elem_id="runs-export")
    told = gr.HTML(elem_id="runs-told")
    detail = gr.HTML(elem_id="runs-detail")

    def load() -> list[Any]:
        known = run.runs()
        current = in_use.model(store)
        rows = [_row(j, current) for j in known]
        choices = [(j.title, j.folder.name) for j in known]
        return [
            [j.folder.name for j in known],
            gr.Dataframe(value=rows, visible=bool(rows)),
            gr.Row(visible=bool(rows)),
            gr.Dropdown(choices=choices),
        ]

    def pick(known: list[str], event: gr.SelectData) -> list[str]:
        return [known[event.index[0]]] if event.index[0] < len(known) else []

    def show(names: list[str]) -> list[Any]:
        shown = [jobs.job(run.find(n)) for n in names if n in {j.folder.name for j in run.runs()}]
        parts = [monitor.status(j) for j in shown] + ([monitor.curves(shown)] if shown else [])
        return ["".join(parts), gr.Button(visible=False), gr.Button(visible=True)]

    def change(what: str, names: list[str], title: str, request: gr.Request) -> list[Any]:
        try:
            if len(names) != 1:
                raise ChartmarkError("choose one run in the list")
            if what == "use":
                in_use.use(store, names[0], user(request))
                said = f"{names[0]} is in use now: Extract and suggestions begin with it."
            elif what == "rename":
                if not (title or "").strip():
                    raise ChartmarkError("type the new name first")
                jobs.rename(run.find(names[0]), title.strip()[:80])
                said = "Renamed."
            else:
                before = in_use.model(store)
                run.delete(names[0])
                said = "Deleted, with the model that it made."
                if before == names[0]:
                    said += f" It was in use: {in_use.model(store)} is again."
            *listed, choice = load()
            if what == "delete":
                choice = gr.Dropdown(choices=choice.choices, value=[])
            told_of = f'<p class="figures">{escape(said)}</p>'
            return [told_of, in_use.model(store), *listed, choice]
        except Exception as error:
            problem = f'<div class="problem" role="alert">{escape(faults.told(error))}</div>'
            return [problem, gr.skip(), *[gr.skip()] * 4]

    def acting(what: str) -> Callable[..., list[Any]]:
        def act(names: list[str], title: str, request: gr.Request) -> list[Any]:
            return change(what, names, title, request)

        return act

    def zipped(names: list[str]) -> Any:
        if len(names) != 1 or names[0] not in models.available():
            return gr.DownloadButton(visible=False)
        target = Path(pack.GRADIO_CACHE) / f"{names[0]}.zip"
        run.export(names[0], target)
        return gr.DownloadButton(value=str(target), visible=True)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    listing = [keys, table, tools, chosen]
    gr.on(fn=load, outputs=listing, **quiet)
    changed.change(load, None, listing, **quiet)
    table.select(pick, keys, chosen, **quiet)
    chosen.change(show, chosen, [detail, sure, delete], **quiet)
    changed.change(show, chosen, [detail, sure, delete], **quiet)
    delete.click(
        lambda: [gr.Button(visible=True), gr.Button(visible=False)], None, [sure, delete], **quiet
    )
    outputs = [told, used, *listing]
    for button, what in ((use, "use"), (rename, "rename"), (sure, "delete")):
        done = button.click(acting(what), [chosen, name], outputs, **quiet)
        done.then(show, chosen, [detail, sure, delete], **quiet)
        look_after(done)
    chosen.change(zipped, chosen, pack, **quiet)
    return used


def _row(job: jobs.Job, current: str) -> list[str]:
    try:
        preset = run.Config.load(job.folder).preset
    except ChartmarkError:  # of another version; the run can still be deleted
        preset = "(damaged)"
    figures = run.metrics(job.folder)
    best = max((m for m in figures if "eval_f1" in m), key=lambda m: m["eval_f1"], default={})
    compared = (run.comparison(job.folder) or {}).get("new", {})
    on_new = [f"{s['f1']:.3f}" for kind, s in compared.items() if "strict" in kind and s["support"]]
    took = max((m["seconds"] for m in figures), default=0.0)
    return [
        "●" if job.folder.name == current else "",
        job.title,
        job.state,
        preset,
        f"{best['eval_entity_f1']:.3f}" if best else "-",
        f"{best['eval_relation_f1']:.3f}" if best else "-",
        " / ".join(on_new) or "-",
        f"{took / 60:.1f} min",
    ]
