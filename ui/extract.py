"""The Extract tab: a note in, its mentions and relations out."""

import io
import time
import zipfile
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from pydantic import ValidationError

from core.document import Document, Note, explain, to_json
from core.errors import ChartmarkError
from core.extraction import device, models
from core.extraction.batch import UNFINISHED, annotated
from core.formats import brat
from core.schema import Schema
from core.store import in_use
from core.store.connection import Store
from ui import displacy, faults

EXAMPLES = Path(__file__).with_name("examples")
# Longer texts are read by `python app.py extract`; a browser would choke on showing them.
LONGEST = 1_000_000

_MENTIONS = ["id", "text", "type", "assertion", "score", "start", "end"]
_RELATIONS = ["head", "type", "tail", "score"]


def build(store: Store, shelf: models.Shelf) -> gr.Dropdown:
    """Lay out the tab inside the current gr.Blocks; returns the choice of the model."""
    with gr.Row(elem_classes="extract"):
        with gr.Column(scale=5, min_width=340):
            note = gr.Textbox(
                label="Note", lines=20, max_lines=20, placeholder="Paste a note, or pick an example.",
                elem_id="note",
            )  # fmt: skip
            examples = sorted(EXAMPLES.glob("*.txt"))
            gr.Examples(
                [[p.read_text(encoding="utf-8")] for p in examples],
                inputs=note,
                example_labels=[p.stem.partition(" ")[2] for p in examples],
                label="Examples",
                api_visibility="private",
            )
            read = gr.Button("Extract", variant="primary", elem_id="extract")
            with gr.Accordion("Model and threshold", open=False):
                model = gr.Dropdown(
                    models.available(), value=in_use.model(store), label="Model",
                    allow_custom_value=True,
                    info="One that ships, one of your runs, or the path of a model's folder.",
                )  # fmt: skip
                own = gr.Checkbox(
                    True,
                    label="The model's own thresholds",
                    info="One for mentions, one for relations: the best on held-out notes. Labels "
                    "with too few examples are off, at any threshold.",
                )
                threshold = gr.Slider(
                    0.05,
                    1,
                    value=0.5,
                    step=0.05,
                    label="Lowest score shown",
                    interactive=False,
                    elem_id="threshold",
                )
        with gr.Column(scale=7, min_width=340):
            summary = gr.HTML(_EMPTY, elem_id="summary")
            with gr.Column(visible=False) as results:
                marked = gr.HTML(elem_id="marked")
                arcs = gr.HTML(elem_id="arcs")
                with gr.Tabs():
                    with gr.Tab("Mentions"):
                        mentions = gr.Dataframe(
                            headers=_MENTIONS, interactive=False, wrap=True, show_label=False,
                            datatype=["str", "str", "str", "str", "number", "number", "number"],
                            column_widths=["55px", "200px", "105px", "110px", "75px", "65px", "65px"],
                            elem_id="mentions", buttons=["copy"],
                        )  # fmt: skip
                    with gr.Tab("Relations"):
                        relations = gr.Dataframe(
                            headers=_RELATIONS, interactive=False, wrap=True, show_label=False,
                            datatype=["str", "str", "str", "number"],
                            column_widths=["220px", "120px", "220px", "75px"],
                            elem_id="relations", buttons=["copy"],
                        )  # fmt: skip
                with gr.Row():
                    as_json = gr.DownloadButton("Download JSON", size="sm", elem_id="as-json")
                    as_brat = gr.DownloadButton("Download brat", size="sm", elem_id="as-brat")

    def run(text: str, model_id: str, own_thresholds: bool, lowest: float) -> dict[Any, Any]:
        try:
            return show(*_read(shelf, text, model_id, None if own_thresholds else lowest), model_id)
        except Exception as error:
            problem = faults.told(error)
        # Nothing of an earlier note may stand beside a newer one.
        return {
            **dict.fromkeys([marked, arcs, mentions, relations, as_json, as_brat]),
            summary: f'<div class="problem" role="alert">{escape(problem)}</div>',
            results: gr.Column(visible=False),
        }

    def show(document: Document, schema: Schema, seconds: float, model_id: str) -> dict[Any, Any]:
        return {
            summary: _summary(document, seconds, model_id) + displacy.legend(schema),
            results: gr.Column(visible=True),
            marked: displacy.highlighted(document, schema),
            arcs: displacy.arcs(document, schema),
            mentions: mention_rows(document),
            relations: relation_rows(document),
            as_json: _file("note.json", to_json(document).encode(), as_json),
            as_brat: _file("note.brat.zip", _brat_zip(document), as_brat),
        }

    outputs = [summary, results, marked, arcs, mentions, relations, as_json, as_brat]
    inputs = [note, model, own, threshold]
    gr.on(
        [read.click, note.submit],
        run,
        inputs,
        outputs,
        api_name="extract",
        show_progress="minimal",
        concurrency_limit=1,
    )
    gr.on(
        [own.change, threshold.change, model.input],
        lambda text, *rest: run(text, *rest) if text and text.strip() else gr.skip(),
        inputs,
        outputs,
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=1,
    )
    # On every load of the page: runs may have ended since.
    gr.on(
        fn=lambda: gr.Dropdown(choices=models.available(), value=in_use.model(store)),
        outputs=model,
        api_visibility="private",
    )
    own.change(lambda on: gr.Slider(interactive=not on), own, threshold, api_visibility="private")
    return model


