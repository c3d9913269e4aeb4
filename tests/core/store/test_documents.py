"""Documents: one for each text, found by any filter, splits that keep patients and tests apart."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ChartmarkError
from core.store import documents, revisions
from core.store.connection import Store
from core.store.documents import Filter
from core.store.revisions import Save
from tests.core.store.conftest import added, note


def names(store: Store, which: Filter, order: str = "oldest first", **more) -> list[str]:
    return [r["name"] for r in documents.page(store, which, order, **more).rows]


def saved(
    store: Store, document, status: str = "complete", annotator: str = "ann", split: str = ""
) -> int:
    key = added(store, document, split)
    revisions.save(store, Save(key, annotator, document, status, "", "s", 1), annotator)
    return key


def test_the_same_text_twice_is_one_document(store: Store) -> None:
    assert added(store, note("first")) == added(store, note("second"))
    assert names(store, Filter()) == ["first"]


def test_another_text_under_a_name_in_use_is_refused(store: Store) -> None:
    added(store, note())
    with pytest.raises(ChartmarkError, match="another text under the id 'n1'"):
        added(store, note(text="Something else."))


def test_a_text_is_kept_exactly(store: Store) -> None:
    text = "a\r\nb\tc 🧪 e\u0301 \u2028 \x00 end "
    added(store, note(text=text))
    assert store.rows("SELECT text FROM documents")[0]["text"] == text


def test_every_filter(store: Store) -> None:
    saved(store, note("x", meta={"source": "ward"}), split="train")
    saved(store, note("y", "Fever. Aspirin for gout. Again."), "flagged", "bob", split="dev")
    added(store, note("z", 'Naïve words, 100% "quoted" -- OR 1=1;'))
    for which, found in [
        (Filter(words="aspirin"), ["x", "y"]),
        (Filter(words="ASPIRIN again"), ["y"]),
        (Filter(words='naive "quoted'), ["z"]),
        (Filter(words="OR"), ["z"]),
        (Filter(words="x"), ["x"]),  # its name
        (Filter(split="train"), ["x"]),
        (Filter(split="none"), ["z"]),
        (Filter(status="flagged"), ["y"]),
        (Filter(status="new"), ["z"]),
        (Filter(source="ward"), ["x"]),
        (Filter(annotator="bob"), ["y"]),
        (Filter(type="Drug"), ["x", "y"]),
        (Filter(type="Symptom"), []),
        (Filter(relation="treats", annotator="ann"), ["x"]),
        (Filter(words="gout", type="Disease", split="dev"), ["y"]),
    ]:
        page = documents.page(store, which, "oldest first")
        assert [r["name"] for r in page.rows] == found, which
        assert page.found == len(found)
        assert len(documents.ids(store, which)) == len(found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.text())
def test_no_search_fails(store: Store, words: str) -> None:
    try:
        words.encode()
    except UnicodeEncodeError:
        return
    documents.page(store, Filter(words=words))


def test_orders_and_pages(store: Store) -> None:
    for name in ("b", "c", "a"):
        added(store, note(name, f"text {name}"))
    assert names(store, Filter(), "name") == ["a", "b", "c"]
    assert names(store, Filter(), "newest first") == ["a", "c", "b"]
    time.sleep(0.002)  # times are kept to the millisecond
    saved(store, note("b", "text b"))
    assert names(store, Filter(), "last changed")[0] == "b"
    assert names(store, Filter(), size=2, first=2) == ["a"]
    assert names(store, Filter(words="text"), "newest first", size=1, first=1) == ["c"]


def test_models_that_differ(store: Store) -> None:
    keys = [added(store, note(n, f"text {n}")) for n in "ab"]
    with store.writing() as db:
        for key, digests in zip(keys, ["xx", "xy"], strict=True):
            for model, digest in zip("mn", digests, strict=True):
                db.execute(
                    "INSERT INTO predictions VALUES (?, ?, '{}', ?, '', '')", [key, model, digest]
                )
    assert names(store, Filter(models=("m", "n"))) == ["b"]


def test_a_patients_notes_go_together(store: Store) -> None:
    first = added(store, note("a", "one", meta={"group": "p1"}))
    added(store, note("b", "two", meta={"group": "p1"}))
    added(store, note("c", "three", meta={"group": "p2"}))
    assert documents.set_split(store, [first], "test", "ann") == 2
    assert names(store, Filter(split="test")) == ["a", "b"]


def test_the_test_set_is_kept_from_training(store: Store) -> None:
    first = added(store, note("a", "one", meta={"group": "p1"}), "test")
    second = added(store, note("b", "two", meta={"group": "p1"}))
    for key in (first, second):  # a note of the same patient too
        with pytest.raises(ChartmarkError, match="kept from training"):
            documents.set_split(store, [key], "train", "ann")
    assert names(store, Filter(split="test")) == ["a"]
    assert documents.set_split(store, [first], "train", "ann", release=True) == 2


def test_what_was_trained_on_or_accepted_in_bulk_never_becomes_a_test_set(store: Store) -> None:
    key = saved(store, note("a"))
    with store.writing() as db:
        db.execute("INSERT INTO runs VALUES ('run-1', '', '', '')")
        db.execute("INSERT INTO run_documents VALUES ('run-1', ?, 1)", [key])
    with pytest.raises(ChartmarkError, match="trained on some of these \\(run-1\\)"):
        documents.set_split(store, [key], "test", "ann")
    bulk = note("b", "Fever. Aspirin for gout. Bulk.")
    relations = tuple(r.model_copy(update={"origin": "bulk"}) for r in bulk.relations)
    key = saved(store, bulk.model_copy(update={"relations": relations}))
    with pytest.raises(ChartmarkError, match="accepted in bulk"):
        documents.set_split(store, [key], "test", "ann")
