"""Notes: any seed gives valid ones, and what is held out stays out."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.document import Document, parse, to_json
from core.schema import default_schema
from training.synthetic.notes import notes, pool


@settings(deadline=None, max_examples=40)
@given(st.integers(-(2**70), 2**70), st.booleans())
def test_any_seed_gives_valid_notes(seed: int, held_out: bool) -> None:
    for d in notes("train", 3, seed, held_out=held_out):
        default_schema().check(d)
        assert parse(Document, to_json(d), "f") == d
        for e in d.entities:
            assert d.mention(e) == d.mention(e).strip()
            assert e.attributes["assertion"]
        places = [(e.start, e.end) for e in d.entities]
        assert places == sorted(places, key=lambda p: (p[0], -p[1]))


def test_test_notes_share_no_name_and_no_way_with_training_notes() -> None:
    seen, unseen = pool(held_out=False), pool(held_out=True)
    for kind, names in unseen.names.items():
        forms = {f.lower() for n in names for f in n.forms}
        assert not forms & {f.lower() for n in seen.names[kind] for f in n.forms}
    for relation, ways in unseen.ways.items():
        assert not set(ways) & set(seen.ways[relation])


@pytest.fixture(scope="module")
def some() -> list[Document]:
    return list(notes("train", 600, 7, held_out=False))


def test_relation_types_are_balanced(some: list[Document]) -> None:
    counts = Counter(r.type for d in some for r in d.relations)
    for name in default_schema().relation_names:
        assert 0.12 <= counts[name] / counts.total() <= 0.30, (name, counts)


def test_enough_notes_relate_nothing(some: list[Document]) -> None:
    silent = [d for d in some if not d.relations]
    assert len(silent) / len(some) >= 0.15
    assert all(len(d.entities) > 1 for d in silent)


def test_three_pairs_are_unrelated_for_every_related_one(some: list[Document]) -> None:
    schema = default_schema()
    spare: Counter[tuple[str, str]] = Counter()
    for d in some:
        related = {(r.head, r.tail) for r in d.relations}
        for h in d.entities:
            for t in d.entities:
                if h.id != t.id and schema.allowed(h.type, t.type):
                    spare[h.type, t.type] += -3 if (h.id, t.id) in related else 1
    assert all(n >= 0 for n in spare.values()), spare


def test_notes_nest_and_every_assertion_occurs(some: list[Document]) -> None:
    nested = [
        (a, b)
        for d in some
        for a in d.entities
        for b in d.entities
        if a.id != b.id and a.start <= b.start and b.end <= a.end
    ]
    assert nested
    assert {e.attributes["assertion"] for d in some for e in d.entities} == set(
        default_schema().attributes[0].values
    )


def test_the_same_seed_gives_the_same_notes_and_another_gives_others() -> None:
    def made(seed: int) -> list[str]:
        return [to_json(d) for d in notes("dev", 5, seed, held_out=False)]

    assert made(3) == made(3)
    assert made(3) != made(4)