def _read(
    shelf: models.Shelf, text: str, model_id: str, threshold: float | None
) -> tuple[Document, Schema, float]:
    """The note as a document, the model's schema, and the seconds that reading it took."""
    if not text or not text.strip():
        raise ChartmarkError("There is nothing to read yet: paste a note, or pick an example.")
    if len(text) > LONGEST:
        raise ChartmarkError(
            f"This text has {len(text):,} characters. Up to {LONGEST:,} are shown here; longer ones "
            "are read by `python app.py extract`."
        )
    try:
        note = Note(id="note", text=text)
    except ValidationError as error:
        raise ChartmarkError(explain(error)) from None
    extractor = shelf.take(model_id)
    began = time.perf_counter()
    (found,) = extractor.extract([text], threshold)
    seconds = time.perf_counter() - began
    return annotated(note, found), extractor.schema, seconds


def mention_rows(document: Document) -> list[list[str | int | float | None]]:
    """The table of mentions: id, text, type, assertion, score, start, end."""
    return [
        [
            e.id,
            document.mention(e),
            e.type,
            e.attributes.get("assertion", ""),
            e.score,
            e.start,
            e.end,
        ]
        for e in document.entities
    ]


def relation_rows(document: Document) -> list[list[str | float | None]]:
    """The table of relations: head, type, tail, score; every relation, whatever the arcs show."""
    mentions = {e.id: e for e in document.entities}

    def named(key: str) -> str:
        return f"{document.mention(mentions[key])} ({key})"

    return [[named(r.head), r.type, named(r.tail), r.score] for r in document.relations]


def _summary(document: Document, seconds: float, model_id: str) -> str:
    entities, relations = len(document.entities), len(document.relations)
    where = f"{escape(model_id)} on the {'GPU' if device.pick().type == 'cuda' else 'CPU'}"
    return (
        f'<p class="figures"><b>{entities}</b> mention{"s" * (entities != 1)} and <b>{relations}</b> '
        f"relation{'s' * (relations != 1)}, read in {seconds * 1000:.0f} ms by {where}</p>"
        + _UNFINISHED
        * (UNFINISHED in document.meta)
    )


_UNFINISHED = (
    '<div class="problem" role="alert">The model did not come to the end of its answer: what stands '
    "here is not all that it would have found.</div>"
)
_EMPTY = (
    '<div class="empty"><p>Entities and relations of your note will stand here.</p>'
    "<p>Pick an example or paste a note, then press <b>Extract</b>. "
    "Nothing leaves this machine.</p></div>"
)


def _brat_zip(document: Document) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("note.txt", document.text)
        archive.writestr("note.ann", brat.write(document, Counter()))
    return out.getvalue()


def _file(name: str, content: bytes, button: gr.DownloadButton) -> str:
    """A file in the private cache, where Gradio serves it from and deletes it after an hour."""
    path: str = save_bytes_to_cache(content, name, button.GRADIO_CACHE)
    return path
