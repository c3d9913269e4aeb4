"""Labels whose texts stay in the corpora: found by place and hash, refused where the text differs."""

import json
from collections import Counter
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.formats import passages
from core.formats.mapping import corpora
from core.schema import default_schema
from core.store.documents import sha256

REAL = Path(__file__).parents[2] / "data" / "real_notes"


def written(folder: Path, **change: object) -> Path:
    """A corpus of one note, and a passage of it."""
    text = "CC: fever\n\nGiven aspirin for a headache."
    (folder / "aci_bench").mkdir()
    (folder / "aci_bench" / "train_notes.jsonl").write_text(json.dumps({"id": "v1", "text": text}))
    passage = {
        "id": "p1", "source": "aci_bench", "document": "v1", "start": 11, "end": 40,
        "sha256": sha256(text[11:40]),
        "entities": [{"id": "T1", "start": 6, "end": 13, "type": "Drug"}], "relations": [],
    }  # fmt: skip
    path = folder / f"own{passages.SUFFIX}"
    path.write_text(json.dumps({**passage, **change}) + "\n")
    return path


def test_a_passage_is_cut_from_its_document(tmp_path: Path) -> None:
    (d,) = passages.read(written(tmp_path), tmp_path)
    assert d.text == "Given aspirin for a headache."
    assert d.mention(d.entities[0]) == "aspirin"
    assert d.meta["group"] == "aci_bench:v1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, "v1 of aci_bench .* has another text"),
        ({"start": 12}, "has another text"),
        ({"document": "v2"}, "v2 of aci_bench .* is missing"),
        ({"source": "nowhere"}, "line 1: no corpus 'nowhere'"),
        ({"entities": [{"id": "T1", "start": 6, "end": 99, "type": "Drug"}]}, "outside the text"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, change, message: str) -> None:
    path = written(tmp_path, **change)
    with pytest.raises(ChartmarkError, match=message):
        list(passages.read(path, tmp_path))


@pytest.mark.parametrize("name", ["judge", "sealed", "second"])
def test_the_real_notes_fit_the_schema_and_stay_out_of_training(
    corpora_folder: Path, name: str
) -> None:
    found = list(passages.read(REAL / f"{name}{passages.SUFFIX}", corpora_folder))
    assert len(found) == (20 if name == "second" else 50)
    for d in found:
        default_schema().check(d)
        assert 60 <= len(d.text.split()) <= 160
    groups = {d.meta["group"] for d in found}
    mac = corpora()["maccrobat2020"]
    given = {d.id for split in mac.splits for d in mac.read(corpora_folder, split, Counter())}
    assert not groups & given


def test_the_two_halves_share_no_document(corpora_folder: Path) -> None:
    judge, sealed = (
        {d.meta["group"] for d in passages.read(REAL / f"{n}{passages.SUFFIX}", corpora_folder)}
        for n in ("judge", "sealed")
    )
    assert not judge & sealed
