"""PubTator: offsets run over title and abstract, relations are between concepts."""

from collections import Counter
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.formats import pubtator

GOOD = (
    "7|t|Lithium toxicity.\n7|a|Tremor was seen.\n"
    "7\t0\t7\tLithium\tChemical\tD008094\n7\t18\t24\tTremor\tDisease\tD014202|D1\n"
    "7\tCID\tD008094\tD014202\n"
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(text)
    return path


def test_mentions_and_concept_relations(tmp_path: Path) -> None:
    (d,) = pubtator.read(written(tmp_path, GOOD), Counter())
    assert [d.mention(e) for e in d.entities] == ["Lithium", "Tremor"]
    assert d.entities[1].concepts == ("D014202", "D1")
    assert [(r.head, r.type, r.tail) for r in d.concept_relations] == [("D008094", "CID", "D014202")]


def test_a_mention_that_is_not_at_its_offsets_is_counted(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()
    (d,) = pubtator.read(written(tmp_path, GOOD.replace("18\t24", "17\t23")), dropped)
    assert len(d.entities) == 1
    assert dropped == {"mention whose text differs from its offsets": 1}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("7|t|", "7|x|", 1), ("18\t24", "18\t99", 4), ("7\tCID\tD008094\tD014202", "7\tCID", 5)],
)
def test_a_broken_line_is_named(tmp_path: Path, old: str, new: str, line: int) -> None:
    with pytest.raises(ChartmarkError, match=f"corpus.txt, line {line}: "):
        list(pubtator.read(written(tmp_path, GOOD.replace(old, new)), Counter()))
