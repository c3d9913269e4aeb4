"""CoNLL columns with IOB2 tags: a word a line, its tag last, a blank line after a sentence.

Ours begins each document with `# id = ` and `# text = ` (a JSON string) and has the words' offsets in
columns two and three, so that a text comes back exactly; relations stand in a side file,
NAME.relations.tsv. Files of others have neither: words are joined by blanks, sentences by line
breaks, and a document begins at -DOCSTART- or lasts for the whole file.
"""

import csv
import json
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.files import atomic, decode, open_bytes, read_lines
from core.formats.format import Format, document, fitted
from core.sentences import sentences

_HOLDS = frozenset({"relations"})
_TAG = re.compile(r"(?:([BI])-(\S+)|O)$")
_WORD = re.compile(r"[^\W_]+|\S")
_LINE = re.compile(rb"^\S+[ \t].*(?:[BI]-\S+|\bO)\r?$", re.MULTILINE)
_SIDE = (
    "document",
    "type",
    "head_start",
    "head_end",
    "head_type",
    "tail_start",
    "tail_end",
    "tail_type",
)


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Documents in file order, one in memory at a time."""
    side = _side(path)
    part: list[tuple[int, str]] = []
    for number, line in read_lines(path):
        begins = line.startswith(("-DOCSTART-", "# id = "))
        if begins and any(text.strip() for _, text in part):
            yield _document(part, path, side, dropped)
            part = []
        part.append((number, line))
    if any(text.strip() for _, text in part):
        yield _document(part, path, side, dropped)


def _document(
    lines: list[tuple[int, str]], path: Path, side: dict[str, list[list[str]]], dropped: Counter[str]
) -> Document:
    where = f"{path}, line {lines[0][0]}"
    name = (
        path.stem if lines[0][1].startswith("#") or lines[0][0] == 1 else f"{path.stem}-{lines[0][0]}"
    )
    given: str | None = None
    text = ""
    words: list[tuple[int, int, str]] = []
    for number, line in lines:
        at = f"{path}, line {number}"
        if line.startswith("# id = "):
            name = line.removeprefix("# id = ")
        elif line.startswith("# text = "):
            given = _string(line.removeprefix("# text = "), at)
        elif line.startswith("-DOCSTART-"):
            continue
        elif not line.strip():
            text += "\n" if text and not text.endswith("\n") else ""
        elif not line.startswith("# ") or given is not None or _TAG.match(line.split()[-1]):
            columns = line.split("\t") if "\t" in line else line.split()
            if len(columns) < 2 or not _TAG.match(columns[-1]):
                raise ChartmarkError(f"{at}: expected a word and, in the last column, an IOB2 tag")
            if given is None:
                text += " " if text and not text.endswith("\n") else ""
                words.append((len(text), len(text) + len(columns[0]), columns[-1]))
                text += columns[0]
            else:
                words.append((*_offsets(columns, given, at), columns[-1]))
    text = text.rstrip("\n") if given is None else given
    mentions = _mentions(words)
    return document(
        where,
        id=name,
        text=text,
        entities=tuple(mentions),
        relations=tuple(_relations(side.get(name, []), mentions, dropped)),
    )


def _string(value: str, at: str) -> str:
    try:
        text = json.loads(value)
    except ValueError:
        text = None
    if not isinstance(text, str):
        raise ChartmarkError(f"{at}: the text is not a JSON string")
    return text


def _offsets(columns: list[str], text: str, at: str) -> tuple[int, int]:
    try:
        start, end = int(columns[1]), int(columns[2])
    except (ValueError, IndexError):
        raise ChartmarkError(f"{at}: expected word, start, end and tag") from None
    if not 0 <= start < end <= len(text) or text[start:end] != columns[0]:
        raise ChartmarkError(f"{at}: the word does not stand at {start}-{end}")
    return start, end


def _mentions(words: list[tuple[int, int, str]]) -> list[Entity]:
    found: list[list[Any]] = []
    open_type = ""
    for start, end, tag in words:
        if tag == "O":
            open_type = ""
        elif tag[0] == "I" and tag[2:] == open_type:
            found[-1][1] = end
        else:  # B, or an I that continues nothing: it begins a mention, as conlleval has it
            found.append([start, end, tag[2:]])
            open_type = tag[2:]
    return [
        Entity(id=f"T{n}", start=start, end=end, type=kind)
        for n, (start, end, kind) in enumerate(found, start=1)
    ]


def _relations(
    rows: list[list[str]], mentions: list[Entity], dropped: Counter[str]
) -> Iterator[Relation]:
    places = {(str(e.start), str(e.end), e.type): e.id for e in mentions}
    seen: set[tuple[str, str, str]] = set()
    for kind, *ends in rows:
        head, tail = places.get((ends[0], ends[1], ends[2])), places.get((ends[3], ends[4], ends[5]))
        if head is None or tail is None or head == tail or (head, tail, kind) in seen:
            dropped["relation to something else than two mentions"] += 1
        else:
            seen.add((head, tail, kind))
            yield Relation(head=head, tail=tail, type=kind)


def _side(path: Path) -> dict[str, list[list[str]]]:
    """The relations of each document: type, then start, end and type of head and of tail."""
    beside = side_file(path)
    rows: dict[str, list[list[str]]] = {}
    if not beside.exists():
        return rows
    with open_bytes(beside) as file:
        text = decode(file.read(), str(beside))
    for number, row in enumerate(csv.reader(text.splitlines(), delimiter="\t"), start=1):
        if len(row) != len(_SIDE):
            raise ChartmarkError(f"{beside}, line {number}: expected {len(_SIDE)} columns")
        if number > 1:
            rows.setdefault(row[0], []).append(row[1:])
    return rows


def side_file(path: Path) -> Path:
    return path.with_name(path.name + ".relations.tsv")


def write(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """Words split where mentions begin and end, so that every mention is exact."""
    with atomic(path) as out, atomic(side_file(path)) as beside:
        side = csv.writer(beside, delimiter="\t", lineterminator="\n")
        side.writerow(_SIDE)
        for d in documents:
            d = fitted(d, _HOLDS, dropped)
            name = re.sub(r"\s", "_", d.id)
            dropped["blank in an id, made a _"] += name != d.id
            out.write(f"# id = {name}\n# text = {json.dumps(d.text)}\n")
            for line in _lines(d, dropped):
                out.write(line + "\n")
            out.write("\n")
            ends = {e.id: (e.start, e.end, _label(e.type)) for e in d.entities}
            for r in d.relations:
                side.writerow([name, _label(r.type), *ends[r.head], *ends[r.tail]])


def _lines(d: Document, dropped: Counter[str]) -> Iterator[str]:
    tags = {e.start: e for e in d.entities}
    edges = sorted({0, len(d.text), *(x for e in d.entities for x in (e.start, e.end))})
    ends = deque(end for _, end in sentences(d.text))
    inside: Entity | None = None
    for low, high in pairwise(edges):
        inside = tags.get(low) or (inside if inside and low < inside.end else None)
        words = list(_WORD.finditer(d.text, low, high))
        if inside and (not words or (words[0].start(), words[-1].end()) != (low, high)):
            dropped["blank at a mention's edge"] += 1
        for n, word in enumerate(words):
            passed = False
            while ends and ends[0] <= word.start():
                passed = bool(ends.popleft())
            if passed and not inside:  # a sentence never ends within a mention here
                yield ""
            tag = f"{'I' if n else 'B'}-{_label(inside.type)}" if inside else "O"
            yield f"{word[0]}\t{word.start()}\t{word.end()}\t{tag}"


def _label(text: str) -> str:
    return re.sub(r"\s+", "_", text)


FORMAT = Format(
    name="conll",
    title="CoNLL columns, IOB2",
    recognises=lambda path, head: (
        path.suffix in (".conll", ".iob", ".iob2", ".bio")
        or (b"\0" not in head and bool(_LINE.match(head)))
    ),
    read=read,
    write=write,
    holds=_HOLDS,
    suffix=".conll",
)
