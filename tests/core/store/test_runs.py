"""The gold of a run is frozen, corrected notes get a split, the model in use is on record."""

import pytest

from core.document import Document, Entity
from core.errors import ChartmarkError
from core.store import documents, in_use, revisions, runs, splits
from core.store.connection import Store
from core.store.revisions import IMPORTED, Save


def completed(store: Store, name: str, split: str = "", patient: str = "", who: str = "anna") -> int:
    e = Entity(id="T1", start=0, end=5, type="Symptom")
    text = f"Fever, says {name}."
    d = Document(id=name, text=text, entities=(e,), relations=(), meta={"group": patient or name})
    with store.writing() as db:
        key, _ = documents.add(db, d, split, "tester")
        revisions.add(db, Save(key, who, d, "complete", "", f"sitting {name}", 1), who)
    return key


def test_what_a_run_began_with_stays_what_it_trains_on(store: Store) -> None:
    key = completed(store, "one", "train")
    completed(store, "two", "dev")
    runs.freeze(store, "run", "cpu", "", "anna")
    ((revision, before),) = runs.frozen(store, "run")
    (newest,) = revisions.history(store, key)
    with store.writing() as db:
        later = before.model_copy(update={"entities": ()})
        revisions.add(db, Save(key, "anna", later, "complete", newest.token, "another", 1), "anna")
    completed(store, "three", "train")
    runs.freeze(store, "run", "cpu", "", "anna")  # it goes on
    assert runs.frozen(store, "run") == [(revision, before)]


def test_only_what_people_completed_after_a_moment(store: Store) -> None:
    completed(store, "imported", "train", who=IMPORTED)
    completed(store, "early", "train")
    (early,) = store.rows("SELECT max(saved_at) AS at FROM revisions")
    assert runs.corrected_since(store, "") == 1
    assert runs.corrected_since(store, early["at"]) == 0
    runs.freeze(store, "run", "cpu", early["at"], "anna")
    assert runs.frozen(store, "run") == []


def test_what_a_run_will_read_is_told_as_it_will_be(store: Store) -> None:
    """Imported gold trains too, what is in another split doesn't: the plan had counted otherwise."""
    completed(store, "imported", "train", who=IMPORTED)
    completed(store, "held", "dev")
    completed(store, "undealt", who=IMPORTED)
    completed(store, "one", "train")
    (early,) = store.rows("SELECT max(saved_at) AS at FROM revisions")
    texts = [len("Fever, says imported."), len("Fever, says one.")]
    assert runs.ahead(store, "") == (2, sum(texts))
    runs.freeze(store, "run", "cpu", "", "anna")
    assert len(runs.frozen(store, "run")) == 2
    assert runs.ahead(store, early["at"]) == (0, 0)
    completed(store, "new")  # goes to train or dev when a run begins
    assert runs.ahead(store, early["at"]) == (1, len("Fever, says new."))


def test_a_fixed_share_of_corrected_notes_is_dev_and_patients_stay_together(store: Store) -> None:
    for n in range(60):
        completed(store, f"n{n}", patient=f"p{n // 2}")
    completed(store, "imported", who=IMPORTED)
    counts = splits.settle(store, "anna")
    assert counts["dev"] + counts["train"] == 60
    assert 2 <= counts["dev"] <= 20
    rows = store.rows("SELECT patient, count(DISTINCT split) AS n FROM documents GROUP BY patient")
    assert all(r["n"] == 1 for r in rows)
    given = store.rows("SELECT id, split FROM documents ORDER BY id")
    assert splits.settle(store, "anna").total() == 0
    assert store.rows("SELECT id, split FROM documents ORDER BY id") == given
    assert given[-1]["split"] == ""  # what nobody corrected is nobody's


def test_the_model_in_use(store: Store) -> None:
    assert (in_use.model(store), in_use.since(store)) == ("starter", "")
    with pytest.raises(ChartmarkError, match="no model 'nope'"):
        in_use.use(store, "nope", "anna")
    in_use.use(store, "starter", "anna")
    assert in_use.since(store) > "2026"
    with store.writing() as db:
        db.table("in_use").insert(
            {"model": "a run that was deleted", "since": "2026", "set_by": "anna"}
        )
    assert in_use.model(store) == "starter"
