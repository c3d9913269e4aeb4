"""An evaluation from end to end on the real model: figures, overlaps refused, kept, exported."""

import json
from pathlib import Path

import pytest

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.evaluation import evaluate as module
from core.evaluation import export
from core.evaluation.evaluate import evaluate
from core.evaluation.report import ENTITIES, GIVEN, RELATIONS, Report
from core.evaluation.versus import versus
from core.overlap import Trained
from core.scoring import MICRO
from core.store import backup, evaluations, revisions
from core.store.connection import Store
from core.store.revisions import Save
from tests.core.store.conftest import added, store  # noqa: F401

SENTENCES = Path(__file__).parents[2] / "data" / "clinical_sentences.jsonl"


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluate("starter", str(SENTENCES), None, Path("no.db"))


def test_every_kind_of_figure_is_there(report: Report) -> None:
    assert report.documents == 38
    assert report.scores[ENTITIES][MICRO].f1 > 0.7
    # Given the mentions, relations can only be easier.
    assert report.scores[GIVEN][MICRO].recall >= report.scores[RELATIONS][MICRO].recall
    gold = report.scores[ENTITIES][MICRO].support
    assert sum(n for g, _, n in report.confusion["entities"] if g != "spurious") == gold
    wrong = sum(
        sum(labels.values()) for kind, labels in report.errors.items() if "relation" not in kind
    )
    tp = sum(n.counts[ENTITIES][t][0] for n in report.notes for t in n.counts[ENTITIES])
    missed = gold - tp
    spurious = sum(row[1] for n in report.notes for row in n.counts[ENTITIES].values())
    assert max(missed, spurious) <= wrong <= missed + spurious
    assert any(line.startswith(ENTITIES) for line in report.lines())


def test_what_the_model_was_trained_on_is_refused_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    first = json.loads(SENTENCES.read_text().splitlines()[0])
    known = Document(id="elsewhere", text=first["text"], entities=(), relations=())
    monkeypatch.setattr(module.Trained, "load", lambda _: Trained.of([known]))
    with pytest.raises(ChartmarkError, match=r"trained on 1 of these 38 .*sentence-1.*--allow-overlap"):
        evaluate("starter", str(SENTENCES), None, Path("no.db"))
    rest = evaluate("starter", str(SENTENCES), None, Path("no.db"), allow_overlap=True)
    assert rest.documents == 37
    assert rest.left_out == ["sentence-1"]
    assert rest.trained


def test_other_labels_than_the_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "genes.jsonl"
    path.write_text(
        '{"id":"a","text":"TP53","entities":[{"id":"T1","start":0,"end":4,"type":"Gene"}],"relations":[]}'
    )
    with pytest.raises(ChartmarkError, match="other labels than these documents"):
        evaluate("starter", str(path), None, Path("no.db"))


@pytest.mark.parametrize("form", list(export.FORMS))
def test_it_is_written_in_each_form_and_holds_no_text(
    report: Report, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"report{form}"
    export.write(report, path)
    written = path.read_text()
    assert f"{report.scores[ENTITIES][MICRO].recall:.3f}"[:4] in written
    assert "hemoptysis" not in written
    if form == ".html":
        assert written.count("<svg") >= 6
        assert "<script" not in written


def test_an_unknown_form_is_refused(report: Report, tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match="a report ends in"):
        export.write(report, tmp_path / "report.pdf")


def test_a_model_does_not_differ_from_itself(report: Report) -> None:
    same = versus(report, report)
    assert all(d.f1 == 0 and not d.significant for d in same.differences.values())
    assert same.notes == []
    nothing = Report(**{**{f: getattr(report, f) for f in report.__slots__}, "notes": []})
    with pytest.raises(ChartmarkError, match="no document in common"):
        versus(report, nothing)


def test_it_is_kept_with_the_store_and_purged_with_its_documents(store: Store) -> None:  # noqa: F811
    text = "He has a fever and takes aspirin."
    entities = (Entity(id="T1", start=9, end=14, type="Symptom"),)
    d = Document(id="n1", text=text, entities=entities, relations=())
    key = added(store, d, "test")
    revisions.save(store, Save(key, "ann", d, "complete", "", "sitting", 1), "ann")
    made = evaluate("starter", "test", None, store.path)
    number = evaluations.add(store, made, "ann")
    assert evaluations.get(store, number).notes == made.notes
    (entry,) = evaluations.entries(store)
    assert (entry.model, entry.data, entry.documents, entry.made_by) == ("starter", "test", 1, "ann")
    assert entry.figures[ENTITIES] == made.scores[ENTITIES][MICRO].f1
    backup.purge(store, "n1", "ann", backups=False)
    assert evaluations.get(store, number).notes == []
    with pytest.raises(ChartmarkError, match="no longer in the store"):
        evaluations.get(store, 99)


def test_relations_given_their_mentions_are_scored_without_them(tmp_path: Path) -> None:
    text = "Rash due to penicillin."
    entities = (
        Entity(id="a", start=0, end=4, type="Symptom"),
        Entity(id="b", start=12, end=22, type="Drug"),
    )
    relations = (Relation(head="b", tail="a", type="causes"),)
    d = Document(id="r", text=text, entities=entities, relations=relations)
    path = tmp_path / "one.jsonl"
    path.write_text(d.model_dump_json())
    assert evaluate("starter", str(path), None, Path("no.db")).scores[GIVEN][MICRO].f1 == 1
