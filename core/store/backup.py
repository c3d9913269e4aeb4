"""Backups of a store, putting one back, and taking a document out for good."""

import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from core.errors import ChartmarkError
from core.store.connection import Store, automatic, check, connect, log, now, told
from core.store.tables import migrations

# Tables that hold a document's rows.
_DERIVED = (
    "evaluation_documents", "run_documents", "predictions", "places", "work", "entities", "relations",
    "revisions",
)  # fmt: skip
# Seconds that a look into another database waits for whoever holds it: SQLite's own default.
LOOKING = 5.0
# What a restore adds to rather than replaces: what was done, and where backups lie.
_KEPT = ("actions", "backups")


def back_up(store: Store, target: Path, why: str = "asked for", *, record: bool = True) -> None:
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
    except OSError as error:
        raise ChartmarkError(f"can't write {target}: {error.strerror}; choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)
    if record and "backups" in store.db.table_names():
        with store.writing() as db:
            _record(db, target, why)


def _record(db: Database, target: Path, why: str) -> None:
    row = {"path": str(target.resolve()), "made_at": now(), "made_by": why}
    db.table("backups").insert(row, pk="path", replace=True)


def restore(store: Store, source: Path, who: str) -> Path:
    """Put a backup's documents in the store's place; returns where the state until now was backed up.

    One transaction: whoever saves meanwhile waits, and then finds that their base is gone. Raises
    ChartmarkError, nothing changed, if the file is no whole backup, or of a later version.
    """
    if not source.is_file():
        raise ChartmarkError(f"{source} is not a file; name a backup")
    if source.samefile(store.path):
        raise ChartmarkError(f"{source} is the database itself; name a backup")
    before = automatic(store.path, "before-restore")
    with tempfile.TemporaryDirectory(dir=store.path.parent, prefix=".chartmark-") as work:
        copy = Path(work) / "copy.db"
        try:
            shutil.copyfile(source, copy)
            with closing(_open(copy)) as found:
                intact = found.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                check(Database(found), source)
        except (sqlite3.Error, OSError):
            intact = False
        if not intact:
            raise ChartmarkError(f"{source} is no whole backup; nothing was changed, name another")
        Store(copy).close()  # brings an older backup up to date
        with store.reading() as db:
            db.execute("ATTACH ? AS source", [str(copy)])
            try:
                with store.writing():
                    # Nobody else can write now: this copy has all that was ever acknowledged.
                    back_up(Store(store.path), before, record=False)
                    _replace_all(db)
                    _record(db, before, "before a restore")
                    log(db, who, "restore", f"to a backup of {source.stat().st_size} bytes")
            finally:
                db.execute("DETACH source")
    return before


def _replace_all(db: Database) -> None:
    db.execute("PRAGMA defer_foreign_keys = ON")
    tables = [
        t
        for t in db.table_names()
        if not t.startswith(("sqlite_", "documents_fts")) and t != migrations.migrations_table
    ]
    for table in tables:
        columns = ", ".join(c.name for c in db.table(table).columns)
        # A row that has no place would be a loss: only what is kept beside may be there already.
        insert = "INSERT OR IGNORE" if table in _KEPT else "INSERT"
        if table not in _KEPT:
            db.execute(f"DELETE FROM main.{table}")
        db.execute(f"{insert} INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}")


def purge(store: Store, name: str, who: str, *, backups: bool) -> tuple[list[str], list[str]]:
    """Remove a document and all that came from it, and overwrite the places where it was.

    With `backups`, from those that the app made first: a document that only they still have is found
    there. Returns the models that were trained on it and the backups that still hold it. Raises
    ChartmarkError if nobody has it, or if somebody's reading keeps the old pages: then say it again.
    Caches of training rows are the caller's to clear.
    """
    here = {r["sha256"] for r in store.rows("SELECT sha256 FROM documents WHERE name = ?", name)}
    paths = [p for r in store.rows("SELECT path FROM backups") if (p := Path(r["path"])).is_file()]
    digests = here.union(*(_digests(p, name) for p in paths)) if backups or here else here
    if not digests:
        _rewrite(store.db, store.path)  # an earlier purge may have been kept from it
        raise ChartmarkError(f"neither the store nor, if asked for, a backup has a document {name!r}")
    marks = ", ".join("?" * len(digests))
    models = [
        r["name"]
        for r in store.rows(
            "SELECT coalesce(m.name, u.run) AS name FROM run_documents u"
            " JOIN documents d ON d.id = u.document LEFT JOIN models m ON m.run = u.run"
            f" WHERE d.sha256 IN ({marks})",
            *digests,
        )
    ]
    left = []
    for path in paths:
        held = [d for d in digests if _holds(path, d)]
        if held and not (backups and _cleared(path, held)):
            left.append(str(path))
    with store.writing() as db:
        for digest in digests:
            _delete(db, digest)
            log(db, who, "purge", f"a document of SHA-256 {digest[:16]}")
    _rewrite(store.db, store.path)
    return sorted(set(models)), left


def _cleared(path: Path, digests: list[str]) -> bool:
    """Whether a backup could be rid of these documents."""
    try:
        with closing(connect(path).conn) as connection:
            db = Database(connection)
            with db.atomic():
                for digest in digests:
                    _delete(db, digest)
            _rewrite(db, path)
    except (sqlite3.Error, ChartmarkError):
        return False
    return True


def _rewrite(db: Database, path: Path) -> None:
    """Rewrite index, file and log, so that no free page keeps a word of what was deleted."""
    try:
        db.execute("INSERT INTO documents_fts (documents_fts) VALUES ('optimize')")
        db.execute("VACUUM")
        ((busy, *_),) = db.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise told(error, path) from None
    if busy:
        raise ChartmarkError(
            f"removed, but a reader keeps old pages of {path.name}: purge again when the app is idle"
        )


def _delete(db: Database, digest: str) -> None:
    there = db.table_names()  # an older backup may lack some
    for row in list(db.query("SELECT id, name FROM documents WHERE sha256 = ?", [digest])):
        db.execute("UPDATE documents SET gold = NULL WHERE id = ?", [row["id"]])
        for table in (t for t in _DERIVED if t in there):
            db.execute(f"DELETE FROM {table} WHERE document = ?", [row["id"]])
        if "evaluations" in there:
            _unname(db, row["name"])
        db.execute("DELETE FROM documents WHERE id = ?", [row["id"]])


def _unname(db: Database, name: str) -> None:
    """Take a document's id, which may be a patient's, out of what evaluations left out."""
    for row in list(db.query("SELECT id, report FROM evaluations")):
        report = json.loads(row["report"])
        if name in report.get("left_out", ()):
            report["left_out"] = ["(purged)" if n == name else n for n in report["left_out"]]
            written = json.dumps(report, ensure_ascii=False)
            db.execute("UPDATE evaluations SET report = ? WHERE id = ?", [written, row["id"]])


def _digests(path: Path, name: str) -> set[str]:
    return {r[0] for r in _asked(path, "SELECT sha256 FROM documents WHERE name = ?", name)}


def _holds(path: Path, digest: str) -> bool:
    return bool(_asked(path, "SELECT 1 FROM documents WHERE sha256 = ?", digest))


def _asked(path: Path, sql: str, value: str) -> list[tuple[str]]:
    """The rows of a query to a file that may be no store."""
    try:
        with closing(_open(path)) as copy:
            return list(copy.execute(sql, [value]))
    except sqlite3.Error:
        return []


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=LOOKING, isolation_level=None)
