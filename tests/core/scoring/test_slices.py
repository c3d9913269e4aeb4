"""Slices leave nothing out and count nothing twice."""

from core import scoring
from core.document import Document, Entity, Relation
from core.extraction import Annotation
from core.scoring import slices
from core.scoring.slices import DISTANCES, by, by_distance, by_length, by_name


def document(name: str, words: int, *at: int, related: bool = False, source: str = "") -> Document:
    """Words of one letter, a mention at each place, the first two related."""
    entities = tuple(
        Entity(id=f"e{i}", start=2 * p, end=2 * p + 1, type="Drug") for i, p in enumerate(at)
    )
    relations = (Relation(head="e0", tail="e1", type="interacts_with"),) if related else ()
    text = " ".join(chr(97 + i % 26) for i in range(words))
    return Document(id=name, text=text, entities=entities, relations=relations, meta={"source": source})


def test_seen_names_and_unseen_ones() -> None:
    d = document("d", 10, 0, 3)  # a, d
    read = Annotation(
        (Entity(id="x", start=0, end=1, type="Drug"), Entity(id="y", start=8, end=9, type="Drug")), ()
    )
    parts = by_name([(d, read)], lambda name: name == "a")
    seen, unseen = (scoring.entity_counts(*part[0])["Drug"] for part in parts.values())
    assert (seen, unseen) == ([1, 0, 0], [0, 1, 1])
    assert slices.normalised(" Type  2\nDiabetes ") == "type 2 diabetes"


def test_distances() -> None:
    pairs = [(document("d", 80, 0, n, related=True), Annotation((), ())) for n in (1, 6, 7, 17, 60)]
    parts = by_distance(pairs)
    assert [sum(len(d.relations) for d, _ in part) for part in parts.values()] == [1, 2, 1, 1]
    assert DISTANCES == (5, 15, 40)  # words in between: 0; 5 and 6; 16; 59


def test_lengths_and_sources() -> None:
    pairs = [
        (document(f"d{n}", n, source="a" if n > 4 else "b"), Annotation((), ())) for n in range(2, 11)
    ]
    parts = by_length(pairs)
    assert [len(p) for p in parts.values()] == [3, 3, 3]
    assert list(parts) == ["under 5 words", "5 to 7 words", "8 words or more"]
    assert {k: len(v) for k, v in by(pairs, lambda d: d.meta["source"]).items()} == {"b": 3, "a": 6}
    assert by_length(pairs[:2]) == {}
