"""Documents of the store: adding texts, finding them again, splits."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from core.document import Note
from core.errors import ChartmarkError
from core.store.connection import Store, log, now
from core.store.revisions import BULK

SPLITS = ("train", "dev", "test")
STATUSES = ("new", "draft", "complete", "skipped", "flagged", "disputed")
# A list says "1,000 or more" rather than count on: counting would grow with the store.
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents: what is empty does not limit. `words` is searched for in name and text.

    `type` and `relation` look at the newest labels of anyone; `annotator` has a revision;
    `models` are two whose predictions differ.
    """

    words: str = ""
    split: str = ""
    status: str = ""
    source: str = ""
    annotator: str = ""
    type: str = ""
    relation: str = ""
    models: tuple[str, str] | None = None


ORDERS = {
    "newest first": "d.id DESC",
    "oldest first": "d.id",
    "last changed": "d.changed_at DESC, d.id DESC",
    "name": "d.name",
}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, and how many match: at most COUNTED."""

    rows: list[dict[str, Any]]
    found: int


def page(
    store: Store, which: Filter, order: str = "newest first", *, size: int = 50, first: int = 0
) -> Page:
    """One page: id, name, source, split, status, patient, changed_at, length, and the text's start."""
    source, where, key, values = _query(which)
    columns = (
        "d.id, d.name, d.source, d.split, d.status, d.patient, d.changed_at, length(d.text) AS length, "
        "substr(d.text, 1, 120) AS start"
    )
    # Only the tables of labels have a document several times.
    group = " GROUP BY f.document" if key == "f.document" else ""
    by = ORDERS[order]
    if order in ("newest first", "oldest first"):
        by = by.replace("d.id", key)
    rows = store.rows(
        f"SELECT {columns} FROM {source} WHERE {where}{group} ORDER BY {by} LIMIT ? OFFSET ?",
        *values, size, first,
    )  # fmt: skip
    (counted,) = store.rows(
        f"SELECT count(*) AS n FROM (SELECT 1 FROM {source} WHERE {where}{group} LIMIT {COUNTED})",
        *values,
    )
    return Page(rows, counted["n"])


def ids(store: Store, which: Filter) -> list[int]:
    """Every document that matches, oldest first."""
    source, where, key, values = _query(which)
    sql = f"SELECT {key} AS id FROM {source} WHERE {where} GROUP BY {key} ORDER BY {key}"
    return [r["id"] for r in store.rows(sql, *values)]


def _query(which: Filter) -> tuple[str, str, str, list[Any]]:
    """FROM, WHERE, the column to group and order by, and the values.

    What is likely to be rarest leads, and gives documents in the order of their ids by an index, so
    that a page needs no sort; CROSS JOIN keeps SQLite from turning the tables round.
    """
    leading = [(_HAVING[k], getattr(which, k)) for k in _HAVING if getattr(which, k)]
    clauses, values = ["1"], list[Any]()
    source, key = "documents d", "d.id"
    words = which.words.replace("\0", " ").split()
    if words:
        source, key = "documents_fts f CROSS JOIN documents d ON d.id = f.rowid", "f.rowid"
        clauses.append("documents_fts MATCH ?")
        # Each word, or its beginning, as it is: the search has no language of its own.
        values.append(" ".join('"' + w.replace('"', '""') + '"*' for w in words))
    elif leading:
        (table, column), value = leading.pop()
        source, key = f"{table} f CROSS JOIN documents d ON d.id = f.document", "f.document"
        clauses = [f"f.{column} = ?"]
        values.append(value)
    for (table, column), value in leading:
        clauses.append(f"EXISTS (SELECT 1 FROM {table} WHERE {column} = ? AND document = d.id)")
        values.append(value)
    for column in ("split", "status", "source"):
        if value := getattr(which, column):
            clauses.append(f"d.{column} = ?")
            values.append("" if (column, value) == ("split", NO_SPLIT) else value)
    if which.models:
        clauses.append(
            "(SELECT digest FROM predictions p WHERE p.document = d.id AND p.model = ?) <> "
            "(SELECT digest FROM predictions p WHERE p.document = d.id AND p.model = ?)"
        )
        values += which.models
    return source, " AND ".join(clauses), key, values


# What a document has rows of: the table and column, the rarest last.
_HAVING = {
    "type": ("entities", "type"),
    "relation": ("relations", "type"),
    "annotator": ("revisions", "annotator"),
}
NO_SPLIT = "none"


def sources(store: Store) -> list[str]:
    rows = store.rows("SELECT DISTINCT source FROM documents WHERE source <> '' ORDER BY source")
    return [r["source"] for r in rows]


