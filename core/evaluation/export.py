"""A report as JSON, CSV, Markdown, or one HTML page that needs nothing else."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from core.errors import ChartmarkError
from core.evaluation import plots
from core.evaluation.report import Report
from core.files import atomic
from core.scoring import Score, macro
from core.scoring.confusion import COMPARED

_HEAD = ("kind", "label", "precision", "recall", "F1", "low", "high", "support")


def write(report: Report, path: Path) -> None:
    """Write a report in the form that the file's name asks for. Raises ChartmarkError for others."""
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise ChartmarkError(f"{path}: a report ends in {', '.join(FORMS)}")
    with atomic(path) as out:
        out.write(form(report))


def as_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n"


def as_csv(report: Report) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_HEAD)
    table.writerows(_rows(report))
    return out.getvalue()


def as_markdown(report: Report) -> str:
    lines = [f"# {report.model} on {report.data}", "", *(f"- {t}" for t in _facts(report)), ""]
    for kind, scores in report.scores.items():
        lines += [f"## {kind}", "", f"Macro F1 {macro(scores):.3f}.", ""]
        lines += ["| label | P | R | F1 | 95% interval | support |", "|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(_cells(label, s))} |" for label, s in scores.items()]
        lines.append("")
    return "\n".join(lines)


def as_html(report: Report) -> str:
    """Tables and plots, styles and drawings inside; every text escaped."""
    parts = [f"<h1>{escape(report.model)} on {escape(report.data)}</h1>"]
    parts.append("<ul>" + "".join(f"<li>{escape(t)}</li>" for t in _facts(report)) + "</ul>")
    for kind, scores in report.scores.items():
        parts.append(f"<h2>{escape(kind)}</h2><p>Macro F1 {macro(scores):.3f}.</p>")
        head = ("label", "P", "R", "F1", "95% interval", "support")
        parts.append(_table(head, [_cells(label, s) for label, s in scores.items()]))
    for kind, curve in report.curves.items():
        parts.append(f"<h2>{escape(kind)}: how far scores can be trusted</h2><div class='plots'>")
        parts.append(
            plots.precision_recall(curve) + plots.reliability(report.calibration[kind]) + "</div>"
        )
    for kind, cells in report.confusion.items():
        parts.append(f"<h2>{escape(kind)}: what gold was read as</h2><p>{escape(COMPARED[kind])}</p>")
        parts.append(plots.confusion(cells))
    for title, slices in report.slices.items():
        rows = [
            (name, kind, f"{s.f1:.3f}", str(s.support))
            for name, kinds in slices.items()
            for kind, s in kinds.items()
        ]
        parts.append(
            f"<h2>{escape(title.capitalize())}</h2>"
            + _table(("part", "kind", "micro F1", "support"), rows)
        )
    errors = [
        (kind, label, str(n)) for kind, labels in report.errors.items() for label, n in labels.items()
    ]
    parts.append("<h2>Errors by kind</h2>" + _table(("kind", "label", "number"), errors))
    return _PAGE.replace("TITLE", escape(f"{report.model} on {report.data}")).replace(
        "BODY", "\n".join(parts)
    )


FORMS: dict[str, Callable[[Report], str]] = {
    ".json": as_json, ".csv": as_csv, ".md": as_markdown, ".html": as_html,
}  # fmt: skip


def _facts(report: Report) -> Iterator[str]:
    yield f"{report.documents} documents, {report.groups} groups (what the bootstrap intervals draw)"
    yield f"made {report.made_at} with Chartmark {report.version}"
    yield f"SHA-256 of the data: {report.data_sha256}"
    if report.left_out:
        yield f"left out, as they overlap with the training data: {len(report.left_out)}"
    if not report.trained:
        yield "what the model was trained on is not on record: overlaps could not be looked for"


def _rows(report: Report) -> Iterator[tuple[object, ...]]:
    for kind, scores in report.scores.items():
        for label, s in scores.items():
            figures = (s.precision, s.recall, s.f1, s.low, s.high)
            yield (kind, label, *(f"{x:.4f}" for x in figures), s.support)


def _cells(label: str, s: Score) -> tuple[str, ...]:
    interval = f"{s.low:.3f} to {s.high:.3f}"
    return (label, f"{s.precision:.3f}", f"{s.recall:.3f}", f"{s.f1:.3f}", interval, str(s.support))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>TITLE</title><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1e293b; background: #fff; }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } td, th { padding: .2rem .7rem; border-bottom: 1px solid #cbd5e1; text-align: left }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem } svg { max-width: 100%; color: #1e293b }
@media (prefers-color-scheme: dark) { body { color: #e2e8f0; background: #0f172a } svg { color: #e2e8f0 } td, th { border-color: #334155 } }
</style>
BODY
</html>
"""  # noqa: E501
