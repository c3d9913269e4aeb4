"""JSON Lines, the exchange format: one document a line, UTF-8."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from core.document import Document, Note, parse, to_json
from core.errors import ChartmarkError
from core.files import atomic, open_bytes
from core.formats.format import PARTS, UNLABELLED, Format, document

AnyNote = TypeVar("AnyNote", bound=Note)


def read(path: Path) -> Iterator[Document]:
    """Documents in file order. Raises ChartmarkError with file, line and what to do."""
    return _read_file(Document, path)


def read_notes(path: Path) -> Iterator[Note]:
    """The same file read for its texts alone: labels are not needed and not looked at."""
    return _read_file(Note, path)


def read_lines(
    parser: Callable[[bytes, str], AnyNote], lines: Iterable[bytes], name: str
) -> Iterator[AnyNote]:
    """Records from lines of bytes by a parser that gets each line and where it stands.

    `name` stands for the file in error messages. No id may stand twice.
    """
    seen: dict[str, int] = {}
    for number, raw in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if not line.strip():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ChartmarkError(
                f"{where}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
            ) from None
        record = parser(line, where)
        if record.id in seen:
            raise ChartmarkError(
                f"{where}: the id {record.id!r} stands on line {seen[record.id]} already; "
                "give each document its own"
            )
        seen[record.id] = number
        yield record


def write(documents: Iterable[Document], out: IO[str]) -> None:
    for d in documents:
        out.write(to_json(d) + "\n")


def _read_file(kind: type[AnyNote], path: Path) -> Iterator[AnyNote]:
    with open_bytes(path) as lines:
        yield from read_lines(partial(parse, kind), lines, str(path))


def _write_file(documents: Iterable[Document], path: Path, _: Counter[str]) -> None:
    with atomic(path) as out:
        write(documents, out)


def _recognises(path: Path, head: bytes) -> bool:
    # Other tools' JSON Lines hold lists of these names, or none of ours.
    theirs = any(key in head for key in (b'"start_offset"', b'"label":', b'"context":'))
    return not theirs and (path.suffix == ".jsonl" or head.lstrip().startswith(b'{"id"'))


def _document_or_note(line: bytes | str, where: str) -> Document:
    """A document, or a note without labels, in which nobody looked for any."""
    note = parse(Note, line, where)
    more = note.model_extra or {}
    if "entities" in more or "relations" in more:
        return parse(Document, line, where)
    # What else stands on the line is metadata: nothing of a text is labels.
    meta = {**{k: v for k, v in more.items() if k != "annotated"}, **note.meta}
    return document(
        where,
        id=note.id,
        text=note.text,
        meta=meta,
        entities=(),
        relations=(),
        annotated=UNLABELLED,
    )


def _read_any(path: Path, _: Counter[str]) -> Iterator[Document]:
    with open_bytes(path) as lines:
        yield from read_lines(_document_or_note, lines, str(path))


FORMAT = Format(
    name="jsonl",
    title="JSON Lines (Chartmark's exchange format)",
    recognises=_recognises,
    read=_read_any,
    write=_write_file,
    holds=PARTS,
    suffix=".jsonl",
)
