"""brat standoff: mentions, relations, attributes, events; what has no place is counted."""

from collections import Counter

import pytest
from hypothesis import given

from core.document import Document, Entity
from core.errors import ChartmarkError
from core.formats import brat
from tests.core.test_document import documents

TEXT = "No fever after aspirin.\nLeft and\nright knee pain."


def parsed(standoff: str, dropped: Counter[str] | None = None) -> Document:
    return brat.parse("n", TEXT, standoff, "n.ann", Counter() if dropped is None else dropped)


def test_an_event_is_its_trigger() -> None:
    dropped: Counter[str] = Counter()
    document = parsed(
        "T1\tSign 3 8\tfever\nE1\tSign:T1 Theme:T2\nT2\tDrug 15 22\taspirin\n"
        "A1\tNegated E1\nA2\tLevel E1 high\nR1\tCauses Arg1:T2 Arg2:E1\n#1\tNote T1\thm\n"
        "*\tEquiv T1 T2\n",
        dropped,
    )
    assert document.entities[0].attributes == {"Negated": "true", "Level": "high"}
    assert [(r.head, r.tail) for r in document.relations] == [("T2", "T1")]
    assert dropped == {"event role": 1, "note": 1, "equivalence": 1}


def test_a_discontinuous_mention_keeps_its_fragments() -> None:
    (e,) = parsed("T1\tSign 24 28;39 48\tLeft knee pain").entities
    assert (e.start, e.end, e.fragments) == (24, 48, ((24, 28), (39, 48)))


def test_a_line_break_does_not_make_a_mention_discontinuous() -> None:
    (e,) = parsed("T1\tSign 24 32;33 43\tLeft and right knee").entities
    assert (e.start, e.end, e.fragments) == (24, 43, ())
    assert (
        brat.write(parsed("T1\tSign 24 43\tx"), Counter())
        == "T1\tSign 24 32;33 43\tLeft and right knee\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "T1\tSign 3\tx",
        "T1\tSign 8 3\tx",
        "T1\tSign 0 999\tx",
        "R1\tCauses T1 T2",
        "A1\tNegated",
        "?1\tx",
    ],
)
def test_what_is_no_standoff_names_the_line(line: str) -> None:
    with pytest.raises(ChartmarkError, match=r"^n\.ann, line 2: "):
        parsed("T9\tSign 3 8\tfever\n" + line)


@given(documents())
def test_mentions_relations_and_attributes_survive(document: Document) -> None:
    dropped: Counter[str] = Counter()
    standoff = brat.write(document, dropped)
    again = brat.parse(document.id, document.text, standoff, "f", Counter())

    def contents(d: Document) -> list[object]:
        # Line breaks at a mention's ends are not brat's to keep, nor are ids.
        words = {e.id: d.text[e.start : e.end].strip("\r\n") for e in d.entities}
        mentions = [(e.type, words[e.id], e.attributes) for e in d.entities if words[e.id]]
        place = {e.id: i for i, e in enumerate(e for e in d.entities if words[e.id])}
        arcs = [
            (place[r.head], r.type, place[r.tail])
            for r in d.relations
            if {r.head, r.tail} <= place.keys()
        ]
        return [mentions, arcs]

    assert contents(again) == contents(document)
    assert dropped["mention of line breaks"] == len(document.entities) - len(again.entities)


def test_labels_with_blanks_are_counted() -> None:
    dropped: Counter[str] = Counter()
    document = parsed("T1\tSign 3 8\tfever").model_copy(
        update={"entities": (Entity(id="x y", start=3, end=8, type="a\tb c"),)}
    )
    assert brat.write(document, dropped) == "T1\ta_b_c 3 8\tfever\n"
    assert dropped["blank in a label"] == 1
