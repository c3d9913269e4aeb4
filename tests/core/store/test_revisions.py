"""Revisions: added, never changed; conflicts hold both versions; gold is what people completed."""

import itertools
from pathlib import Path

import pytest

from core.document import Entity
from core.errors import ChartmarkError
from core.store import revisions
from core.store.connection import Store
from core.store.documents import set_split
from core.store.revisions import ADJUDICATED, IMPORTED, Conflict, Save
from tests.core.store.conftest import added, note

sequence = itertools.count(1)


def save(
    store: Store,
    key: int,
    who: str,
    base: int,
    status: str = "complete",
    labels=None,
    sitting: str = "s",
):
    """`base` is a number here: the token is looked up."""
    tokens = {r.number: r.token for r in revisions.history(store, key) if r.annotator == who}
    new = Save(key, who, labels or note(), status, tokens.get(base, ""), sitting, next(sequence))
    return revisions.save(store, new, who)


def other(text_type: str):
    return note().model_copy(
        update={"entities": (Entity(id="x", start=0, end=5, type=text_type),), "relations": ()}
    )


def gold(store: Store, **which):
    return list(revisions.gold(store, **which))


def test_a_sittings_autosaves_make_one_draft(store: Store) -> None:
    key = added(store, note())
    first = save(store, key, "ann", 0, "draft")
    second = save(store, key, "ann", 1, "draft", other("Symptom"))
    assert (first.number, second.number) == (1, 1)
    assert [r.document.entities for r in revisions.history(store, key)] == [other("Symptom").entities]
    # Another sitting, or another status, is a revision of its own.
    assert save(store, key, "ann", 1, "draft", sitting="t").number == 2
    assert save(store, key, "ann", 2, "complete", sitting="t").number == 3
    assert save(store, key, "ann", 3, "draft", sitting="t").number == 4
    assert [r.status for r in revisions.history(store, key)] == ["draft", "draft", "complete", "draft"]


def test_a_save_that_was_overtaken_changes_nothing(store: Store) -> None:
    key = added(store, note())
    old = Save(key, "ann", other("Symptom"), "draft", "", "s", next(sequence))
    save(store, key, "ann", 0, "draft")
    with pytest.raises(ChartmarkError, match="a later change was saved already"):
        revisions.save(store, old, "ann")
    assert revisions.history(store, key)[0].document.entities == note().entities


def test_the_second_of_two_writers_gets_both_versions(store: Store) -> None:
    key = added(store, note())
    save(store, key, "ann", 0, sitting="one")
    with pytest.raises(Conflict, match="saved meanwhile by ann") as conflict:
        save(store, key, "ann", 0, labels=other("Symptom"), sitting="two")
    assert conflict.value.theirs.document.entities == note().entities
    assert conflict.value.ours == other("Symptom")
    assert len(revisions.history(store, key)) == 1


def test_who_opened_a_draft_before_its_last_autosave_overwrites_nothing(store: Store) -> None:
    key = added(store, note())
    seen = save(store, key, "ann", 0, "draft", sitting="one").token
    save(store, key, "ann", 1, "draft", other("Symptom"), sitting="one")
    late = Save(key, "ann", note(), "draft", seen, "two", next(sequence))
    with pytest.raises(Conflict) as conflict:
        revisions.save(store, late, "ann")
    assert conflict.value.theirs.document.entities == other("Symptom").entities


def test_what_is_accepted_in_bulk_does_not_get_into_a_test_set(store: Store) -> None:
    key = added(store, note())
    set_split(store, [key], "test", "ann")
    relations = tuple(r.model_copy(update={"origin": "bulk"}) for r in note().relations)
    with pytest.raises(ChartmarkError, match="decide one by one"):
        save(store, key, "ann", 0, labels=note().model_copy(update={"relations": relations}))
    save(store, key, "ann", 0)


def test_a_sitting_may_save_again_before_it_hears_of_its_last_save(store: Store) -> None:
    key = added(store, note())
    first = Save(key, "ann", note(), "draft", "", "s", 1)
    second = Save(key, "ann", other("Symptom"), "draft", "", "s", 2)
    assert revisions.save(store, first, "ann").number == 1
    assert revisions.save(store, second, "ann").number == 1
    # Sent again, because the answer was lost: saved once.
    assert revisions.save(store, second, "ann").number == 1
    (only,) = revisions.history(store, key)
    assert only.document.entities == other("Symptom").entities


