"""A model reads what it has not read, once; what is purged meanwhile does not come back."""

import os
import time

import pytest

from core.errors import ChartmarkError
from core.extraction import Annotation, models
from core.prelabel import missing, read, reading
from core.store import documents, predictions
from core.store.connection import Store
from tests.core.store.conftest import added, note, store  # noqa: F401


def test_the_starter_reads_each_document_once(store: Store, starter) -> None:  # noqa: F811
    keys = [added(store, note(f"n{i}", f"Fever since day {i}.")) for i in range(3)]
    assert list(read(store, lambda _: starter, keys, "starter", "me")) == [0, 3]
    assert missing(store, keys, "starter") == []
    assert list(read(store, lambda _: pytest.fail("read again"), keys, "starter", "me")) == [3]
    found = predictions.of(store, keys[0], "starter")
    assert found is not None
    assert "Fever" in [found.mention(e) for e in found.entities]


def test_a_model_whose_files_are_newer_reads_again(store: Store, starter) -> None:  # noqa: F811
    key = added(store, note("n", "Fever."))
    assert reading(store, lambda _: starter, key, "starter", "me")
    file = models.folder("starter") / "model.json"
    before = file.stat()
    try:
        os.utime(file, (time.time() + 10, time.time() + 10))
        assert missing(store, [key], "starter") == [key]
    finally:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_is_gone_meanwhile_stays_gone(store: Store) -> None:  # noqa: F811
    key = added(store, note("n", "Fever."))

    class Purging:
        def extract(self, texts, threshold=None):
            with store.writing() as db:
                db.execute("DELETE FROM documents WHERE id = ?", [key])
            return [Annotation(entities=(), relations=()) for _ in texts]

    assert reading(store, lambda _: Purging(), key, "starter", "me") is None
    assert store.rows("SELECT * FROM predictions") == []
    assert documents.notes(store.db, [key]) == {}


def test_an_unknown_model_is_told(store: Store) -> None:  # noqa: F811
    with pytest.raises(ChartmarkError, match="no model 'nope'"):
        missing(store, [added(store, note())], "nope")