def named(store: Store, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Name and SHA-256 of documents, by id; those that are gone are left out."""
    found = {}
    for at in range(0, len(keys), 500):
        part = keys[at : at + 500]
        marks = ", ".join("?" * len(part))
        rows = store.rows(f"SELECT id, name, sha256 FROM documents WHERE id IN ({marks})", *part)
        found.update({r["id"]: (r["name"], r["sha256"]) for r in rows})
    return found


def notes(db: Database, keys: Sequence[int]) -> dict[int, Note]:
    """The texts of documents, by id; those that are gone are left out."""
    marks = ", ".join("?" * len(keys))
    rows = db.query(f"SELECT id, name, text FROM documents WHERE id IN ({marks})", list(keys))
    return {r["id"]: Note(id=r["name"], text=r["text"]) for r in rows}


def find(store: Store, name: str) -> int:
    """The id of the document of this name. Raises ChartmarkError if there is none."""
    found = store.rows("SELECT id FROM documents WHERE name = ?", name)
    if not found:
        raise ChartmarkError(f"the store has no document {name!r}")
    return int(found[0]["id"])


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def add(db: Database, note: Note, split: str, who: str) -> tuple[int, bool]:
    """Within a transaction: a text's document id, and whether it is new.

    The same text is one document, under the name that it came with first; what was not known of it
    (source, patient, split) is filled in. Raises ChartmarkError if the name has another text
    already, or if what was known differs.
    """
    digest = sha256(note.text)
    given = {
        "source": str(note.meta.get("source", "")),
        "patient": str(note.meta.get("group", "")),
        "split": split,
    }
    for row in db.query("SELECT id, source, patient, split FROM documents WHERE sha256 = ?", [digest]):
        for column, value in given.items():
            if value and not row[column]:
                db.execute(f"UPDATE documents SET {column} = ? WHERE id = ?", [value, row["id"]])
            elif value and column != "source" and row[column] != value:
                raise ChartmarkError(
                    f"the text of {note.id!r} is in the store already, with another {column}; "
                    "leave it out, or import it without one"
                )
        return int(row["id"]), False
    if list(db.query("SELECT 1 FROM documents WHERE name = ?", [note.id])):
        raise ChartmarkError(
            f"the store has another text under the id {note.id!r}; give the new one another id"
        )
    meta = {k: v for k, v in note.meta.items() if k not in ("source", "group")}
    at = now()
    added = db.execute(
        "INSERT INTO documents (name, text, sha256, source, patient, split, status, meta, added_at,"
        " added_by, changed_at) VALUES (?, ?, ?, ?, ?, ?, 'new', ?, ?, ?, ?)",
        [
            note.id, note.text, digest, given["source"], given["patient"], split,
            json.dumps(meta, ensure_ascii=False), at, who, at,
        ],
    )  # fmt: skip
    return int(added.lastrowid or 0), True


def set_split(
    store: Store, documents: Sequence[int], split: str, who: str, *, release: bool = False
) -> int:
    """Put documents, and all others of their patients, in a split; returns how many changed.

    Raises ChartmarkError, changing nothing, if one is in the test set and `release` does not let it go,
    or if the split is test and one was trained on or holds suggestions accepted in bulk.
    """
    with store.writing() as db:
        _choose(db, documents)
        if split == "test":
            _check_test(db)
        elif not release and list(db.query(_TESTED)):
            raise ChartmarkError(
                "some of these, or of the same patients, are in the test set, which is kept from "
                "training; release them on purpose or leave them out"
            )
        changed = db.execute(
            "UPDATE documents SET split = ?, changed_at = ? WHERE id IN chosen AND split <> ?",
            [split, now(), split],
        ).rowcount
        log(db, who, "split", f"{changed} documents to {split or NO_SPLIT}")
    return changed


def check_split(db: Database, documents: Sequence[int], split: str) -> None:
    """Within a transaction: raise ChartmarkError if these documents can't be in the split that they
    were given, because of what they are or where other notes of their patients are."""
    _choose(db, documents)
    elsewhere = list(
        db.query(
            "SELECT patient FROM documents WHERE id IN chosen AND split NOT IN ('', ?) LIMIT 1", [split]
        )
    )
    if elsewhere:
        raise ChartmarkError(
            f"some notes are of patients who have others outside {split}; import them without a split "
            "and deal them out"
        )
    if split == "test":
        _check_test(db)


def check_patients(db: Database, documents: Sequence[int]) -> None:
    """Within a transaction: raise ChartmarkError if a patient of these documents has notes in two
    splits, as patients that become known later may."""
    _choose(db, documents)
    apart = (
        "SELECT patient FROM documents WHERE id IN chosen AND patient <> '' AND split <> ''"
        " GROUP BY patient HAVING count(DISTINCT split) > 1 LIMIT 1"
    )
    if list(db.query(apart)):
        raise ChartmarkError(
            "by these patient ids one patient has notes in several splits; put them into one first "
            "(Data, Splits), or import without the ids"
        )


def _choose(db: Database, documents: Sequence[int]) -> None:
    """Put documents and all others of their patients into the temporary table `chosen`."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM chosen")
    db.conn.executemany("INSERT OR IGNORE INTO chosen VALUES (?)", [(d,) for d in documents])
    db.execute(
        "INSERT OR IGNORE INTO chosen SELECT id FROM documents WHERE patient <> '' AND patient IN "
        "(SELECT patient FROM documents WHERE id IN chosen)"
    )


_TESTED = "SELECT 1 FROM documents WHERE id IN chosen AND split = 'test' LIMIT 1"


def _check_test(db: Database) -> None:
    trained = list(db.query("SELECT DISTINCT run FROM run_documents WHERE document IN chosen"))
    if trained:
        raise ChartmarkError(
            f"a model was trained on some of these ({trained[0]['run']}); they can't become a test set"
        )
    bulk = "SELECT 1 FROM revisions WHERE document IN chosen AND labels LIKE ? LIMIT 1"
    if list(db.query(bulk, [f"%{BULK}%"])):
        raise ChartmarkError(
            "some of these hold suggestions accepted in bulk; they can't be a test set"
        )
