"""Evaluations that were made, with what each document of the store came to: purged with it."""

import json
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter

from core.errors import ChartmarkError
from core.evaluation.report import Note, Report
from core.store.connection import Store
from core.store.documents import SPLITS

_REPORT, _NOTE = TypeAdapter(Report), TypeAdapter(Note)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: `figures` are micro F1 by kind, of kinds that gold has."""

    id: int
    model: str
    data: str
    made_at: str
    made_by: str
    documents: int
    figures: dict[str, float]


def add(store: Store, report: Report, who: str) -> int:
    """Keep a report; returns its id. Notes of the store's own documents are kept with the documents."""
    own = report.data in SPLITS
    kept = asdict(replace(report, notes=[]) if own else report)
    with store.writing() as db:
        row = db.execute(
            "INSERT INTO evaluations (model, data, report, made_at, made_by) VALUES (?, ?, ?, ?, ?)",
            [report.model, report.data, json.dumps(kept, ensure_ascii=False), report.made_at, who],
        )
        key = int(row.lastrowid or 0)
        if own:
            db.conn.executemany(
                "INSERT INTO evaluation_documents (evaluation, document, result)"
                " SELECT ?, id, ? FROM documents WHERE name = ?",
                [(key, json.dumps(asdict(n), ensure_ascii=False), n.id) for n in report.notes],
            )
    return key


def get(store: Store, key: int) -> Report:
    """A report with its notes. Raises ChartmarkError if there is none of this id."""
    for row in store.rows("SELECT report FROM evaluations WHERE id = ?", key):
        report = _REPORT.validate_json(row["report"])
        rows = store.rows(
            "SELECT result FROM evaluation_documents WHERE evaluation = ? ORDER BY document", key
        )
        notes = [_NOTE.validate_json(r["result"]) for r in rows]
        return replace(report, notes=notes or report.notes)
    raise ChartmarkError("this evaluation is no longer in the store")


def entries(store: Store) -> list[Entry]:
    """The history, the newest first."""
    rows = store.rows("SELECT * FROM evaluations ORDER BY id DESC")
    found = []
    for r in rows:
        report = _REPORT.validate_json(r["report"])
        figures = {kind: s.f1 for kind, s in report.micro.items() if s.support}
        found.append(
            Entry(r["id"], r["model"], r["data"], r["made_at"], r["made_by"], report.documents, figures)
        )
    return found
