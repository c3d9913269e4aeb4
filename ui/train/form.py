"""What to train on and how: counts, an estimate and a refusal before the start, then one click."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import yaml

from core.errors import ChartmarkError
from core.extraction.models import Shelf
from core.formats.mapping import corpora
from core.store import in_use, runs, splits
from core.store.connection import Store
from training import preset, run
from training.data import Mix
from training.preset import AnyPreset, Preset
from ui import faults
from ui.access import user

_ALL, _SINCE_RUN, _SINCE_MODEL, _NONE = "all", "since the last run", "since the model in use", "none"
_FIRST = "cpu"


@dataclass(frozen=True, slots=True)
class Form:
    """`started`: the event after which a run may have begun; `now` holds its id."""

    started: Any
    now: gr.State


def build(store: Store, shelf: Shelf) -> Form:
    """Lay out the form inside the current gr.Blocks."""
    now = gr.State("")
    counts = gr.HTML(elem_id="train-corrected")
    with gr.Row():
        corrected = gr.Radio(
            [_ALL, _SINCE_RUN, _SINCE_MODEL, _NONE], value=_ALL, label="Corrected notes",
            scale=3, min_width=260, elem_id="train-since",
        )  # fmt: skip
        synthetic = gr.Number(
            1000, label="Synthetic notes", precision=0, minimum=0, scale=1, min_width=140,
            elem_id="train-synthetic",
        )  # fmt: skip
        recipe = gr.Dropdown(
            preset.names(), value=_FIRST, label="Preset", scale=1, min_width=140, elem_id="train-preset"
        )
    with gr.Accordion("Public corpora", open=False), gr.Row():
        folder = gr.Textbox(
            label="Folder of corpora", placeholder="where bc5cdr, maccrobat2020, … are", scale=2
        )
        chosen = gr.CheckboxGroup([], label="Read", scale=3, elem_id="train-corpora")
    with gr.Accordion("Advanced: every value of the preset", open=False):
        values = gr.Code(
            _text(_FIRST), language="yaml", show_label=False, lines=12, elem_id="train-values"
        )
    told = gr.HTML(elem_id="train-plan")
    with gr.Row():
        estimate = gr.Button("Estimate", scale=1, min_width=120, elem_id="train-estimate")
        begin = gr.Button("Train", variant="primary", scale=2, min_width=160, elem_id="train-start")

    def mix(since: str, made: float | None, place: str | None) -> Mix:
        path = Path(place.strip()) if place and place.strip() else None
        if path and not path.is_dir():
            raise ChartmarkError("the folder of corpora isn't there; correct its path, or leave it out")
        after = {_SINCE_RUN: runs.last_start, _SINCE_MODEL: in_use.since}.get(since, lambda _: "")
        return Mix(
            files=(path,) if path else (),
            database=store.path if since != _NONE else None,
            since=after(store),
            synthetic=int(made or 0),
        )

    def asked(since: str, made: float | None, place: str | None, names: list[str], text: str) -> Any:
        return _preset(text, names if (place or "").strip() else []), mix(since, made, place)

    def judge(*form: Any) -> str:
        return _safely(lambda: _plan(store, *asked(*form)))

    def start(request: gr.Request, *form: Any) -> list[Any]:
        folder_of_run = ""

        def go() -> str:
            nonlocal folder_of_run
            recipe_name, *rest = form
            wanted, sources = asked(*rest)
            if problem := _refusal(store, wanted, sources):
                raise ChartmarkError(problem)
            who = user(request)
            if sources.database:
                splits.settle(store, who)
            config = run.Config(recipe_name, wanted, store.schema, sources, who, in_use.model(store))
            made = run.create(config)
            shelf.release()  # the GPU is the run's
            run.begin(made)
            folder_of_run = made.name
            return ""

        return [_safely(go), folder_of_run]

    inputs = [corrected, synthetic, folder, chosen, values]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    recipe.input(lambda name: [_text(name), *_corpora(name)], recipe, [values, chosen], **quiet)
    estimate.click(judge, inputs, told, api_visibility="private", show_progress="minimal")
    started = begin.click(start, [recipe, *inputs], [told, now], **quiet, concurrency_limit=1)
    gr.on(fn=lambda: _counted(store), outputs=counts, **quiet)
    gr.on(fn=lambda: _corpora(_FIRST)[0], outputs=chosen, **quiet)
    return Form(started, now)


def _safely(work: Callable[[], str]) -> str:
    try:
        return work()
    except Exception as error:
        return f'<div class="problem" role="alert">{escape(faults.told(error))}</div>'


def _text(name: str) -> str:
    values = preset.load(name, []).model_dump(mode="json")
    return yaml.safe_dump(values, sort_keys=False, default_flow_style=None, width=100)


def _corpora(name: str) -> list[Any]:
    """The corpora to choose from, those of a preset chosen."""
    known = [c for c in corpora() if corpora()[c].entities and corpora()[c].labels == "clinical"]
    return [gr.CheckboxGroup(choices=known, value=list(preset.load(name, []).corpora))]


def _preset(text: str, names: list[str]) -> AnyPreset:
    """The values as edited, with the corpora that are chosen."""
    values = preset.check(text, "the values under Advanced")
    times = {c: values.corpora.get(c, 1) for c in names}
    return values.model_copy(update={"corpora": times})


def _plan(store: Store, wanted: Preset, sources: Mix) -> str:
    from training.plan import plan

    found = plan(wanted, sources, store.schema)
    lines = "".join(f'<p class="figures">{escape(line)}</p>' for line in found.lines())
    problem = _refusal(store, wanted, sources)
    return lines + (f'<div class="problem" role="alert">{escape(problem)}</div>' if problem else "")


def _refusal(store: Store, wanted: Preset, sources: Mix) -> str:
    """Why a run can't start as it is; "" if it can."""
    from training.plan import plan

    found = plan(wanted, sources, store.schema)
    if not any(found.sources.values()):
        return "There is nothing to train on: correct some notes, or add synthetic notes or corpora."
    if found.problem:
        return f"{found.problem[0].upper()}{found.problem[1:]} under Advanced."
    return ""


def _counted(store: Store) -> str:
    """How many corrected notes there are, and since when."""
    since = {
        "in all": "",
        "since the last run": runs.last_start(store),
        "since the model in use was chosen": in_use.since(store),
    }
    told = " · ".join(
        f"<b>{runs.corrected_since(store, at):,}</b> {what}"
        for what, at in since.items()
        if at or what == "in all"
    )
    return (
        f'<p class="figures">Corrected notes: {told}. <i>All</i> reads imported gold of the training '
        f"split, too. Of corrected notes without a split {splits.ALWAYS_DEV:.0%} go to dev, which "
        "never trains: a new model and the one in use are compared there.</p>"
    )
