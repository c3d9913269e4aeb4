"""What gold a run trains on: frozen when it begins, the same when it goes on; what purge tells of, and
what never becomes a test set."""

from collections.abc import Iterable

from core.document import Document
from core.store import revisions
from core.store.connection import Store, now


def freeze(store: Store, run: str, preset: str, since: str, who: str) -> None:
    """Put on record that a run trains on the gold of the training split as it is now: all of it, or
    what people completed after `since` (ISO 8601). A run that is on record keeps what it had."""
    with store.writing() as db:
        if list(db.query("SELECT 1 FROM runs WHERE name = ?", [run])):
            return
        db.table("runs").insert(
            {"name": run, "config": preset, "started_at": now(), "started_by": who}, pk="name"
        )
        db.execute(
            "INSERT INTO run_documents (run, document, revision)"
            " SELECT ?, d.id, d.gold FROM documents d JOIN revisions r ON r.id = d.gold"
            f" WHERE d.split = 'train' AND {_SINCE}",
            [run, since, revisions.IMPORTED, since],
        )


def ahead(store: Store, since: str) -> tuple[int, int]:
    """How many documents `freeze` would put on record now, and their characters. What people corrected
    and has no split yet counts too: most of it gets into the training split when a run begins."""
    (row,) = store.rows(
        "SELECT count(*) AS n, coalesce(sum(length(d.text)), 0) AS characters"
        " FROM documents d JOIN revisions r ON r.id = d.gold"
        f" WHERE (d.split = 'train' OR (d.split = '' AND r.annotator <> ?)) AND {_SINCE}",
        revisions.IMPORTED, since, revisions.IMPORTED, since,
    )  # fmt: skip
    return int(row["n"]), int(row["characters"])


# All gold, or what people completed after a time.
_SINCE = "(? = '' OR (r.annotator <> ? AND r.saved_at > ?))"


def frozen(store: Store, run: str) -> list[tuple[int, Document]]:
    """The revisions that a run trains on, by document: number for ever, and labels."""
    rows = store.rows("SELECT revision FROM run_documents WHERE run = ? ORDER BY document", run)
    return [(r["revision"], revisions.get(store, r["revision"]).document) for r in rows]


def keep(store: Store, run: str, names: Iterable[str]) -> None:
    """Take off the record what a run turned out to leave out."""
    used = set(names)
    with store.writing() as db:
        rows = list(
            db.query(
                "SELECT d.id, d.name FROM run_documents u JOIN documents d ON d.id = u.document"
                " WHERE u.run = ?",
                [run],
            )
        )
        db.conn.executemany(
            "DELETE FROM run_documents WHERE run = ? AND document = ?",
            [(run, r["id"]) for r in rows if r["name"] not in used],
        )


def corrected_since(store: Store, since: str) -> int:
    """How many documents have gold that people completed after `since`; all of it if that is ""."""
    (row,) = store.rows(
        "SELECT count(*) AS n FROM documents d JOIN revisions r ON r.id = d.gold"
        " WHERE r.annotator <> ? AND r.saved_at > ?",
        revisions.IMPORTED, since,
    )  # fmt: skip
    return int(row["n"])


def last_start(store: Store) -> str:
    """When the newest run on this store's gold was started; "" if none was."""
    (row,) = store.rows("SELECT coalesce(max(started_at), '') AS at FROM runs")
    return str(row["at"])
