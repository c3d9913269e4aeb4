"""What models said of documents: the newest reading of each model, replaced when it reads again."""

import hashlib
import json
from collections.abc import Iterable

from sqlite_utils import Database

from core.document import Document
from core.store.connection import Store, now
from core.store.revisions import body, labelled


def add(db: Database, document: int, model: str, labels: Document, who: str) -> None:
    """Within a transaction: keep a model's reading of a document."""
    db.execute(
        "INSERT OR REPLACE INTO predictions (document, model, labels, digest, made_at, made_by)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [document, model, body(labels), digest(labels), now(), who],
    )


def of(store: Store, document: int, model: str) -> Document | None:
    """A model's reading of a document, if it has read it."""
    rows = store.rows(
        "SELECT p.labels, d.name, d.text, d.source, d.patient, d.meta FROM predictions p"
        " JOIN documents d ON d.id = p.document WHERE p.document = ? AND p.model = ?",
        document, model,
    )  # fmt: skip
    return next(map(labelled, rows), None)


def models(store: Store) -> list[str]:
    """The models whose readings the store has."""
    return [r["model"] for r in store.rows("SELECT DISTINCT model FROM predictions ORDER BY model")]


def digest(labels: Document) -> str:
    """The same for two readings that say the same, whatever ids and scores they give."""
    places = {e.id: (e.start, e.end, e.type) for e in labels.entities}

    def lines() -> Iterable[str]:
        for e in labels.entities:
            yield json.dumps([e.start, e.end, e.type, sorted(e.attributes.items())])
        for r in labels.relations:
            yield json.dumps([places[r.head], r.type, places[r.tail]])

    return hashlib.sha256("\n".join(sorted(lines())).encode()).hexdigest()
