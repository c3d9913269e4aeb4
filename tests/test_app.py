"""The command line: what other programs call. Errors are one line, output is whole or not there."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import app
from core.document import Document
from core.formats import jsonl
from tests.conftest import ROOT

NOTES = [
    "He has a fever.",
    "Denies cough.\r\nTakes aspirin.",
    "",
    "🧪 Started ceftriaxone for pneumonia.",
]


def lines(texts: list[str]) -> str:
    return "".join(
        json.dumps({"id": f"n{i}", "text": t, "ward": 7}) + "\n" for i, t in enumerate(texts)
    )


def run(*words: str | Path) -> int:
    return app.main([str(w) for w in words])


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_notes_come_back_in_order_with_their_own_keys(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = [NOTES[i % 4] * (1 + i % 7) for i in range(600)]  # more than one chunk
    source.write_text(lines(texts))
    assert run("extract", source, "--output", target) == 0
    found = list(jsonl.read(target))
    assert [(d.id, d.text) for d in found] == [(f"n{i}", t) for i, t in enumerate(texts)]
    assert all(d.model_extra == {"ward": 7} for d in found)
    assert "ceftriaxone" in [found[3].mention(e) for e in found[3].entities]
    assert all(e.score for d in found for e in d.entities)


def test_labels_of_the_input_are_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    old = {"id": "T7", "start": 0, "end": 2, "type": "Old"}
    source.write_text(
        json.dumps({"id": "1", "text": "He is well.", "entities": [old], "relations": []})
    )
    assert run("extract", source, "--output", target) == 0
    (document,) = jsonl.read(target)
    assert all(e.type != "Old" for e in document.entities)


def test_the_input_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "gold.jsonl"
    source.write_text(lines(NOTES))
    assert run("extract", source, "--output", tmp_path / "." / "gold.jsonl") == 1
    assert "is the input: its labels would be lost" in one_line(capsys)
    assert source.read_text() == lines(NOTES)


def test_text_files_keep_their_line_ends(tmp_path: Path) -> None:
    folder, target = tmp_path / "notes", tmp_path / "out.jsonl"
    folder.mkdir()
    for n, text in enumerate(NOTES):
        (folder / f"{n}.txt").write_bytes(text.encode())
    assert run("extract", folder, "--output", target) == 0
    assert [d.text for d in jsonl.read(target)] == NOTES
    assert run("extract", folder / "1.txt", "--output", target) == 0
    assert [(d.id, d.text) for d in jsonl.read(target)] == [("1", NOTES[1])]


def test_standard_input_and_a_threshold(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    done = subprocess.run(
        [sys.executable, "app.py", "extract", "-", "--output", target, "--threshold", "1"],
        cwd=ROOT, input=lines(NOTES).encode(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr.decode() == f"4 notes read, written to {target}\n"
    assert [d.entities for d in jsonl.read(target)] == [()] * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"id": "1", "text": "ok"}\n{"id": "2", "te', "in.jsonl, line 2: Invalid JSON"),
        (b'{"id": "1", "text": "ok"}\n{"id": "2"}', "in.jsonl, line 2: text: Field required"),
        (b'{"id": "1", "text": "ok"}\n{"id": "1", "text": "b"}', "line 2: the id '1' stands on line 1"),
        (b'{"id": "1", "text": "f\xe8vre"}', "line 1: byte 23 is not UTF-8; save the file as UTF-8"),
        (b"\n\n", "holds no notes; nothing was written"),
    ],
    ids=["cut off", "no text", "same id", "latin-1", "empty"],
)
def test_broken_input_leaves_no_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    target = tmp_path / "out.jsonl"
    assert run("extract", tmp_path / "in.jsonl", "--output", target) == 1
    assert message in one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["extract", "{}/no.jsonl", "--output", "{}/o"], "can't read {}/no.jsonl: No such file"),
        (["extract", "{}", "--output", "{}/o"], "{} holds no .txt files"),
        (["extract", "{}/n.txt", "--output", "{}/no/o"], "can't write {}/no/o: No such file"),
        (["extract", "{}/n.txt", "--output", "{}/o", "--model", "nope"], "no model 'nope'"),
        (
            ["extract", "{}/n.pdf", "--output", "{}/o"],
            "expected a .jsonl file, a .txt file or a folder",
        ),
        (["--host", "0.0.0.0"], "would show notes to the network: add a password file"),
        (["train", "--preset", "nope"], "no preset 'nope': choose from cpu, mistral-7b"),
        (["train", "--preset", "cpu", "--schema", "{}/no.yaml"], "no.yaml: not a readable YAML file"),
        (
            ["train", "--preset", "cpu", "--synthetic", "9", "--set", "schedule.batch=100000"],
            "this does not fit",
        ),
        (["evaluate", "--data", "bc5cdr/dev"], "say where the corpus bc5cdr is: --corpora FOLDER"),
    ],
    ids=lambda v: " ".join(v[:3]) if isinstance(v, list) else "",
)
def test_an_error_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    for name in ("n.txt", "n.pdf"):
        (tmp_path / name).write_text("fever") if message[:2] != "{}" else None
    assert run(*(w.replace("{}", str(tmp_path)) for w in words)) == 1
    assert message.replace("{}", str(tmp_path)) in one_line(capsys)


@pytest.mark.parametrize(
    "words", [["extract"], ["fly"], ["extract", "a", "--output", "b", "--threshold", "2"]]
)
def test_a_wrong_call_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    assert "--help" in one_line(capsys)


def test_a_password_comes_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    assert run("user", "add", "ann", "--auth", tmp_path / "users.json") == 0
    assert "ann" in json.loads((tmp_path / "users.json").read_text())
    assert "correct" not in "".join(capsys.readouterr())


def test_the_sentences_written_by_hand_mostly_come_out_right(starter) -> None:
    from core import scoring

    documents: list[Document] = list(jsonl.read(ROOT / "tests" / "data" / "clinical_sentences.jsonl"))
    found = starter.extract([d.text for d in documents])
    pairs = list(zip(documents, found, strict=True))
    entities = scoring.summarise([scoring.entity_counts(d, a) for d, a in pairs])["micro"]
    relations = scoring.summarise([scoring.relation_counts(d, a, frozenset()) for d, a in pairs])[
        "micro"
    ]
    assert entities.f1 > 0.6
    assert relations.f1 > 0.25
