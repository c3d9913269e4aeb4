"""The files: the same bytes for the same seed, nothing overwritten, the manifest last."""

import hashlib
import json
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.formats import jsonl
from training.synthetic import generate as module
from training.synthetic.audit import f1_without_reading, names_only, report, without_words
from training.synthetic.generate import generate, read
from training.synthetic.notes import notes

COUNTS = {"train": 30, "dev": 5, "test": 5, "test_seen": 5}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = generate(tmp_path / "a", COUNTS, 0), generate(tmp_path / "b", COUNTS, 0)
    assert first == second == json.loads((tmp_path / "a" / "manifest.json").read_text())
    for split, count in COUNTS.items():
        content = (tmp_path / "a" / f"{split}.jsonl").read_bytes()
        assert content == (tmp_path / "b" / f"{split}.jsonl").read_bytes()
        assert first["files"][split]["sha256"] == hashlib.sha256(content).hexdigest()
        assert len(list(jsonl.read(tmp_path / "a" / f"{split}.jsonl"))) == count


def test_these_bytes_on_every_machine(tmp_path: Path) -> None:
    generate(tmp_path, {"dev": 3}, 0)
    # Changes with the lexicon or the ways of saying, never with the machine.
    assert (tmp_path / "dev.jsonl").read_text().startswith('{"id":"dev-0-0","text":"')
    ids = [d.id for d in jsonl.read(tmp_path / "dev.jsonl")]
    assert ids == ["dev-0-0", "dev-0-1", "dev-0-2"]


@pytest.mark.parametrize("name", ["train.jsonl", "manifest.json"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ChartmarkError, match=f"holds {name} already"):
        generate(tmp_path, COUNTS, 0)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_an_end_in_the_middle_leaves_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = module.notes

    def dying(split: str, count: int, seed: int, **rest):
        for n, d in enumerate(whole(split, count, seed, **rest)):
            if split == "dev" and n == 3:
                raise KeyboardInterrupt
            yield d

    monkeypatch.setattr(module, "notes", dying)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, COUNTS, 0)
    assert [p.name for p in tmp_path.iterdir()] == ["train.jsonl"]


def test_the_text_is_needed_to_tell_what_is_related() -> None:
    from core.schema import default_schema

    schema = default_schema()
    train = list(notes("train", 250, 0, held_out=False))
    dev = list(notes("dev", 80, 0, held_out=False))
    tests = {
        "test": list(notes("test", 80, 0, held_out=True)),
        "test_seen": list(notes("test_seen", 80, 0, held_out=False)),
    }
    types = f1_without_reading(without_words, train, dev, tests, schema)
    names = f1_without_reading(names_only, train, dev, tests, schema)
    assert types["test"] < 0.40
    assert max(names.values()) < 0.45


def test_the_report_tells_the_figures_that_matter(tmp_path: Path) -> None:
    generate(tmp_path, {"train": 60, "dev": 20, "test": 20, "test_seen": 20}, 1)
    lines = list(report(read(tmp_path)))
    assert sum(line.startswith("  relations: ") for line in lines) == 4
    assert lines[-2].startswith("types only: relation F1 test ")
    assert lines[-1].startswith("names only: relation F1 test ")
