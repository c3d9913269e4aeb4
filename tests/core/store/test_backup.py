"""Backups, restoring one, and purge: a document goes, and no byte of it stays."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.store import backup, connection, documents, revisions
from core.store.backup import back_up, purge, restore
from core.store.connection import Store
from core.store.documents import Filter
from core.store.revisions import Save
from tests.core.store.conftest import added, note

SECRET = "Fever. Aspirin for gout. Zebrafeverish."


def names(store: Store) -> list[str]:
    return [r["name"] for r in documents.page(store, Filter(), "name").rows]


def saved(store: Store, name: str, text: str) -> int:
    d = note(name, text)
    key = added(store, d)
    revisions.save(store, Save(key, "ann", d, "complete", "", "s", 1, note="Zebrafeverish?"), "ann")
    return key


def test_a_backup_is_whole_while_others_write(store: Store, tmp_path: Path) -> None:
    saved(store, "0", SECRET)
    writer = threading.Thread(target=lambda: [saved(store, f"1-{n}", f"text {n}") for n in range(60)])
    writer.start()
    for n in range(5):
        back_up(store, tmp_path / f"{n}.db")
        copy = Store(tmp_path / f"{n}.db")
        assert copy.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        # The documents are those that were there first, each with its labels.
        found = [d.id for d in revisions.gold(copy)]
        assert found == ["0", *(f"1-{n}" for n in range(len(found) - 1))]
        # One whose text is in, and its labels not yet, may be there too.
        assert documents.page(copy, Filter(), size=100).found - len(found) in (0, 1)
    writer.join()


def test_a_backup_overwrites_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(ChartmarkError, match="there already"):
        back_up(store, tmp_path / "copy.db")
    with pytest.raises(ChartmarkError, match="can't write"):
        back_up(store, tmp_path / "no" / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_restore_brings_back_and_keeps_what_was(store: Store, tmp_path: Path) -> None:
    added(store, note("a", "one"))
    back_up(store, tmp_path / "copy.db")
    added(store, note("b", "two"))
    before = restore(store, tmp_path / "copy.db", "ann")
    assert names(store) == ["a"]
    assert names(Store(before)) == ["a", "b"]
    assert store.rows("SELECT who, what FROM actions")[-1] == {"who": "ann", "what": "restore"}
    assert {Path(r["path"]) for r in store.rows("SELECT path FROM backups")} >= {before}


@pytest.mark.parametrize("content", [b"no database", b"", None])
def test_what_is_no_backup_changes_nothing(store: Store, tmp_path: Path, content: bytes | None) -> None:
    added(store, note("a", "one"))
    path = tmp_path / "copy.db"
    if content is None:
        back_up(store, path)
        whole = bytearray(path.read_bytes())
        whole[4096:12288] = b"\xff" * 8192
        content = bytes(whole)
    path.write_bytes(content)
    with pytest.raises(ChartmarkError, match=r"nothing was changed|not a Chartmark database"):
        restore(store, path, "ann")
    assert names(store) == ["a"]


def test_purge_leaves_no_byte(store: Store, tmp_path: Path) -> None:
    key = saved(store, "a", SECRET)
    added(store, note("b", "two"))
    with store.writing() as db:
        labels = json.dumps({"said": "Zebrafeverish"})
        db.execute("INSERT INTO predictions VALUES (?, 'm', ?, 'd', '', '')", [key, labels])
        db.execute("INSERT INTO runs VALUES ('run-1', '{}', '', '')")
        db.execute("INSERT INTO run_documents VALUES ('run-1', ?, 1)", [key])
        report = json.dumps({"left_out": ["a", "b"]})
        db.execute("INSERT INTO evaluations VALUES (1, 'm', 'dev', ?, '', '')", [report])
        db.execute("INSERT INTO evaluation_documents VALUES (1, ?, ?)", [key, labels])
    back_up(store, tmp_path / "copy.db")
    models, left = purge(store, "a", "ann", backups=False)
    assert models == ["run-1"]
    assert left == [str(tmp_path / "copy.db")]
    assert names(store) == ["b"]
    (report,) = (json.loads(r["report"]) for r in store.rows("SELECT report FROM evaluations"))
    assert report == {"left_out": ["(purged)", "b"]}  # its id may be a patient's
    assert documents.page(store, Filter(words="Zebrafeverish")).rows == []

    def holding() -> list[str]:
        return sorted(p.name for p in tmp_path.iterdir() if b"ebrafeverish" in p.read_bytes())

    assert holding() == ["copy.db"]
    done = store.rows("SELECT who, what, detail FROM actions ORDER BY id")[-1]
    assert (done["who"], done["what"]) == ("ann", "purge")
    assert "a document of SHA-256" in done["detail"]


def test_purge_reaches_the_backups_when_asked(store: Store, tmp_path: Path) -> None:
    saved(store, "a", SECRET)
    back_up(store, tmp_path / "one.db")
    back_up(store, tmp_path / "two.db")
    (tmp_path / "two.db").unlink()  # taken elsewhere: nothing to do here
    assert purge(store, "a", "ann", backups=True) == ([], [])
    assert not [p for p in tmp_path.iterdir() if b"ebrafeverish" in p.read_bytes()]
    assert names(Store(tmp_path / "one.db")) == []


def test_purge_reaches_a_backup_of_an_earlier_version(store: Store, tmp_path: Path) -> None:
    saved(store, "a", SECRET)
    back_up(store, tmp_path / "old.db")
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.execute("DROP TABLE places")
        old.execute("DROP TABLE work")
        old.commit()
    assert purge(store, "a", "ann", backups=True) == ([], [])
    assert b"ebrafeverish" not in (tmp_path / "old.db").read_bytes()


def test_what_only_a_backup_still_has_is_purged_there(store: Store, tmp_path: Path) -> None:
    saved(store, "a", SECRET)
    back_up(store, tmp_path / "copy.db")
    assert purge(store, "a", "ann", backups=False)[1] == [str(tmp_path / "copy.db")]
    assert purge(store, "a", "ann", backups=True) == ([], [])
    assert b"ebrafeverish" not in (tmp_path / "copy.db").read_bytes()


def test_a_backup_that_is_locked_is_told_and_the_rest_is_done(store: Store, tmp_path: Path) -> None:
    saved(store, "a", SECRET)
    back_up(store, tmp_path / "copy.db")
    with sqlite3.connect(tmp_path / "copy.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "PATIENCE", 0.1)
            patch.setattr(backup, "LOOKING", 0.1)
            models, left = purge(store, "a", "ann", backups=True)
        other.execute("ROLLBACK")
    other.close()
    assert (models, names(store)) == ([], [])
    assert left in ([], [str(tmp_path / "copy.db")])
    assert purge(store, "a", "ann", backups=True) == ([], [])
    assert not [p for p in tmp_path.iterdir() if b"ebrafeverish" in p.read_bytes()]


def test_a_reader_that_keeps_old_pages_is_told(store: Store) -> None:
    saved(store, "a", SECRET)
    reader = sqlite3.connect(store.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM documents").fetchall()
    with pytest.MonkeyPatch.context() as patch:
        store.close()
        patch.setattr(connection, "PATIENCE", 0.2)
        with pytest.raises(ChartmarkError, match=r"purge again|locked"):
            purge(store, "a", "ann", backups=True)
    reader.execute("ROLLBACK")
    reader.close()
    with pytest.raises(ChartmarkError, match="has a document 'a'"):
        purge(store, "a", "ann", backups=True)  # finishes what was left
    assert b"ebrafeverish" not in b"".join(p.read_bytes() for p in store.path.parent.iterdir())


def test_a_save_that_waited_for_a_restore_is_not_lost(store: Store, tmp_path: Path) -> None:
    saved(store, "a", SECRET)
    back_up(store, tmp_path / "copy.db")
    other = Store(store.path)
    done = threading.Event()

    def writer() -> None:
        with other.writing() as db:
            done.set()
            time.sleep(0.3)
            documents.add(db, note("late", "said before the restore"), "", "bob")

    thread = threading.Thread(target=writer)
    thread.start()
    done.wait()
    before = restore(store, tmp_path / "copy.db", "ann")
    thread.join()
    assert names(store) == ["a"]
    assert names(Store(before)) == ["a", "late"]


def test_a_document_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(ChartmarkError, match="has a document 'x'"):
        purge(store, "x", "ann", backups=True)
