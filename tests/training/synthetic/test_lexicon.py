"""The lexicon: enough names, every link between known ones, a fixed share held out."""

from collections import Counter
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.schema import default_schema
from training.synthetic import lexicon as module
from training.synthetic.lexicon import HELD_OUT, lexicon

FEWEST = {"Disease": 300, "Symptom": 250, "Drug": 300, "Lab_Test": 150, "Procedure": 150}


def test_there_are_enough_names_and_links() -> None:
    counts = Counter(n.type for n in lexicon().names)
    assert all(counts[kind] >= fewest for kind, fewest in FEWEST.items()), counts
    assert len(lexicon().links) >= 1200


@pytest.mark.parametrize("relation", default_schema().relation_names)
def test_every_relation_type_has_links_that_the_schema_allows(relation: str) -> None:
    links = [x for x in lexicon().links if x.type == relation]
    assert len(links) >= 50
    for x in links:
        assert relation in default_schema().allowed(x.head.type, x.tail.type), (x.head, x.tail)
        assert x.head is not x.tail


def test_a_form_names_one_thing() -> None:
    forms = Counter(f.lower() for n in lexicon().names for f in n.forms)
    assert not [f for f, n in forms.items() if n > 1]


@pytest.mark.parametrize("kind", FEWEST)
def test_at_least_30_percent_of_each_type_are_held_out(kind: str) -> None:
    names = lexicon().of(kind)
    share = sum(n.held_out for n in names) / len(names)
    assert 0.30 <= share <= HELD_OUT + 0.08


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gout | HTN | - | - | - | -", "'HTN' names 'hypertension' already"),
        ("gout | - | wonder drug | - | - | -", "'wonder drug' is no name in the lexicon"),
    ],
)
def test_a_mistake_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    for file in ("drugs.txt", "lab_tests.txt", "procedures.txt", "symptoms.txt"):
        (tmp_path / file).write_text("")
    (tmp_path / "diseases.txt").write_text(f"hypertension | HTN | - | - | - | -\n{line}\n")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(ChartmarkError, match=rf"diseases\.txt, line 2: {message}"):
        lexicon.__wrapped__()