def test_a_base_that_a_restore_took_away_is_a_conflict(store: Store, tmp_path: Path) -> None:
    from core.store.backup import back_up, restore

    key = added(store, note())
    save(store, key, "ann", 0)
    back_up(store, tmp_path / "copy.db")
    seen = save(store, key, "ann", 1, labels=other("Symptom"))
    restore(store, tmp_path / "copy.db", "ann")
    save(store, key, "ann", 1, labels=other("Disease"), sitting="another")  # a new revision 2
    stale = Save(key, "ann", note(), "complete", seen.token, "s", next(sequence))
    with pytest.raises(Conflict):
        revisions.save(store, stale, "ann")


def test_labels_of_another_text_are_refused(store: Store) -> None:
    key = added(store, note())
    with pytest.raises(ChartmarkError, match="belong to another text"):
        save(store, key, "ann", 0, labels=note("n1", "Another text."))


def test_labels_that_the_schema_lacks_are_refused(store: Store) -> None:
    key = added(store, note())
    with pytest.raises(ChartmarkError, match="'Gene' is not in the schema"):
        save(store, key, "ann", 0, labels=other("Gene"))
    assert revisions.history(store, key) == []


def test_a_document_that_was_removed_takes_no_save(store: Store) -> None:
    with pytest.raises(ChartmarkError, match="no longer in the store"):
        save(store, 7, "ann", 0)


def test_a_revision_comes_back_whole(store: Store) -> None:
    whole = note(
        meta={"source": "ward", "group": "p1", "bed": 3},
        annotated={"entities": ("Drug",), "relations": (), "attributes": ()},
        concept_relations=({"head": "C1", "tail": "C2", "type": "treats"},),
        colour="blue",
    )
    key = added(store, whole)
    save(store, key, "ann", 0, labels=whole)
    assert revisions.history(store, key)[0].document == whole
    assert gold(store) == [whole]


def test_the_newest_labels_are_rows(store: Store) -> None:
    key = added(store, note())
    save(store, key, "ann", 0)
    save(store, key, "ann", 1, labels=other("Symptom"))
    save(store, key, "bob", 0)
    assert [
        tuple(r.values()) for r in store.rows("SELECT type, text FROM entities ORDER BY start")
    ] == [
        ("Symptom", "Fever"),
        ("Drug", "Aspirin"),
        ("Disease", "gout"),
    ]
    assert len(store.rows("SELECT * FROM relations")) == 1


def test_drafts_are_never_gold(store: Store) -> None:
    key = added(store, note())
    save(store, key, "ann", 0, "draft")
    assert gold(store) == []
    save(store, key, "ann", 1)
    save(store, key, "ann", 2, "draft", other("Symptom"))  # goes on, has not completed that yet
    assert [d.entities for d in gold(store)] == [note().entities]


def test_a_persons_revision_goes_before_the_imported_one(store: Store) -> None:
    key = added(store, note())
    save(store, key, IMPORTED, 0, labels=other("Symptom"))
    assert [d.entities for d in gold(store)] == [other("Symptom").entities]
    assert gold(store, corrected=True) == []
    save(store, key, "ann", 0)
    assert [d.entities for d in gold(store, corrected=True)] == [note().entities]


def test_two_that_completed_are_disputed_until_somebody_decides(store: Store) -> None:
    key = added(store, note())
    save(store, key, "ann", 0)
    save(store, key, "bob", 0, labels=other("Symptom"))
    assert gold(store) == []
    assert store.rows("SELECT status FROM documents") == [{"status": "disputed"}]
    save(store, key, ADJUDICATED, 0, labels=other("Disease"))
    assert [d.entities for d in gold(store)] == [other("Disease").entities]
    assert store.rows("SELECT status FROM documents") == [{"status": "complete"}]


def test_gold_of_a_split_only(store: Store) -> None:
    for name, split in (("a", "train"), ("b", "test")):
        d = note(name, f"Fever. Aspirin for gout. {name}")
        save(store, added(store, d, split), "ann", 0, labels=d)
    assert [d.id for d in gold(store, split="train")] == ["a"]
    assert [d.id for d in gold(store)] == ["a", "b"]
