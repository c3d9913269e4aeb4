"""One report: figures by kind, plots, slices, errors, and its export."""

from html import escape
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from core import scoring
from core.evaluation import export, plots
from core.evaluation.report import CONCEPTS, ENTITIES, GIVEN, RELATIONS, Report
from core.scoring.confusion import COMPARED
from core.store import evaluations
from core.store.connection import Store
from ui.evaluate import errors
from ui.evaluate.errors import Errors

_SCORES = ["kind", "label", "P", "R", "F1", "95% interval", "support"]
_SLICES = ["part", "", "kind", "micro F1", "95% interval", "support"]
_FORMS = {"JSON": ".json", "CSV": ".csv", "Markdown": ".md", "HTML with plots": ".html"}


def build(store: Store, chosen: gr.State) -> Errors:
    with gr.Column(visible=False, elem_id="report") as whole:
        title = gr.HTML(elem_id="report-title")
        scores = gr.Dataframe(
            headers=_SCORES,
            interactive=False,
            show_label=False,
            elem_id="scores",
            max_height=420,
            buttons=["copy"],
            column_widths=["330px", "170px", "70px", "70px", "70px", "140px", "85px"],
            wrap=True,
            datatype=["str", "str", "number", "number", "number", "str", "number"],
        )
        with gr.Accordion("Curves, calibration, confusion", open=False):
            drawn = gr.HTML(elem_id="report-plots")
        with gr.Accordion("By name, distance, length, source", open=False):
            parts = gr.Dataframe(
                headers=_SLICES,
                interactive=False,
                show_label=False,
                elem_id="slices",
                max_height=360,
                buttons=["copy"],
            )
        found = errors.build(store, chosen)
        with gr.Row():
            form = gr.Dropdown(
                list(_FORMS), value="HTML with plots", label="Export as", min_width=150, scale=1
            )
            make = gr.Button("Prepare", size="sm", min_width=100, scale=1, elem_id="report-export")
            download = gr.DownloadButton("Download", visible=False, size="sm", elem_id="report-file")

    def show(key: int | None) -> list[Any]:
        if key is None:
            return [gr.Column(visible=False), *[gr.skip()] * 4, gr.DownloadButton(visible=False)]
        report = evaluations.get(store, key)
        return [
            gr.Column(visible=True),
            _title(report),
            score_rows(report),
            _plots(report),
            slice_rows(report),
            gr.DownloadButton(visible=False),
        ]

    def prepare(key: int, name: str) -> gr.DownloadButton:
        report = evaluations.get(store, key)
        suffix = _FORMS[name]
        content = export.FORMS[suffix](report).encode()
        place = save_bytes_to_cache(content, f"evaluation{suffix}", download.GRADIO_CACHE)
        return gr.DownloadButton(value=place, visible=True)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    chosen.change(show, chosen, [whole, title, scores, drawn, parts, download], **quiet)
    make.click(prepare, [chosen, form], download, **quiet)
    return found


def score_rows(report: Report) -> list[list[str | float]]:
    """Every figure: kind, label (micro and macro among them), P, R, F1, interval, support."""
    rows: list[list[str | float]] = []
    for kind, scores in report.scores.items():
        for label, s in scores.items():
            interval = f"{s.low:.3f} to {s.high:.3f}"
            figures = [round(x, 3) for x in (s.precision, s.recall, s.f1)]
            rows.append([kind, label, *figures, interval, s.support])
        rows.append([kind, "macro", "", "", round(scoring.macro(scores), 3), "", ""])
    return rows


def slice_rows(report: Report) -> list[list[str | float]]:
    return [
        [title, name, kind, round(s.f1, 3), f"{s.low:.3f} to {s.high:.3f}", s.support]
        for title, slices in report.slices.items()
        for name, kinds in slices.items()
        for kind, s in kinds.items()
    ]


def _title(r: Report) -> str:
    facts = [
        f"{r.documents:,} documents",
        f"{r.groups:,} groups",
        f"Chartmark {r.version}",
        f"data {r.data_sha256[:12]}",
    ]
    warnings = ""
    if r.left_out:
        warnings += (
            f'<p class="figures">Left out, as the model was trained on them: {len(r.left_out):,}</p>'
        )
    if not r.trained:
        told = "What this model was trained on is not on record: overlaps could not be looked for."
        warnings += f'<p class="figures">{told}</p>'
    figures = "".join(
        f'<p class="figures"><b>{s.f1:.3f}</b> [{s.low:.3f}, {s.high:.3f}] {escape(kind)}</p>'
        for kind, s in r.micro.items()
        if kind in (ENTITIES, RELATIONS, GIVEN, CONCEPTS) and s.support
    )
    return (
        f"<h3>{escape(r.model)} on {escape(r.data)}</h3>{figures}"
        f'<p class="figures">{escape(" · ".join(facts))}</p>{warnings}'
    )


def _plots(r: Report) -> str:
    parts = []
    for kind, curve in r.curves.items():
        parts.append(f"<h4>{escape(kind)}, end-to-end</h4><div class='plots'>")
        parts.append(plots.precision_recall(curve) + plots.reliability(r.calibration[kind]) + "</div>")
    for kind, cells in r.confusion.items():
        parts.append(f"<h4>{escape(kind)}: rows are gold, columns what it was read as</h4>")
        parts.append(f"<p>{escape(COMPARED[kind])}</p>")
        parts.append(f'<div class="plots">{plots.confusion(cells)}</div>')
    return "".join(parts)
