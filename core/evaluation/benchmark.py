"""A model on every corpus that has gold labels, beside what was published on each: one table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from core.errors import ChartmarkError
from core.evaluation.evaluate import Progress, evaluate
from core.evaluation.report import CONCEPTS, ENTITIES, GIVEN, RELATIONS, Report
from core.extraction import models
from core.files import read_text
from core.formats.mapping import corpora
from core.scoring import MICRO

_FILE = Path(__file__).with_name("benchmarks.yaml")
_SHOWN = (ENTITIES, RELATIONS, GIVEN, CONCEPTS)


class Published(BaseModel):
    """A figure that others reported, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    figure: str
    source: str


class Benchmark(BaseModel):
    """What is scored (`data` as evaluate takes it), what of it counts, and what was published."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    data: str
    evaluates: str
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One benchmark with its report, or with why there is none."""

    benchmark: Benchmark
    report: Report | None
    skipped: str = ""


def benchmarks() -> list[Benchmark]:
    """Every benchmark that ships."""
    return TypeAdapter(list[Benchmark]).validate_python(yaml.safe_load(read_text(_FILE)))


def run(
    model: str, folder: Path, db: Path, more: Sequence[Benchmark], progress: Progress
) -> Iterator[Row]:
    """Score a model on each benchmark that its labels fit and that the folder of corpora has.

    Documents that overlap with what the model was trained on are left out and counted.
    """
    from core.extraction import model_folder  # imports torch

    labels = model_folder.read_config(models.folder(model)).labels.name
    for b in (*benchmarks(), *more):
        name, _, split = b.data.partition("/")
        corpus = corpora().get(name)
        if corpus and corpus.labels != labels:
            yield Row(b, None, f"has the labels of {corpus.labels}, the model those of {labels}")
        elif corpus and not corpus.there(folder, split):
            yield Row(b, None, f"is not in {folder}")
        else:
            try:
                yield Row(b, evaluate(model, b.data, folder, db, allow_overlap=True, progress=progress))
            except ChartmarkError as error:
                yield Row(b, None, str(error))


def markdown(model: str, rows: Sequence[Row], command: str) -> str:
    """The table, and under it what each line evaluates and what was published."""
    version = next((r.report.version for r in rows if r.report), "")
    lines = [
        "# Benchmarks",
        "",
        f"`{model}`, code {version}, by `{command}`.",
        "Strict micro F1, bootstrap 95% interval over documents. Development sets stand in for the",
        "official tests, which are held back: published figures are of those tests, mostly of models",
        "five times as large, so they orient and don't compare.",
        "",
        "| data | documents (left out) | " + " | ".join(k.split(" (")[0] for k in _SHOWN) + " |",
        "|---|---|" + "---|" * len(_SHOWN),
    ]
    for row in rows:
        if row.report:
            r = row.report
            cells = [_cell(r, kind) for kind in _SHOWN]
            lines.append(f"| {_name(r)} | {r.documents} ({len(r.left_out)}) | {' | '.join(cells)} |")
    for row in rows:
        title = _name(row.report) if row.report else row.benchmark.data
        lines += ["", f"**{title}**: {row.benchmark.evaluates}."]
        if row.report is None:
            lines.append(f"Not scored: {row.skipped}.")
        lines += [f"- published: {p.figure} ({p.source})" for p in row.benchmark.published]
    return "\n".join(lines) + "\n"


def _cell(report: Report, kind: str) -> str:
    score = report.scores.get(kind, {}).get(MICRO)
    if score is None or not score.support:
        return "-"
    return f"{score.f1:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _name(report: Report) -> str:
    return Path(report.data).stem if report.data.endswith(".jsonl") else report.data
