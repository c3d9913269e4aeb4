"""Opening: made at first, brought up to date with a backup, refused when it is another's."""

import gc
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlite_utils import Database

from core.errors import ChartmarkError
from core.schema import EntityType, Schema
from core.store import connection, documents
from core.store.connection import Store
from core.store.documents import Filter
from core.store.tables import migrations
from tests.core.store.conftest import added, note


def test_a_new_store_is_durable_and_checked(store: Store) -> None:
    pragma = {
        name: store.db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    assert store.schema.name == "clinical"


def test_only_this_user_can_read_it(store: Store) -> None:
    added(store, note())
    for path in store.path.parent.glob("annotations.db*"):
        if not path.name.endswith(".lock"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_first_start_that_was_killed_is_made_good(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    half = sqlite3.connect(path)
    half.execute("PRAGMA journal_mode = WAL")
    half.close()
    migrations.ensure_migrations_table(Database(path))
    assert Store(path).schema.name == "clinical"


def test_threads_that_end_close_their_connections(store: Store) -> None:
    def count() -> int:
        names = (os.readlink(p) for p in Path("/proc/self/fd").iterdir() if os.path.lexists(p))
        return sum(str(store.path) in name for name in names)

    before = count()
    for _ in range(30):
        thread = threading.Thread(target=lambda: store.rows("SELECT 1"))
        thread.start()
        thread.join()
    gc.collect()
    # Each would keep two. SQLite itself keeps some for later while another connection has locks.
    assert count() <= before + 40


def test_the_schema_in_force_is_the_last_one_set(store: Store) -> None:
    other = Schema(name="other", entities=(EntityType(name="Gene", colour="#123456", shortcut="g"),))
    store.set_schema(other, "ann")
    assert Store(store.path).schema == other
    assert [a["detail"] for a in store.rows("SELECT detail FROM actions")] == ["clinical", "other"]


def test_an_older_store_is_migrated_after_a_backup(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    added(store, note())
    store.close()
    later = type(migrations)("chartmark")
    later._migrations = [*migrations._migrations]

    @later(name="m9999_later")
    def m9999_later(db: Database) -> None:
        db.execute("CREATE TABLE later (x INTEGER)")

    monkeypatch.setattr(connection, "migrations", later)
    migrated = Store(store.path)
    assert "later" in migrated.db.table_names()
    (copy,) = tmp_path.glob("*-m9999_later.backup")
    old = sqlite3.connect(copy)
    assert old.execute("SELECT name FROM documents").fetchall() == [("n1",)]
    assert not old.execute("SELECT 1 FROM sqlite_master WHERE name = 'later'").fetchall()
    migrated.close()

    monkeypatch.undo()  # the older program again, which does not know that table
    with pytest.raises(ChartmarkError, match="made by a newer Chartmark"):
        Store(store.path)


def test_a_migration_that_fails_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.close()
    broken = type(migrations)("chartmark")
    broken._migrations = [*migrations._migrations]

    @broken()
    def m9999_broken(db: Database) -> None:
        db.execute("CREATE TABLE half (x INTEGER)")
        db.execute("no such statement")

    monkeypatch.setattr(connection, "migrations", broken)
    with pytest.raises(ChartmarkError, match="the database failed"):
        Store(store.path)
    monkeypatch.undo()
    assert "half" not in Store(store.path).db.table_names()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a letter, not a database" * 50, "not a database"), (None, "not a Chartmark database")],
)
def test_what_is_not_a_store_is_refused_and_left(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "other.db"
    if content is None:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE mine (x)")
        other.close()
        content = path.read_bytes()
    else:
        path.write_bytes(content)
    with pytest.raises(ChartmarkError, match=message):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match="choose another --db"):
        Store(tmp_path / "no" / "annotations.db")


def test_a_full_disk_is_told_and_nothing_is_saved(store: Store) -> None:
    added(store, note())
    used = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {used}")  # what SQLite does when the disk is full
    with pytest.raises(ChartmarkError, match="the disk is full; nothing was saved"):
        added(store, note("n2", "word " * 50_000))
    store.db.execute("PRAGMA max_page_count = 1000000")
    assert [r["name"] for r in documents.page(store, Filter()).rows] == ["n1"]


def test_a_store_that_may_not_be_written_is_told(store: Store) -> None:
    store.db.execute("PRAGMA query_only = ON")  # root may write any file: ask SQLite for the same error
    with pytest.raises(ChartmarkError, match="may not be written; nothing was saved"):
        added(store, note())


def test_threads_write_side_by_side(store: Store) -> None:
    def work(n: int) -> None:
        for i in range(10):
            added(store, note(f"t{n}-{i}", f"note {n} {i}"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert documents.page(store, Filter()).found == 40
