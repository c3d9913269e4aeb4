"""What a model was trained on is known again by id, text, sentence and name, and by nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.document import Document, Entity
from core.errors import ChartmarkError
from core.overlap import FILE, Trained

LONG = "The patient was treated with intravenous ceftriaxone for pneumonia."


def document(name: str, text: str, *spans: tuple[int, int]) -> Document:
    entities = tuple(Entity(id=f"e{i}", start=a, end=b, type="Drug") for i, (a, b) in enumerate(spans))
    return Document(id=name, text=text, entities=entities, relations=())


def test_ids_texts_sentences_and_names(tmp_path: Path) -> None:
    trained = Trained.of(
        [document("bc5cdr:7", f"First. {LONG}", (7, 10)), document("phee:1+phee:2", "Short.")]
    )
    trained.save(tmp_path)
    found = Trained.load(tmp_path)
    assert found is not None
    assert found.overlaps(document("biored:7", "Something else."))
    assert found.overlaps(document("x:2", "Something else."))
    assert found.overlaps(document("new", "Short."))
    assert found.overlaps(document("new", f"Another. {LONG.upper()} More."))
    assert not found.overlaps(document("new", "First. Short!"))
    assert found.seen("the")
    assert not found.seen("patient")


def test_a_folder_that_says_nothing_and_one_that_is_broken(tmp_path: Path) -> None:
    assert Trained.load(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"no")
    with pytest.raises(ChartmarkError, match="damaged"):
        Trained.load(tmp_path)


@given(st.sets(st.text(min_size=1, max_size=5)), st.text(min_size=1, max_size=5))
def test_names_are_those_that_were_there(names: set[str], other: str) -> None:
    text = "".join(names) or "x"
    at, spans = 0, []
    for n in names:
        spans.append((at, at + len(n)))
        at += len(n)
    trained = Trained.of([document("d", text, *spans)])
    from core.scoring.slices import normalised

    known = {normalised(n) for n in names}
    assert all(trained.seen(n) for n in known)
    assert trained.seen(normalised(other)) == (normalised(other) in known)
