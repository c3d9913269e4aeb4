"""What trains never holds what evaluates: by document, and by sentence."""

from collections import Counter
from pathlib import Path

import pytest

import training
from core.document import Document, to_json
from core.errors import ChartmarkError
from core.formats import jsonl, passages
from core.formats.mapping import corpora
from core.overlap import HeldOut, identity, sentences
from core.schema import default_schema
from training import preset
from training.data import Mix, gather
from training.synthetic.notes import notes

PASSAGES = Path(training.__file__).with_name("real_notes.passages.jsonl")
LONG = "The patient was treated with intravenous ceftriaxone for pneumonia."


def document(name: str, text: str) -> Document:
    return Document(id=name, text=text, entities=(), relations=())


def test_sentences_are_compared_without_case_and_signs() -> None:
    held = HeldOut([document("bc5cdr:1", f"First. {LONG}\nLast.")])
    shouted = LONG.upper().replace(" ", "  ").replace(".", "!")
    assert held.overlaps(document("phee:2", f"Elsewhere. {shouted} More."))
    assert not held.overlaps(document("phee:2", "First. Last."))  # short sentences are no one's


def test_the_same_document_in_another_corpus_overlaps() -> None:
    assert identity(document("biored:7", "a")) == "7"
    assert HeldOut([document("bc5cdr:7", "a")]).overlaps(document("biored:7", "b"))


def test_nothing_of_a_development_set_is_trained_on(corpora_folder: Path) -> None:
    starter = preset.load("starter", [])
    data = gather(starter, Mix(files=(corpora_folder,)), default_schema(), "a run")
    parts = {p for t in (*data.train, *data.tune) for p in t.id.split("+")}
    for corpus in corpora().values():
        if "dev" not in corpus.splits or corpus.labels != "clinical":
            continue
        for d in corpus.read(corpora_folder, "dev", Counter()):
            assert d.id not in parts
    train = {s for d in data.train for s in sentences(d.text)}
    assert not train & {s for d in data.tune for s in sentences(d.text)}


def test_passages_read_again_have_other_names_and_tuning_ones_their_own(corpora_folder: Path) -> None:
    small = preset.load("cpu", ["corpora={}", "stitch={}", "corrected=2", "renamed=0.5"])
    data = gather(small, Mix(files=(corpora_folder, PASSAGES)), default_schema(), "a run")
    half = len(data.train) // 2
    own, other = data.train[:half], data.train[half:]
    assert [d.id for d in own] == [d.id for d in other]
    assert sum(a.text != b.text for a, b in zip(own, other, strict=True)) > half // 2
    for d in data.train:
        default_schema().check(d)
    original = {d.id: d for d in passages.read(PASSAGES, corpora_folder)}
    assert all(original[d.id].text == d.text for d in (*own, *data.tune))


def test_gold_in_a_file_is_read_as_often_as_corrected_notes(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    gold = [document(f"g{i}", f"He has had a fever since day {i}.") for i in range(60)]
    with file.open("w") as out:
        out.writelines(to_json(d) + "\n" for d in [*gold, *notes("train", 60, 0, held_out=False)])
    values = preset.load("cpu", ["corrected=3"])
    train = gather(values, Mix(files=(file,)), default_schema(), "run").train
    counts = Counter(d.id for d in train)
    assert {n for d, n in counts.items() if d.startswith("g")} == {3}
    assert {n for d, n in counts.items() if not d.startswith("g")} == {1}


def test_nothing_to_train_on_says_what_to_do() -> None:
    with pytest.raises(ChartmarkError, match="give a folder of corpora or a file with --data"):
        gather(preset.load("cpu", []), Mix(), default_schema(), "a run")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("nope", [], "no preset 'nope': choose from"),
        ("cpu", ["schedule.epochs=many"], r"preset cpu: schedule\.epochs"),
        ("cpu", ["schedule.epoch=3"], "expected key=value with a key of the preset"),
        ("cpu", ["tune"], "expected key=value"),
        ("cpu", ["tune=0.9"], "preset cpu: tune"),
    ],
)
def test_a_wrong_preset_is_one_line(name: str, changes: list[str], message: str) -> None:
    with pytest.raises(ChartmarkError, match=message):
        preset.load(name, changes)


def test_the_written_notes_fit_the_schema_and_are_all_different() -> None:
    read = list(jsonl.read(PASSAGES.with_name("written_notes.jsonl")))
    for d in read:
        default_schema().check(d)
    assert len({identity(d) for d in read}) == len(read) > 300
