"""Ways of saying: enough of each, every line readable, a share held out."""

from collections import Counter
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.schema import default_schema
from training.synthetic import ways as module
from training.synthetic.ways import Open, Slot, ways


@pytest.mark.parametrize("relation", default_schema().relation_names)
def test_every_relation_has_25_ways_and_30_percent_held_out(relation: str) -> None:
    found = [w for w in ways() if w.relation == relation]
    assert len(found) >= 25
    assert sum(w.held_out for w in found) / len(found) >= 0.3
    assert sum(not w.held_out for w in found) >= 15


def test_near_misses_are_many_and_held_out_too() -> None:
    found = [w for w in ways() if w.relation is None]
    assert len(found) >= 90
    assert sum(w.held_out for w in found) / len(found) >= 0.3


def test_what_a_way_relates_fits_the_schema_whatever_fills_it() -> None:
    schema = default_schema()
    for w in ways():
        types = {
            p.key: (p.types if isinstance(p, Slot) else (p.type,))
            for p in w.parts
            if isinstance(p, Slot | Open)
        }
        for head, tail in w.pairs:
            for h in types[head]:
                for t in types[tail]:
                    assert w.relation in schema.allowed(h, t), w.line


def test_assertions_are_ones_that_the_schema_has() -> None:
    (assertion,) = default_schema().attributes
    used = Counter(p.assertion for w in ways() for p in w.parts if isinstance(p, Slot))
    assert set(used) == set(assertion.values)


def test_no_line_stands_twice() -> None:
    texts = Counter(w.line.partition(" => ")[0] for w in ways())
    assert not [t for t, n in texts.items() if n > 1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{G1} for {D1}. => G1>D2", "'G1>D2' relates a slot that the line does not have"),
        ("{G1} for {G1}. => G1>G1", "slots need names of their own"),
        ("{G1} for {D1}.", "a relation needs pairs"),
    ],
)
def test_a_mistake_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    (tmp_path / "treats.txt").write_text(f"// a comment\n{line}\n")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(ChartmarkError, match=rf"treats\.txt, line 2: .*{message}"):
        ways.__wrapped__()
