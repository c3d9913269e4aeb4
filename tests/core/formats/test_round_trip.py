"""Every format that writes: what is read back is what was written, up to what was counted."""

import shutil
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.document import Document
from core.formats.format import PARTS, fitted
from core.formats.registry import formats, guess
from tests.core.formats.strategies import documents

BOTH = [f for f in formats().values() if f.read and f.write and f.name != "csv"]


def comparable(d: Document) -> dict[str, object]:
    """A document without the names of its mentions, which many formats give anew."""
    order = sorted(
        d.entities, key=lambda e: (e.start, -e.end, e.model_dump_json(exclude={"id"}, round_trip=True))
    )
    numbers = {e.id: n for n, e in enumerate(order)}
    return {
        **d.model_dump(exclude={"entities", "relations", "concept_relations"}),
        "entities": [e.model_dump(exclude={"id"}) for e in order],
        "relations": sorted(
            (numbers[r.head], numbers[r.tail], r.type, r.score or -1.0, r.origin or "")
            for r in d.relations
        ),
        "concept_relations": sorted((r.head, r.tail, r.type) for r in d.concept_relations),
    }


def there_and_back(form, made: list[Document]) -> tuple[list[Document], Counter[str], Counter[str]]:
    """What is read back, and what writing and reading counted."""
    written: Counter[str] = Counter()
    read: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out{form.suffix}"
        if form.folder:
            path.mkdir()
        form.write(made, path, written)
        assert guess(path) is form or not made
        back = list(form.read(path, read))
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
    return back, +written, +read


# A few here, many in the long tests.
few, many = (settings(deadline=None, max_examples=n) for n in (40, 400))
each = pytest.mark.parametrize("form", BOTH, ids=lambda f: f.name)


@each
@few
@given(data=st.data())
def test_plain_documents_come_back_as_the_format_can_hold_them(form, data) -> None:
    plain_come_back(form, data)


@pytest.mark.long
@each
@many
@given(data=st.data())
def test_many_plain_documents_come_back_as_the_format_can_hold_them(form, data) -> None:
    plain_come_back(form, data)


def plain_come_back(form, data) -> None:
    made = data.draw(
        st.lists(documents(plain=True), min_size=1, max_size=3, unique_by=lambda d: d.id.lower())
    )
    back, written, read = there_and_back(form, made)
    expected: Counter[str] = Counter()
    kept = [fitted(d, form.holds, expected) for d in made]
    assert not read
    special = written - expected
    if not special:
        ours = {d.id: comparable(d) for d in kept}
        assert {d.id: comparable(d) for d in back} == ours
        assert len(back) == len(kept)
    else:
        assert set(special) <= TOLERATED[form.name], special


# What plain documents may hold that a format has no signs for.
TOLERATED = {
    "bioc-json": {"attribute of a name that BioC needs"},
    "bioc-xml": {"attribute of a name that BioC needs"},
    "brat": {"parts of a mention with nothing but a line break between, joined"},
    "conll": {"blank in an id, made a _", "blank at a mention's edge"},
    "docbin": set(),
    "doccano": set(),
    "jsonl": set(),
    "label-studio": set(),
    "pubtator": {
        "line break or tab in a text, made a blank",
        "sign in an id or label, made a _",
        "repeated mention",
    },
}


@each
@few
@given(data=st.data())
def test_any_document_comes_back_or_is_reported(form, data) -> None:
    any_comes_back(form, data)


@pytest.mark.long
@each
@many
@given(data=st.data())
def test_many_of_any_document_come_back_or_are_reported(form, data) -> None:
    any_comes_back(form, data)


def any_comes_back(form, data) -> None:
    made = [data.draw(documents())]
    back, written, _ = there_and_back(form, made)
    expected: Counter[str] = Counter()
    kept = fitted(made[0], form.holds, expected)
    if written == +expected:
        assert [comparable(d) for d in back] == [comparable(kept)]
    else:
        assert sum(written.values()) > sum(expected.values())


def test_a_format_that_holds_everything_takes_nothing_away() -> None:
    @settings(deadline=None, max_examples=50)
    @given(documents())
    def check(d: Document) -> None:
        dropped: Counter[str] = Counter()
        assert fitted(d, PARTS, dropped) == d
        assert not +dropped

    check()


@settings(deadline=None, max_examples=100)
@given(documents())
def test_a_format_that_holds_nothing_keeps_mentions_that_do_not_overlap(d: Document) -> None:
    dropped: Counter[str] = Counter()
    bare = fitted(d, frozenset(), dropped)
    places = sorted((e.start, e.end) for e in bare.entities)
    assert all(a[1] <= b[0] for a, b in pairwise(places))
    assert len(d.entities) - len(bare.entities) == dropped["overlapping mention"]
    assert dropped["relation"] + dropped["relation of an overlapping mention"] == len(d.relations)
    for e in bare.entities:
        assert (e.attributes, e.score, e.concepts, e.fragments, e.types) == ({}, None, (), (), ())
    assert (bare.meta, bare.annotated, bare.concept_relations) == ({}, None, ())
