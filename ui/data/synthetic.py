"""Synthetic notes: a set from the generator, straight into the store."""

import tempfile
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core import importing
from core.document import Document
from core.errors import ChartmarkError
from core.store.connection import Store
from core.store.documents import NO_SPLIT, SPLITS
from training.synthetic.generate import generate
from ui.access import user

_MOST = 20_000


def build(store: Store) -> Any:
    """Lay out the tab; returns the event after which the store has changed."""
    gr.HTML(
        '<p class="figures">Notes that a program writes, with their labels: for trying things out and '
        "for training beside real ones. Scores on them say nothing about real notes.</p>"
    )
    with gr.Row():
        count = gr.Number(200, label="Notes", precision=0, elem_id="synthetic-count")
        seed = gr.Number(0, label="Seed", precision=0)
        split = gr.Dropdown([*SPLITS, NO_SPLIT], value="train", label="Split")
    make = gr.Button("Make", elem_id="synthetic")
    report = gr.HTML(elem_id="synthetic-report")

    def run(
        count: float,
        seed: float,
        split: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        def shown(documents: Iterable[Document], what: str) -> Iterator[Document]:
            yield from progress.tqdm(documents, desc=what, unit=" notes")

        try:
            if not 1 <= (count or 0) <= _MOST:
                raise ChartmarkError(f"choose between 1 and {_MOST:,} notes")
            with tempfile.TemporaryDirectory(dir=store.path.parent, prefix=".chartmark-") as work:
                made = Path(work) / "made"
                generate(made, {"train": int(count)}, int(seed or 0))
                done = importing.load(
                    store,
                    made / "train.jsonl",
                    "jsonl",
                    None,
                    "" if split == NO_SPLIT else split,
                    user(request),
                    progress=shown,
                )
            return "".join(f'<p class="figures">{escape(line)}</p>' for line in done.lines())
        except ChartmarkError as error:
            return f'<div class="problem" role="alert">{escape(str(error))}</div>'

    return make.click(run, [count, seed, split], report, concurrency_limit=1, api_visibility="private")
