"""import, export, backup, restore and purge from the command line, and training on what they keep."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import app
from core.formats import jsonl
from core.store import documents
from core.store.connection import Store
from core.store.documents import Filter
from tests.conftest import ROOT

BRAT = {
    "a.txt": "No fever. Aspirin for gout.",
    "a.ann": "T1\tDrug 10 17\tAspirin\nT2\tDisease 22 26\tgout\n",
}


def run(*words: str | Path) -> int:
    return app.main([str(w) for w in words])


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, content in BRAT.items():
        (folder / name).write_text(content)
    (folder / "a.ann").write_text(
        BRAT["a.ann"] + "R1\ttreats Arg1:T1 Arg2:T2\n#1\tAnnotatorNotes T1\thm\n"
    )
    return folder


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "annotations.db"


def names(db: Path) -> list[str]:
    return [r["name"] for r in documents.page(Store(db), Filter(), "name").rows]


def test_in_and_out(corpus: Path, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", corpus, "--split", "train", "--db", db, "--dry-run") == 0
    assert "nothing was stored" in capsys.readouterr().out
    assert run("import", corpus, "--split", "train", "--db", db) == 0
    out = capsys.readouterr().out
    assert "1 documents read: 1 new" in out
    assert "not kept: note (1)" in out
    assert (
        run("export", tmp_path / "out.jsonl", "--format", "jsonl", "--split", "train", "--db", db) == 0
    )
    (d,) = jsonl.read(tmp_path / "out.jsonl")
    assert [r.type for r in d.relations] == ["treats"]
    assert run("export", tmp_path / "x.jsonl", "--format", "jsonl", "--corrected", "--db", db) == 0
    assert (tmp_path / "x.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "no/such/file"), "is not there"),
        (("import", "pyproject.toml"), "can't tell the format"),
        (("import", "README.md", "--format", "brat"), "can't read"),
        (("import", "README.md", "--format", "nope"), "no format 'nope'"),
        (("import", "README.md", "--map", "nope"), "no map 'nope'"),
        (("export", "README.md", "--format", "jsonl"), "there already"),
        (("export", "x", "--format", "text"), "no format 'text' that Chartmark writes"),
        (("backup", "README.md"), "there already"),
        (("restore", "README.md"), "no whole backup"),
        (("purge", "nothing"), "has a document 'nothing'"),
    ],
)
def test_a_mistake_is_one_line(
    db: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(ROOT)
    Store(db).close()
    assert run(*words, "--db", db) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert err.count("\n") == 1
    assert out == ""


def test_a_model_is_scored_on_a_split_of_the_database(
    corpus: Path, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("import", corpus, "--split", "dev", "--db", db)
    capsys.readouterr()
    assert run("evaluate", "--data", "dev", "--db", db, "--output", tmp_path / "report.json") == 0
    out = capsys.readouterr().out
    for kind in ("strict (type", "relaxed", "per token", "end-to-end", "assertion, over strictly"):
        assert kind in out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["documents"] == 1
    assert set(report["scores"]["entities, per token"]["micro"]) >= {"f1", "low", "high", "support"}
    assert run("evaluate", "--data", "test", "--db", db) == 1
    assert "test has no documents with gold labels" in capsys.readouterr().err


def test_the_schema_in_force(
    corpus: Path, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("import", corpus, "--db", db)
    capsys.readouterr()
    assert run("schema", "--db", db) == 0
    assert "clinical: Disease, Symptom, Drug" in capsys.readouterr().out
    (tmp_path / "own.yaml").write_text(
        'name: own\nentities: [{name: Drug, colour: "#77AADD", shortcut: g}]\nrelations: []\n'
    )
    assert run("schema", tmp_path / "own.yaml", "--db", db) == 0
    out = capsys.readouterr().out
    assert "1 labels of the type Disease, which this schema lacks" in out
    assert "1 labels of the type treats" in out
    assert Store(db).schema.name == "own"


def test_backup_purge_restore(
    corpus: Path, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("import", corpus, "--db", db)
    assert run("backup", tmp_path / "copy.db", "--db", db) == 0
    capsys.readouterr()
    assert run("purge", "a", "--db", db) == 0
    assert f"a backup still holds it: {tmp_path / 'copy.db'}" in capsys.readouterr().out
    assert names(db) == []
    assert run("restore", tmp_path / "copy.db", "--db", db) == 0
    assert names(db) == ["a"]
    assert run("purge", "a", "--db", db, "--backups") == 0
    assert "Aspirin" not in "".join(
        p.read_bytes().decode("latin-1") for p in tmp_path.iterdir() if p.is_file()
    )


# What the process that imports may hold beside the Python libraries, whatever the file's size.
# (Not getrusage's figure: a process inherits that from the one that started it.)
MEASURED = """
import re, sys
from pathlib import Path
import app
code = app.main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
sys.exit(code)
"""


def peak(size: int, folder: Path) -> int:
    """MiB that importing a file of `size` MiB takes."""
    path = folder / f"{size}.jsonl"
    with path.open("w") as out:
        for n in range(size * 100):
            out.write(json.dumps({"id": f"n{n}", "text": f"note {n} " + "word " * 2095}) + "\n")
    words = ["import", str(path), "--db", str(folder / f"{size}.db")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout.splitlines()[-1])


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    assert peak(40, tmp_path) - peak(4, tmp_path) < 25


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_gigabyte_in_bounded_memory(tmp_path: Path) -> None:
    assert peak(1024, tmp_path) < 450


def test_training_on_the_database_is_on_record(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.extraction import models
    from training import dataset
    from training import run as runs

    for module in (models, runs):
        monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(dataset, "CACHE", tmp_path / "runs" / ".datasets")
    assert (
        run("generate", "--output", tmp_path / "made", "--train", "12", "--dev", "3", "--test", "3")
        == 0
    )
    for split in ("train", "dev"):
        assert run("import", tmp_path / "made" / f"{split}.jsonl", "--split", split, "--db", db) == 0
    changes = ["schedule.epochs=1", "tune=0.3", "lora.rank=4", "heads.size=32"]
    sets = [word for change in changes for word in ("--set", change)]
    assert run("train", "--preset", "cpu", "--data", db, *sets) == 0
    (folder,) = (p for p in (tmp_path / "runs").iterdir() if not p.name.startswith("."))
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data["train"] + data["tune"] == 12  # none of the dev split
    assert len(data["gold revisions"]) == 12
    recorded = Store(db).rows(
        "SELECT d.split FROM run_documents u JOIN documents d ON d.id = u.document"
    )
    assert [r["split"] for r in recorded] == ["train"] * 12
    capsys.readouterr()
    assert run("purge", "train-0-0", "--db", db) == 0
    assert f"a model was trained on it: {folder.name}" in capsys.readouterr().out
