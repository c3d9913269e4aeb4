"""Opening annotations.db: one connection a thread, write-ahead log, every commit on the disk."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

from filelock import FileLock, Timeout
from sqlite_utils import Database

from core.errors import ChartmarkError
from core.schema import Schema, default_schema
from core.store.tables import migrations

# Seconds that a writer waits for another before it gives up: an import of 100,000 documents holds
# the database for that long.
PATIENCE = 60.0


class Store:
    """An open annotations.db.

    Any thread may use it: each gets a connection of its own. Raises ChartmarkError, in one sentence
    that says what to do, where SQLite would raise its own errors.
    """

    def __init__(self, path: Path) -> None:
        """Open the database at `path`, made or brought up to date if need be, a backup first."""
        self.path = path
        self._local = threading.local()
        # A thread's connection closes with the thread: nothing else holds it.
        self._open: WeakSet[Database] = WeakSet()
        if not path.parent.is_dir() or (path.exists() and not path.is_file()):
            raise ChartmarkError(f"{path} can't be a database's place; choose another --db")
        try:
            with FileLock(f"{path}.lock", timeout=PATIENCE):
                self._bring_up_to_date()
        except Timeout:
            raise ChartmarkError(f"{path} is being opened elsewhere; try again") from None
        except OSError as error:
            raise ChartmarkError(f"can't open {path}: {error.strerror}; choose another --db") from None

    @property
    def db(self) -> Database:
        """This thread's connection."""
        found: Database | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = connect(self.path)
            self._open.add(found)
        return found

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Queries, with SQLite's errors told in our words."""
        try:
            yield self.db
        except sqlite3.Error as error:
            raise told(error, self.path) from None

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """A transaction that has the write lock from its start: what it reads, nobody changes.

        It is on the disk when the block ends without an error, and never happened otherwise.
        """
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.rollback()
                raise

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        with self.reading() as db:
            return list(db.query(sql, parameters))

    @property
    def schema(self) -> Schema:
        """The schema in force: the last one set."""
        (row,) = self.rows("SELECT body FROM schemas ORDER BY id DESC LIMIT 1")
        return Schema.model_validate_json(row["body"])

    def set_schema(self, schema: Schema, who: str) -> None:
        """Put another schema in force; what is stored under the old one stays as it is."""
        with self.writing() as db:
            add_schema(db, schema, who)

    def outside_schema(self) -> dict[str, int]:
        """How many of the newest labels have types that the schema in force lacks, by type."""
        known = {*self.schema.entity_names, *self.schema.relation_names}
        return {
            r["type"]: r["n"]
            for table in ("entities", "relations")
            for r in self.rows(f"SELECT type, count(*) AS n FROM {table} GROUP BY type ORDER BY type")
            if r["type"] not in known
        }

    def close(self) -> None:
        """Close every thread's connection."""
        for db in list(self._open):
            db.conn.close()
        self._open.clear()
        self._local = threading.local()

    def _bring_up_to_date(self) -> None:
        from core.store.backup import back_up  # which opens stores

        # Notes are nobody else's to read; SQLite gives its log the same mode.
        self.path.touch(mode=0o600)
        with self.reading() as db:
            # A first start that was killed leaves a file without tables of ours.
            new = not set(db.table_names()) - {migrations.migrations_table} and not migrations.applied(
                db
            )
            if not new:
                check(db, self.path)
            pending = migrations.pending(db)
            if pending and not new:
                back_up(self, automatic(self.path, pending[0].name), "before a migration")
            if pending:
                db.enable_wal()
                migrations.apply(db)
        if not self.rows("SELECT 1 FROM schemas LIMIT 1"):
            self.set_schema(default_schema(), "chartmark")


def existing(path: Path) -> Store:
    """The store at `path`, which must be there: a mistyped name makes no new one."""
    if not path.is_file():
        raise ChartmarkError(f"there is no database {path}; name another")
    return Store(path)


def connect(path: Path) -> Database:
    """A connection with the settings that nothing is lost with."""
    try:
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what was deleted is overwritten
    except sqlite3.Error as error:
        raise told(error, path) from None
    return Database(connection)


def check(db: Database, path: Path) -> None:
    """Raise ChartmarkError unless this is a store, and none of a later version of Chartmark."""
    applied = {m.name for m in migrations.applied(db)}
    if not applied:
        raise ChartmarkError(f"{path} is not a Chartmark database; name another file")
    known = {m.name for m in migrations.pending(db)} | _released()
    unknown = sorted(applied - known)
    if unknown:
        raise ChartmarkError(
            f"{path} was made by a newer Chartmark (it has {unknown[0]}); update this one"
        )


def add_schema(db: Database, schema: Schema, who: str) -> None:
    """Within a transaction: the schema that holds from now on."""
    db.table("schemas").insert({"body": schema.model_dump_json(), "since": now(), "set_by": who})
    log(db, who, "schema", schema.name)


def log(db: Database, who: str, what: str, detail: str) -> None:
    """Within a transaction: note what was done. Never with text of a document in it."""
    db.execute(
        "INSERT INTO actions (at, who, what, detail) VALUES (?, ?, ?, ?)", [now(), who, what, detail]
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def automatic(path: Path, reason: str) -> Path:
    """Where a backup that nobody asked for goes."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return path.with_name(f"{path.name}.{stamp}-{reason}.backup")


def _released() -> set[str]:
    return {m.name for m in migrations._migrations}


def told(error: sqlite3.Error, path: Path) -> ChartmarkError:
    """SQLite's error in one sentence that says what to do."""
    message = str(error)
    for part, advice in _ADVICE.items():
        if part in message:
            return ChartmarkError(f"{path}: {advice}")
    return ChartmarkError(f"{path}: the database failed ({message}); nothing was saved")


_ADVICE = {
    "disk is full": "the disk is full; nothing was saved, make room and save again",
    "readonly": "it may not be written; nothing was saved, check the file's permissions",
    "not a database": "it is not a database; choose another --db, or restore a backup",
    "malformed": "it is damaged; restore a backup (`app.py restore FILE`)",
    "locked": "another program has it locked; nothing was saved, try again",
    "unable to open": "it can't be opened or made; check the folder, or choose another --db",
    "disk I/O error": "the disk failed; nothing was saved, check it and save again",
}
