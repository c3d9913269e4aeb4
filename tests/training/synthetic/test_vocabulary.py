"""Vocabularies: names that notes can use, from files that may be broken."""

import tarfile
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.schema import default_schema
from training.synthetic.generate import generate, read
from training.synthetic.lexicon import lexicon
from training.synthetic.vocabulary import read as vocabulary

OBO = """format-version: 1.2

[Term]
id: SYMP:1
name: symptom

[Term]
id: SYMP:2
name: glove anaesthesia
synonym: "stocking anaesthesia" EXACT []
synonym: "numb" BROAD []
is_a: SYMP:1 ! symptom

[Term]
id: SYMP:3
name: fever
is_a: SYMP:1 ! symptom

[Term]
id: SYMP:4
name: grade 3 (WHO) itching
is_a: SYMP:1 ! symptom
"""


def test_names_that_a_note_would_hold(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "symp.obo").write_text(OBO)
    (name,) = vocabulary(tmp_path)  # not the heading, not the lexicon's own, not the formula
    assert (name.type, name.forms) == ("Symptom", ("glove anaesthesia", "stocking anaesthesia"))


def test_drugs_and_diseases(tmp_path: Path) -> None:
    (tmp_path / "HumanDO.tsv").write_text('id\tlabel\tsubClassOf\n"D:1"\t"heel spur"\t"spur"\n')
    (tmp_path / "drugbank_vocabulary.csv").write_text(
        'Common name,Synonyms\nLerodalcibep,"Lerodalcibep | LIB-003 | Lerochol"\n'
    )
    assert [(n.type, n.forms) for n in vocabulary(tmp_path)] == [
        ("Disease", ("heel spur",)),
        ("Drug", ("lerodalcibep", "lerochol")),
    ]


def test_a_folder_without_vocabularies_is_told(tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match="has no vocabulary: expected HumanDO"):
        vocabulary(tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [("drugbank_vocabulary.csv", "a,b\n1,2\n"), ("symp.obo", "[Term\nid"), ("HumanDO.tsv", "a\nb\n")],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(ChartmarkError, match=f"can't read .*{file}"):
        vocabulary(tmp_path)


def test_the_open_vocabularies_make_valid_notes(corpora_folder: Path, tmp_path: Path) -> None:
    with tarfile.open(corpora_folder / "vocab.tar.gz") as tar:
        tar.extractall(tmp_path / "words", filter="data")
    counts = {"train": 40, "dev": 1, "test": 40, "test_seen": 1}
    manifest = generate(tmp_path / "made", counts, 0, tmp_path / "words")
    assert manifest["vocabulary"]["names"] > 20_000
    made = read(tmp_path / "made")
    known = {form.lower() for n in lexicon().names for form in n.forms}
    new = set()
    for d in (*made["train"], *made["test"]):
        default_schema().check(d)
        new |= {d.mention(e).lower() for e in d.entities} - known
    assert len(new) > 100
    train = {d.mention(e).lower() for d in made["train"] for e in d.entities}
    test = {d.mention(e).lower() for d in made["test"] for e in d.entities}
    assert not train & test
