"""JSON Lines: a broken file is an error with file, line and what to do."""

from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.formats import jsonl

GOOD = '{"id": "1", "text": "gout", "entities": [], "relations": []}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD + "\n" + GOOD[:-5], "line 2: Invalid JSON"),
        (GOOD + "\n\n" + GOOD, "line 3: the id '1' stands on line 1 already"),
        (GOOD + '\n{"id": "2", "entities": [], "relations": []}', "line 2: text: Field required"),
        (GOOD + "\n{\"id\": \"2\", \"text\": \"\xe8\"}", "line 2: byte 22 is not UTF-8; save"),
    ],
    ids=["cut off", "same id", "no text", "latin-1"],
)  # fmt: skip
def test_a_broken_file_names_the_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ChartmarkError, match=message) as caught:
        list(jsonl.read(path))
    assert str(caught.value).startswith(str(path))


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n\r\n")
    assert [d.id for d in jsonl.read(path)] == ["1"]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match=r"can't read .*: No such file"):
        list(jsonl.read(tmp_path / "no.jsonl"))
