"""Two evaluations of the same documents side by side: what was gained and lost, note by note."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import ChartmarkError
from core.evaluation.report import Note, Report
from core.scoring import Counts
from core.scoring.compare import Difference, compare
from core.scoring.summary import FN, FP, TP


@dataclass(frozen=True, slots=True)
class Versus:
    """`differences` by kind: the first model's micro F1 less the second's. `notes`: of each document
    and kind that differ, how many more right, wrong and missed the first has."""

    one: str
    other: str
    differences: dict[str, Difference]
    notes: list[tuple[str, str, int, int, int]]

    def lines(self) -> Iterator[str]:
        yield f"{self.one} less {self.other}, micro F1, paired bootstrap"
        for kind, d in self.differences.items():
            mark = " *" if d.significant else ""
            yield f"  {kind}: {d.f1:+.3f} [{d.low:+.3f}, {d.high:+.3f}], p = {d.p:.4f}{mark}"


def versus(one: Report, other: Report) -> Versus:
    """Compare two reports on the documents that both have. Raises ChartmarkError if there are none."""
    ours = {n.id: n for n in one.notes}
    theirs = {n.id: n for n in other.notes}
    both = [i for i in ours if i in theirs]
    if not both:
        raise ChartmarkError("these two evaluations have no document in common")
    groups = [ours[i].group for i in both]
    kinds = [k for k in one.scores if k in other.scores]

    def counts(notes: dict[str, Note], kind: str) -> list[Counts]:
        return [notes[i].counts.get(kind, {}) for i in both]

    differences = {k: compare(counts(ours, k), counts(theirs, k), groups) for k in kinds}
    notes = []
    for i in both:
        for kind in kinds:
            a, b = (_total(n[i].counts.get(kind, {})) for n in (ours, theirs))
            if a != b:
                notes.append((i, kind, a[TP] - b[TP], a[FP] - b[FP], a[FN] - b[FN]))
    return Versus(one.model, other.model, differences, notes)


def _total(counts: Counts) -> tuple[int, int, int]:
    tp, fp, fn = (sum(row[k] for row in counts.values()) for k in (TP, FP, FN))
    return tp, fp, fn
