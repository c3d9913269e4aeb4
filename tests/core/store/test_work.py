"""How revisions came to be, and where annotators were: kept with the save, gone with the document."""

from core.store import backup, places, revisions, work
from core.store.connection import Store
from core.store.revisions import ADJUDICATED, Save
from core.store.work import Suggestion, Work
from tests.core.store.conftest import added, note


def done(outcome: str = "accepted", **more: object) -> Work:
    said = Suggestion(key="?1", start=0, end=5, type="Symptom", score=0.9, outcome=outcome)  # type: ignore[arg-type]
    return Work(model="m", mentions=(said,), **more)  # type: ignore[arg-type]


def save(
    store: Store, key: int, made: Work, status: str, who: str = "ann", sequence: int = 1, base: str = ""
):
    new = Save(key, who, note(), status, base, f"sitting {who}", sequence, work=made)  # type: ignore[arg-type]
    return revisions.save(store, new, who)


def test_it_is_kept_with_each_revision_and_follows_a_draft(store: Store) -> None:
    key = added(store, note())
    first = save(store, key, done("open", seconds=3), "draft")
    again = save(store, key, done(seconds=8, added=2), "draft", sequence=2)
    assert first.id == again.id
    assert work.of(store, again.id) == done(seconds=8, added=2)
    last = save(store, key, done("changed", seconds=9), "complete", sequence=3)
    assert work.of(store, again.id) == done(seconds=8, added=2)
    assert work.of(store, last.id) == done("changed", seconds=9)
    assert work.of(store, 10**6) is None


def test_only_the_newest_complete_one_of_each_annotator_counts(store: Store) -> None:
    key = added(store, note())
    first = save(store, key, done("rejected"), "complete")
    save(store, key, done("accepted"), "complete", sequence=2, base=first.token)
    save(store, key, done("changed"), "complete", "bob")
    save(store, key, done("bulk"), "draft", "cat")
    save(store, key, done("bulk"), "complete", ADJUDICATED)
    assert [w.mentions[0].outcome for _, w in work.completed(store)] == ["accepted", "changed"]


def test_a_place_is_replaced_and_purged_with_its_document(store: Store) -> None:
    key = added(store, note())
    save(store, key, done(), "complete")
    assert places.last(store, "ann") is None
    places.remember(store, "ann", {"order": "random"}, None)
    places.remember(store, "ann", {"order": "random", "words": "x"}, key)
    assert places.last(store, "ann") == ({"order": "random", "words": "x"}, key)
    backup.purge(store, "n1", "ann", backups=False)
    assert places.last(store, "ann") is None
    assert store.rows("SELECT * FROM work") == []
