"""Backups of a store, putting one back, and taking a document out for good."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from core.errors import ChartmarkError
from core.store import documents
from core.store.connection import Store, automatic, check, connect, log, now

# Tables that hold a document's rows, those that refer to others first.
_DERIVED = (
    "evaluation_documents", "run_documents", "predictions", "entities", "relations", "revisions",
)  # fmt: skip


def back_up(store: Store, target: Path, why: str = "asked for") -> None:
    """Copy the store to `target` while others go on working (SQLite's online backup).

    Raises ChartmarkError, `target` left as it was, if it is there already or can't be written.
    """
    if target.exists():
        raise ChartmarkError(f"{target} is there already; choose another file")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        os.close(handle)
    except OSError as error:
        raise ChartmarkError(f"can't write {target}: {error.strerror}; choose another place") from None
    temporary = Path(name)
    try:
        with store.reading() as db, closing(_open(temporary)) as copy:
            db.conn.backup(copy)
            # One file, without a log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    if "backups" in store.db.table_names():
        with store.writing() as db:
            row = {"path": str(target.resolve()), "made_at": now(), "made_by": why}
            db.table("backups").insert(row, pk="path", replace=True)


def restore(store: Store, source: Path, who: str) -> Path:
    """Put a backup in the store's place and return where the store's state until now was backed up.

    Raises ChartmarkError, nothing changed, if the file is no whole backup, or of a later version.
    """
    if not source.is_file():
        raise ChartmarkError(f"{source} is not a file; name a backup")
    before = automatic(store.path, "before-restore")
    with closing(_open(source)) as found:
        try:
            intact = found.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            check(Database(found), source)
        except sqlite3.Error:
            intact = False
        if not intact:
            raise ChartmarkError(f"{source} is no whole backup; nothing was changed, name another")
        back_up(store, before, "before a restore")
        known = store.rows("SELECT * FROM backups")
        with store.reading() as db:
            found.backup(db.conn)
    store.close()
    Store(store.path)  # brings an older backup up to date
    with store.writing() as db:
        # What was backed up since is still there, and purge must find it.
        db.table("backups").insert_all(known, pk="path", ignore=True)
        log(db, who, "restore", source.name)
    return before


def purge(store: Store, name: str, who: str, *, backups: bool) -> tuple[list[str], list[str]]:
    """Remove a document and all that came from it, and overwrite the places where it was.

    Returns the models that were trained on it and the backups that still hold it: none of the ones
    that the app made if `backups`. Caches of training rows are the caller's to clear.
    """
    document = documents.find(store, name)
    models = [
        r["name"]
        for r in store.rows(
            "SELECT m.name FROM models m JOIN run_documents u ON u.run = m.run WHERE u.document = ?"
            " UNION SELECT run FROM run_documents WHERE document = ?",
            document, document,
        )
    ]  # fmt: skip
    digest = store.rows("SELECT sha256 FROM documents WHERE id = ?", document)[0]["sha256"]
    _remove(store.db, digest, store)
    with store.writing() as db:
        log(db, who, "purge", f"a document of SHA-256 {digest[:16]}")
    left = []
    for row in store.rows("SELECT path FROM backups"):
        path = Path(row["path"])
        if path.is_file() and _holds(path, digest):
            if backups:
                copy = connect(path)
                try:
                    _remove(copy, digest, None)
                finally:
                    copy.conn.close()
            else:
                left.append(str(path))
    return models, left


def _remove(db: Database, digest: str, store: Store | None) -> None:
    """Delete the rows, and rewrite index, log and file, so that no free page keeps a word of it."""
    if store is None:
        db.execute("BEGIN IMMEDIATE")
        _delete(db, digest)
        db.execute("COMMIT")
    else:
        with store.writing() as writer:
            _delete(writer, digest)
    db.execute("INSERT INTO documents_fts (documents_fts) VALUES ('optimize')")
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchall()


def _delete(db: Database, digest: str) -> None:
    (row,) = db.query("SELECT id FROM documents WHERE sha256 = ?", [digest])
    db.execute("UPDATE documents SET gold = NULL WHERE id = ?", [row["id"]])
    for table in _DERIVED:
        db.execute(f"DELETE FROM {table} WHERE document = ?", [row["id"]])
    db.execute("DELETE FROM documents WHERE id = ?", [row["id"]])


def _holds(path: Path, digest: str) -> bool:
    with closing(_open(path)) as copy:
        try:
            return bool(copy.execute("SELECT 1 FROM documents WHERE sha256 = ?", [digest]).fetchone())
        except sqlite3.Error:
            return False


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)
