"""Labels of passages whose texts stay where they are: in the documents of a folder of corpora.

A line names its passage (`source` corpus, `document`, `start`, `end`, and the `sha256` of the text in
between) and has `entities` and `relations`, whose offsets count from the passage's start. So labels can
be kept in a repository that must not hold the texts.
"""

from collections.abc import Iterator
from pathlib import Path

from core.document import Document, Entity, Record, Relation, parse
from core.errors import ChartmarkError
from core.files import open_bytes
from core.formats.format import document
from core.formats.jsonl import read_lines
from core.formats.mapping import corpora
from core.store.documents import sha256

# What tells such a file from one of notes with their texts.
SUFFIX = ".passages.jsonl"


class Passage(Record):
    """One line."""

    id: str
    source: str
    document: str
    start: int
    end: int
    sha256: str
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]


def read(path: Path, folder: Path) -> Iterator[Document]:
    """Passages as documents, their texts cut from the corpora in `folder`; notes of one document are
    one group.

    Raises ChartmarkError with file and line if one is not there, or reads otherwise than it did.
    """
    texts: dict[str, dict[str, str]] = {}

    def cut(line: bytes | str, where: str) -> Document:
        p = parse(Passage, line, where)
        if p.source not in corpora():
            raise ChartmarkError(f"{where}: no corpus {p.source!r}")
        if p.source not in texts:
            texts[p.source] = corpora()[p.source].texts(folder)
        text = texts[p.source].get(p.document, "")[p.start : p.end]
        if sha256(text) != p.sha256:
            raise ChartmarkError(
                f"{where}: {p.document} of {p.source} in {folder} is missing or has another text; "
                "use the release that the labels were made on"
            )
        meta = {"source": p.source, "group": f"{p.source}:{p.document}"}
        return document(
            where, id=p.id, text=text, entities=p.entities, relations=p.relations, meta=meta
        )

    with open_bytes(path) as lines:
        yield from read_lines(cut, lines, str(path))
