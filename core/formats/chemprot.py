"""ChemProt (Krallinger et al. 2017): tab-separated abstracts, entities and relations of a folder.

`path` is the abstracts' file, NAME_abstracts.tsv; the two others stand beside it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.files import read_lines
from core.formats.format import Format, document


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Relations are those that count in the task (column Y), by their ChemProt group (CPR:3 ...)."""
    stem = path.name.removesuffix("_abstracts.tsv")
    entities: dict[str, list[Entity]] = {}
    for at, (name, key, kind, start, end, *_) in _rows(path.with_name(f"{stem}_entities.tsv"), 6):
        if not (start.isdecimal() and end.isdecimal()):
            raise ChartmarkError(f"{at}: {start!r} and {end!r} are no offsets")
        entities.setdefault(name, []).append(Entity(id=key, start=int(start), end=int(end), type=kind))
    relations: dict[str, dict[tuple[str, str, str], Relation]] = {}
    for _, (name, group, counts, _, head, tail) in _rows(path.with_name(f"{stem}_relations.tsv"), 6):
        if counts.strip() != "Y":
            dropped[f"relation {group}, not in the task"] += 1
            continue
        ends = head.removeprefix("Arg1:"), tail.removeprefix("Arg2:")
        found = relations.setdefault(name, {})
        dropped["repeated relation"] += (*ends, group) in found
        found[(*ends, group)] = Relation(head=ends[0], tail=ends[1], type=group)
    for at, (name, title, abstract) in _rows(path, 3):
        yield document(
            at,
            id=name,
            text=f"{title}\t{abstract}",
            entities=tuple(entities.get(name, [])),
            relations=tuple(relations.get(name, {}).values()),
        )


def _rows(path: Path, columns: int) -> Iterator[tuple[str, list[str]]]:
    for number, line in read_lines(path):
        at, row = f"{path}, line {number}", line.split("\t")
        if len(row) != columns:
            raise ChartmarkError(f"{at}: expected {columns} columns, found {len(row)}")
        yield at, row


FORMAT = Format(
    name="chemprot",
    title="ChemProt (tab-separated)",
    recognises=lambda path, _: path.name.endswith("_abstracts.tsv"),
    read=read,
)
