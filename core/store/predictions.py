"""What models said of documents: the newest reading of each model, replaced when it reads again."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

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


def read_since(store: Store, model: str, since: str, keys: Sequence[int]) -> set[int]:
    """Those of the documents that the model has read at or after a time."""
    few = f" AND document IN ({', '.join('?' * len(keys))})" if len(keys) <= 500 else ""
    rows = store.rows(
        f"SELECT document FROM predictions WHERE model = ? AND made_at >= ?{few}",
        model, since, *(keys if few else ()),
    )  # fmt: skip
    return {r["document"] for r in rows}


Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What orders a queue: the scores of a reading, its mentions, and its relations between them."""

    scores: tuple[float, ...]
    mentions: frozenset[Span]
    relations: frozenset[tuple[Span, str, Span]]


def readings(store: Store, model: str, which: Set[int]) -> Iterator[tuple[int, Reading]]:
    """A model's readings of these documents, without building documents: there may be very many."""
    for row in store.rows("SELECT document, labels FROM predictions WHERE model = ?", model):
        if row["document"] in which:
            yield row["document"], _reading(json.loads(row["labels"]))


def _reading(labels: dict[str, Any]) -> Reading:
    places = {e["id"]: (e["start"], e["end"], e["type"]) for e in labels.get("entities", ())}
    both = (*labels.get("entities", ()), *labels.get("relations", ()))
    return Reading(
        tuple(x["score"] for x in both if x.get("score") is not None),
        frozenset(places.values()),
        frozenset(
            (places[r["head"]], r["type"], places[r["tail"]]) for r in labels.get("relations", ())
        ),
    )


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
