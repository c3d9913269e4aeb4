"""A file is there whole or not at all."""

import os
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from core.files import atomic, read_text


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def fail() -> None:
        with atomic(path) as out:
            out.write("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ChartmarkError, match="not a plain file"), atomic(pipe):
        pass
    assert pipe.is_fifo()


def test_a_place_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match="can't write"), atomic(tmp_path / "no" / "out"):
        pass


def test_text_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes("a\r\nb\tc\rd\u2028e🧪".encode())
    assert read_text(path) == "a\r\nb\tc\rd\u2028e🧪"


def test_what_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"fine\nfi\xe8vre")
    with pytest.raises(ChartmarkError, match="line 2: byte 8 of the file is not UTF-8"):
        read_text(path)
