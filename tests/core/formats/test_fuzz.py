"""Every reader on broken files: an error with file and place, or valid documents, and nothing else."""

import json
import random
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.formats.registry import formats

FILES = 500
MANY = 10_000

SAMPLE = [
    Document(
        id=f"n{n}",
        text="Lithium toxicity 🧪.\nTremor was seen; naïve fever, no rash.",
        entities=(
            Entity(id="T1", start=0, end=16, type="Disease", attributes={"assertion": "present"}),
            Entity(id="T2", start=0, end=7, type="Drug", concepts=("MESH:D008094",)),
            Entity(id="T3", start=20, end=26, type="Symptom", score=0.5),
            Entity(id="T4", start=43, end=58, type="Symptom", fragments=((43, 48), (54, 58))),
        ),
        relations=(Relation(head="T2", tail="T1", type="causes"),),
        meta={"ward": "A"},
    )
    for n in range(2)
]
PHEE = json.dumps(
    {
        "id": "1_1",
        "context": "Lithium caused tremor.",
        "annotations": [
            {
                "events": [
                    {
                        "event_type": "Adverse_event",
                        "Effect": {"text": [["tremor"]], "start": [[15]]},
                        "Treatment": {
                            "text": [["Lithium"]],
                            "start": [[0]],
                            "Drug": {"text": [["Lithium"]], "start": [[0]]},
                        },
                    }
                ]
            }
        ],
    }
)
DDI = (
    '<?xml version="1.0"?>\n<document id="d">\n<sentence id="s" text="Aspirin and warfarin.">\n'
    '<entity id="e0" charOffset="0-6" type="drug" text="Aspirin"/>\n'
    '<entity id="e1" charOffset="12-14;16-19" type="drug" text="warfarin"/>\n'
    '<pair id="p" e1="e0" e2="e1" ddi="true" type="effect"/>\n</sentence></document>\n'
)
CHEMPROT = {
    "x_abstracts.tsv": "1\tLithium\tacts on GSK3.\n",
    "x_entities.tsv": "1\tT1\tCHEMICAL\t0\t7\tLithium\n1\tT2\tGENE-Y\t16\t20\tGSK3\n",
    "x_relations.tsv": "1\tCPR:4\tY \tINHIBITOR\tArg1:T1\tArg2:T2\n",
}


SURPRISES = [
    b"\n", b"\t", b"-1", b"99999999999999999999", b"null", b"[]", b"{}", b'"', b"\xff", b"<", b"&x;",
    b"NaN", b"1e400", b"\\ud800", b"\x00", b"\r", b"O", b"B-", b";",
]  # fmt: skip


def sample(name: str, folder: Path) -> Path:
    """A good file, or folder, of the format."""
    form = formats()[name]
    if name == "csv":
        path = folder / "x.csv"
        path.write_text('id,text,ward\n1,"Fever, no rash.",A\n2,🧪 seen,B\n')
    elif name == "text":
        path = folder / "x.txt"
        path.write_text(SAMPLE[0].text)
    elif name == "phee":
        path = folder / "x.jsonl"
        path.write_text(PHEE)
    elif name == "ddi":
        path = folder / "corpus"
        path.mkdir()
        (path / "x_ddi.xml").write_text(DDI)
    elif name == "chemprot":
        for file, content in CHEMPROT.items():
            (folder / file).write_text(content)
        path = folder / "x_abstracts.tsv"
    else:
        path = folder / f"x{form.suffix}"
        if form.folder:
            path.mkdir()
        form.write(SAMPLE, path, Counter())
    return path


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed) + 1)
        what = chance.randrange(6)
        if what == 0 and changed:
            changed[at % len(changed)] = chance.randrange(256)
        elif what == 1:
            del changed[at : at + chance.randint(1, 20)]
        elif what == 2:
            changed[at:at] = chance.choice(SURPRISES)
        elif what == 3:
            changed[at:at] = changed[chance.randrange(len(changed) + 1) :][: chance.randint(1, 60)]
        elif what == 4:
            del changed[at:]
        else:
            low, high = sorted(chance.randrange(len(changed) + 1) for _ in range(2))
            changed[low:high] = changed[low:high][::-1]
    return bytes(changed)


def fuzz(name: str, folder: Path, times: int) -> None:
    good = sample(name, folder)
    form = formats()[name]
    assert list(form.read(good, Counter())), "the sample itself is read"
    if name == "chemprot":
        parts = [folder / file for file in CHEMPROT]
    else:
        parts = sorted(good.iterdir()) if good.is_dir() else [good]
    whole = {p: p.read_bytes() for p in parts}
    chance = random.Random(name)
    outcomes: Counter[str] = Counter()
    for _ in range(times):
        victim = chance.choice(parts)
        victim.write_bytes(mutated(whole[victim], chance))
        try:
            for d in form.read(good, Counter()):
                assert isinstance(d, Document)
                # Checked again from nothing: a reader may not go round the checks.
                Document.model_validate(d.model_dump())
            outcomes["read"] += 1
        except ChartmarkError as error:
            outcomes["refused" if str(folder) in str(error) else "without a place"] += 1
        victim.write_bytes(whole[victim])
    assert outcomes["refused"] or name == "text", outcomes
    assert not outcomes["without a place"]


@pytest.mark.parametrize("name", [f.name for f in formats().values() if f.read])
def test_a_broken_file_is_an_error_or_valid(name: str, tmp_path: Path) -> None:
    fuzz(name, tmp_path, FILES)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [f.name for f in formats().values() if f.read])
def test_ten_thousand_broken_files(name: str, tmp_path: Path) -> None:
    fuzz(name, tmp_path, MANY)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_broken_archive_is_an_error_or_valid(kind: str, tmp_path: Path) -> None:
    folder = sample("brat", tmp_path)
    good = Path(shutil.make_archive(str(tmp_path / "made"), kind, folder))
    whole = good.read_bytes()
    chance = random.Random(kind)
    for _ in range(FILES):
        good.write_bytes(mutated(whole, chance))
        try:
            for d in formats()["brat"].read(good, Counter()):
                Document.model_validate(d.model_dump())
        except ChartmarkError:
            pass


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.txt", b"0" * (300 * 1024**2))
    with pytest.raises(ChartmarkError, match="would unpack to more than"):
        list(formats()["text"].read(path, Counter()))
