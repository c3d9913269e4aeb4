"""Dealing documents out: shares kept, patients together, test sets left alone."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.document import Entity
from core.errors import ChartmarkError
from core.store import documents, revisions
from core.store.connection import Store
from core.store.documents import Filter
from core.store.revisions import Save
from core.store.splits import WAYS, deal
from tests.core.store.conftest import added, note

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def split_of(store: Store) -> dict[str, str]:
    return {r["name"]: r["split"] for r in store.rows("SELECT name, split FROM documents")}


@pytest.mark.parametrize("way", ["random", "stratified"])
def test_shares_and_patients(store: Store, way: str) -> None:
    patients = {}
    for n in range(200):
        patients[f"n{n}"] = f"p{n // 3}"
        added(store, note(f"n{n}", f"text {n}", meta={"group": f"p{n // 3}", "source": f"s{n % 2}"}))
    counts = deal(store, SHARES, way, 0, "ann")
    assert counts.total() == 200
    assert abs(counts["train"] - 160) <= 4
    assert abs(counts["dev"] - 20) <= 4
    by_patient: dict[str, set[str]] = {}
    for name, split in split_of(store).items():
        by_patient.setdefault(patients[name], set()).add(split)
    assert all(len(splits) == 1 for splits in by_patient.values())


def test_the_same_seed_deals_alike_and_another_does_not(store: Store) -> None:
    for n in range(60):
        added(store, note(f"n{n}", f"text {n}"))
    deal(store, {"train": 0.5, "dev": 0.5}, "random", 1, "ann")
    first = split_of(store)
    deal(store, {"train": 0.5, "dev": 0.5}, "random", 1, "ann")
    assert split_of(store) == first
    deal(store, {"train": 0.5, "dev": 0.5}, "random", 2, "ann")
    assert split_of(store) != first


def test_what_is_rare_is_in_every_split(store: Store) -> None:
    for n in range(90):
        kind = "Procedure" if n % 9 == 0 else "Drug"
        d = note(f"n{n}", f"text {n}").model_copy(
            update={"entities": (Entity(id="a", start=0, end=4, type=kind),)}
        )
        revisions.save(store, Save(added(store, d), "ann", d, "complete", "", "s", 1), "ann")
    deal(store, {"train": 0.6, "dev": 0.2, "test": 0.2}, "stratified", 0, "ann")
    rare = Counter(split for name, split in split_of(store).items() if int(name[1:]) % 9 == 0)
    assert rare == {"train": 6, "dev": 2, "test": 2}


def test_whole_sources_stay_together(store: Store) -> None:
    for n in range(40):
        added(store, note(f"n{n}", f"text {n}", meta={"source": f"s{n % 5}"}))
    deal(store, {"train": 0.6, "dev": 0.2, "test": 0.2}, "by source", 0, "ann")
    splits = {n % 5: set() for n in range(5)}
    for name, split in split_of(store).items():
        splits[int(name[1:]) % 5].add(split)
    assert all(len(s) == 1 for s in splits.values())


def test_a_test_set_and_its_patients_stay(store: Store) -> None:
    added(store, note("kept", "one", meta={"group": "p"}), "test")
    added(store, note("same patient", "two", meta={"group": "p"}))
    for n in range(20):
        added(store, note(f"n{n}", f"text {n}"))
    counts = deal(store, {"train": 1.0}, "random", 0, "ann")
    assert counts == {"train": 20}
    found = split_of(store)
    assert (found["kept"], found["same patient"]) == ("test", "")


def test_what_was_accepted_in_bulk_never_goes_to_test(store: Store) -> None:
    for n in range(10):
        d = note(f"n{n}", f"Fever. Aspirin for gout. {n}")
        bulk = d.model_copy(
            update={"relations": tuple(r.model_copy(update={"origin": "bulk"}) for r in d.relations)}
        )
        revisions.save(store, Save(added(store, d), "ann", bulk, "complete", "", "s", 1), "ann")
    assert deal(store, {"train": 0.1, "test": 0.9}, "random", 0, "ann")["test"] == 0


def test_a_patients_new_note_goes_where_the_others_are(store: Store) -> None:
    for n in range(40):
        added(store, note(f"old{n}", f"old {n}", meta={"group": f"p{n}"}), ("train", "dev")[n % 2])
        added(store, note(f"new{n}", f"new {n}", meta={"group": f"p{n}"}))
    deal(store, SHARES, "random", 0, "ann", Filter(split="none"))
    found = split_of(store)
    assert all(found[f"new{n}"] == found[f"old{n}"] for n in range(40))


def test_a_patient_that_was_trained_on_never_goes_to_test(store: Store) -> None:
    key = added(store, note("old", "old", meta={"group": "p"}), "train")
    added(store, note("new", "new", meta={"group": "p"}))
    with store.writing() as db:
        db.execute("INSERT INTO runs VALUES ('run-1', '', '', '')")
        db.execute(
            "INSERT INTO revisions VALUES"
            " (1, 't', ?, 'a', 1, 'complete', '{}', '', '', 1, NULL, '', '', '')",
            [key],
        )
        db.execute("INSERT INTO run_documents VALUES ('run-1', ?, 1)", [key])
    deal(store, {"train": 0.01, "test": 0.99}, "random", 0, "ann")
    assert set(split_of(store).values()) == {"train"}


def test_sources_that_share_a_patient_stay_together(store: Store) -> None:
    for n in range(10):
        for ward in "ab":
            added(store, note(f"{ward}{n}", f"{ward} {n}", meta={"source": ward, "group": f"p{n}"}))
    deal(store, {"train": 0.5, "test": 0.5}, "by source", 0, "ann")
    assert len(set(split_of(store).values())) == 1


def test_only_what_matches_is_dealt(store: Store) -> None:
    added(store, note("a", "one"), "dev")
    added(store, note("b", "two"))
    deal(store, {"train": 1.0}, "random", 0, "ann", Filter(split="none"))
    assert split_of(store) == {"a": "dev", "b": "train"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(WAYS))
def test_shares_must_add_up(store: Store, train: int, dev: int, way: str) -> None:
    shares = {"train": train / 100, "dev": dev / 100}
    if train + dev == 100:
        assert deal(store, shares, way, 0, "ann").total() == documents.page(store, Filter()).found
    else:
        with pytest.raises(ChartmarkError, match="add up to 100%"):
            deal(store, shares, way, 0, "ann")
