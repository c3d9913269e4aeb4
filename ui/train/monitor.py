"""How a run goes, live: read from its folder, so that a reload or another page sees the same."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from core import jobs
from core.errors import ChartmarkError
from core.evaluation import plots
from core.jobs import Job
from training import run
from ui.train.form import Form

LOG_LINES = 12
_EMPTY = (
    '<div class="empty"><p>No model has been trained here yet.</p><p>Choose notes and a preset above, '
    "then press <b>Train</b>. It goes on if this page is closed.</p></div>"
)
_STATES = {
    "running": "is training",
    "waiting": "waits for the run before it",
    "finished": "has finished",
    "failed": "failed",
    "stopped": "was stopped; it can go on from its last checkpoint",
    "interrupted": "was killed; it can go on from its last checkpoint",
}


def build(form: Form) -> tuple[gr.State, Callable[[Any], Any]]:
    """Lay out the run in progress, or the last one.

    Returns a state that changes when a run ends, begins or is gone, and what has the panel look again
    after an event.
    """
    changed = gr.State("")
    told = gr.HTML(_EMPTY, elem_id="train-status")
    with gr.Row():
        stop = gr.Button("Stop", visible=False, min_width=100, elem_id="train-stop")
        resume = gr.Button("Resume", visible=False, min_width=100, elem_id="train-resume")
    drawn = gr.HTML(elem_id="train-curves")
    with gr.Accordion("Log", open=False):
        log = gr.HTML(elem_id="train-log")
    timer = gr.Timer(1.0, active=False)

    def poll(before: str) -> list[Any]:
        job = run.active() or next(iter(run.runs()), None)
        if job is None:
            return [_EMPTY, *_buttons(None), "", "", gr.Timer(active=False), gr.skip()]
        now = f"{job.folder.name} {job.state} {len(run.runs())}"
        return [
            status(job), *_buttons(job), curves([job]), _tail(job), gr.Timer(active=job.running),
            now if now != before else gr.skip(),
        ]  # fmt: skip

    def end() -> None:
        job = run.active()
        if job:
            jobs.stop(job.folder)

    def go_on(before: str) -> list[Any]:
        job = next(iter(run.runs()), None)
        if job and not job.running:
            try:
                run.begin(job.folder)
            except ChartmarkError as error:
                problem = f'<div class="problem" role="alert">{escape(str(error))}</div>'
                return [problem, *[gr.skip()] * 6]
        return poll(before)

    outputs = [told, stop, resume, drawn, log, timer, changed]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    timer.tick(poll, changed, outputs, concurrency_limit=None, **quiet)
    gr.on(fn=poll, inputs=changed, outputs=outputs, **quiet)

    def look_after(event: Any) -> Any:
        return event.then(poll, changed, outputs, **quiet)

    look_after(form.started)
    stop.click(end, **quiet)
    resume.click(go_on, changed, outputs, **quiet)
    return changed, look_after


def _buttons(job: Job | None) -> list[gr.Button]:
    ended = job is not None and job.state in ("stopped", "interrupted", "failed")
    return [gr.Button(visible=job is not None and job.running), gr.Button(visible=ended)]


def status(job: Job) -> str:
    """How a run stands, in figures."""
    told = f'<h3>{escape(job.title)} <span class="figures">{_STATES[job.state]}</span></h3>'
    if job.message:
        told += f'<div class="problem" role="alert">{escape(job.message)}</div>'
    figures = run.metrics(job.folder)
    last = {k: v for m in figures for k, v in m.items()}
    if not figures:
        return told + ('<p class="figures">reads the notes …</p>' if job.state == "running" else "")
    step, of = last.get("step", 0), max(last.get("of", 1), 1)
    rows = {
        "step": f"{step:,} of {of:,}",
        "epoch": _number(last.get("epoch"), ".2f"),
        "loss": _number(last.get("loss"), ".4f"),
        "learning rate": _number(last.get("learning_rate"), ".2g"),
        "validation F1, entities": _number(last.get("eval_entity_f1"), ".3f"),
        "validation F1, relations": _number(last.get("eval_relation_f1"), ".3f"),
        "tokens a second": _number(last.get("tokens_per_second"), ",.0f"),
        "memory": f"{last['memory']:.1f} GiB" if "memory" in last else "-",
    }
    if job.running and step:
        rows["left"] = _minutes(last["seconds"] * (of - step) / step)
    cells = "".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for k, v in rows.items())
    bar = f'<progress max="{of}" value="{step}" aria-label="steps done"></progress>'
    return told + bar + f'<div class="gauges">{cells}</div>' + _compared(job)


def _compared(job: Job) -> str:
    """The new model beside the one in use, where it is known."""
    found = run.comparison(job.folder)
    if not found:
        return ""
    if "new" not in found:
        return "".join(f'<p class="figures">{escape(line)}</p>' for line in found["lines"])
    rows = "".join(
        f"<tr><td>{escape(kind)}</td><td>{_score(found['old'].get(kind))}</td>"
        f"<td>{_score(score)}</td></tr>"
        for kind, score in found["new"].items()
        if score["support"]
    )
    return (
        f"<h4>On {found['documents']:,} corrected notes that trained neither</h4>"
        f'<table class="beside-each-other"><tr><th>F1 [95%]</th><th>{escape(found["against"])}, in use'
        f"</th><th>this one</th></tr>{rows}</table>"
    )


def _score(score: dict[str, float] | None) -> str:
    return f"{score['f1']:.3f} [{score['low']:.3f}, {score['high']:.3f}]" if score else "-"


def curves(shown: Sequence[Job]) -> str:
    """Loss and validation F1 by step, of one run or of several."""
    loss, f1 = {}, {}
    for job in shown:
        figures = run.metrics(job.folder)
        name = f"{job.title} " if len(shown) > 1 else ""
        loss[f"{name}loss"] = [(m["step"], m["loss"]) for m in figures if "loss" in m]
        for kind in ("entity", "relation"):
            key = f"eval_{kind}_f1"
            f1[f"{name}{kind} F1"] = [(m["step"], m[key]) for m in figures if key in m]
    drawn = [plots.lines(loss, "step", "loss"), plots.lines(f1, "step", "validation F1", top=1.0)]
    return f'<div class="plots">{"".join(drawn)}</div>' if any(loss.values()) else ""


def _tail(job: Job) -> str:
    """The end of the log: figures, and what libraries said; never text of notes."""
    try:
        lines = (job.folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    said = [*lines[-LOG_LINES:], *(str(m) for m in run.metrics(job.folder)[-LOG_LINES:])]
    return f'<pre class="log">{escape(chr(10).join(said))}</pre>'


def _number(value: float | str | None, form: str) -> str:
    return "-" if value is None else format(float(value), form)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
