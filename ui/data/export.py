"""Export of what the list shows: gold labels in any format, as one file to download."""

import shutil
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from core import importing
from core.errors import ChartmarkError
from core.formats import registry
from core.store import documents, revisions
from core.store.connection import Store
from core.store.documents import Filter


def build(store: Store, made_filter: Callable[..., Filter], inputs: list[Any]) -> None:
    with gr.Accordion("Export what the list shows", open=False):
        with gr.Row():
            form = gr.Dropdown(
                [(f.title, f.name) for f in registry.formats().values() if f.write],
                value="jsonl", label="Format", elem_id="export-format",
            )  # fmt: skip
            corrected = gr.Checkbox(
                False, label="Only what a person completed", elem_id="export-corrected"
            )
        make = gr.Button("Make the file", elem_id="export")
        report = gr.HTML(elem_id="export-report")
        # Shown once there is a file.
        file = gr.DownloadButton("Download", visible=False, elem_id="exported")

    def run(form: str, corrected: bool, *values: Any) -> tuple[str, Any]:
        try:
            return _made(store, made_filter(*values), form, corrected, file)
        except ChartmarkError as error:
            return f'<div class="problem" role="alert">{escape(str(error))}</div>', gr.DownloadButton(
                visible=False
            )

    make.click(run, [form, corrected, *inputs], [report, file], api_visibility="private")


def _made(
    store: Store, which: Filter, form: str, corrected: bool, button: gr.DownloadButton
) -> tuple[str, Any]:
    chosen = None if which == Filter() else set(documents.ids(store, which))
    count = 0

    def counted() -> Any:
        nonlocal count
        for d in revisions.gold(store, corrected=corrected, of=chosen):
            count += 1
            yield d

    with tempfile.TemporaryDirectory(dir=button.GRADIO_CACHE) as work:
        folder = Path(work) / "chartmark"
        folder.mkdir()
        known = registry.get(form, writing=True)
        target = folder / f"export{known.suffix}"
        dropped = importing.save(counted(), target, form)
        if not count:
            raise ChartmarkError(
                "nothing here has gold labels: import or complete some, or widen the filter"
            )
        parts = [target] if target.is_dir() else list(folder.iterdir())
        if target.is_dir() or len(parts) > 1:
            target = Path(shutil.make_archive(str(Path(work) / "export"), "zip", folder))
        path = save_bytes_to_cache(target.read_bytes(), target.name, button.GRADIO_CACHE)
    lost = "".join(f"<li>{escape(line.strip())}</li>" for line in importing.told(dropped))
    matching = (
        store.rows("SELECT count(*) AS n FROM documents")[0]["n"] if chosen is None else len(chosen)
    )
    left = f", {matching - count:,} without such gold labels left out" if matching > count else ""
    told = f'<p class="figures"><b>{count:,}</b> documents{left}</p>' + (
        f"<ul>{lost}</ul>" if lost else ""
    )
    return told, gr.DownloadButton(value=path, visible=True, label=f"Download {target.name}")
