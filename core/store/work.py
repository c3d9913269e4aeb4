"""How revisions came to be: what a model suggested and what became of it, and the time it took."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlite_utils import Database

from core.store.connection import Store

Outcome = Literal["open", "rejected", "accepted", "changed", "bulk"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Suggestion(_Part):
    """A suggested mention, and the id of the mention that it became.

    `by` names the annotator whose version it is from, in a review. `there`: the labels had it before it
    was suggested, so that its acceptance says nothing.
    """

    key: str
    start: int
    end: int
    type: str
    attributes: dict[str, str] = {}
    fragments: tuple[tuple[int, int], ...] = ()
    concepts: tuple[str, ...] = ()
    score: float | None = None
    by: str | None = None
    outcome: Outcome = "open"
    became: str | None = None
    there: bool = False


class SuggestedRelation(_Part):
    """A suggested relation; `head` and `tail` are suggestions' keys, `became` is head, type, tail."""

    key: str
    head: str
    tail: str
    type: str
    score: float | None = None
    by: str | None = None
    outcome: Outcome = "open"
    became: tuple[str, str, str] | None = None
    there: bool = False


class Work(_Part):
    """`seconds` of work on the document so far, pauses left out; `added`: mentions that nobody
    suggested; `versions`: in a review, the tokens of the revisions that it is of."""

    model: str = ""
    blind: bool = False
    seconds: int = Field(default=0, ge=0)
    added: int = Field(default=0, ge=0)
    versions: tuple[str, ...] = ()
    mentions: tuple[Suggestion, ...] = ()
    relations: tuple[SuggestedRelation, ...] = ()


def keep(db: Database, revision: int, document: int, work: Work) -> None:
    """Within a transaction: how a revision came to be; a draft that goes on replaces its own."""
    suggestions = work.model_dump(
        mode="json", include={"mentions", "relations", "versions"}, exclude_defaults=True
    )
    db.execute(
        "INSERT OR REPLACE INTO work (revision, document, model, blind, seconds, added, suggestions)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            revision, document, work.model, work.blind, work.seconds, work.added,
            json.dumps(suggestions, ensure_ascii=False),
        ],
    )  # fmt: skip


def of(store: Store, revision: int) -> Work | None:
    """How a revision came to be, if it was made in the annotator."""
    for row in store.rows("SELECT * FROM work WHERE revision = ?", revision):
        return _work(row)
    return None


def completed(store: Store) -> list[tuple[int, Work]]:
    """The document and the work of each annotator's newest complete revision, reviews left out."""
    rows = store.rows(
        "SELECT w.* FROM work w WHERE w.revision IN (SELECT max(id) FROM revisions"
        " WHERE status = 'complete' AND annotator <> 'adjudicated' GROUP BY document, annotator)"
        " ORDER BY w.revision"
    )
    return [(r["document"], _work(r)) for r in rows]


def made(store: Store) -> dict[str, str]:
    """How the gold of each document was made, by the document's name."""
    rows = store.rows(
        "SELECT d.name, r.annotator, w.model, w.blind FROM documents d"
        " JOIN revisions r ON r.id = d.gold LEFT JOIN work w ON w.revision = r.id"
    )

    def told(row: dict[str, object]) -> str:
        if row["annotator"] in ("imported", "adjudicated"):
            return str(row["annotator"])
        if row["blind"]:
            return "blind"
        return "from suggestions" if row["model"] else "by hand"

    return {str(r["name"]): told(r) for r in rows}


def _work(row: dict[str, object]) -> Work:
    return Work.model_validate({**row, **json.loads(str(row["suggestions"]))})
