"""Extraction from files: one note or thousands, in order, written whole or not at all."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from core.document import Document, Note, parse
from core.errors import ChartmarkError
from core.extraction import Annotation, Extractor
from core.files import atomic, read_text
from core.formats import jsonl

# Notes read at a time: enough to batch by length, little enough to hold in memory.
CHUNK = 128
# In a document's meta: the model gave up before the end of what it wrote, the rest is unknown.
UNFINISHED = "unfinished"
# What an extraction replaces if a note brings its own.
_LABELS = frozenset(Document.model_fields) - frozenset(Note.model_fields)


def read_notes(source: str) -> Iterator[Note]:
    """Notes from a .jsonl file, one from a .txt file, one from each .txt of a folder, or - for
    JSON Lines from standard input.

    Raises ChartmarkError if there is no note to read or the input is broken.
    """
    path = Path(source)
    if source == "-":
        yield from jsonl.read_lines(partial(parse, Note), sys.stdin.buffer, "standard input")
    elif path.is_dir():
        files = sorted(path.glob("*.txt"))
        if not files:
            raise ChartmarkError(f"{path} holds no .txt files; name a folder of notes or a .jsonl file")
        for file in files:
            yield Note(id=file.stem, text=read_text(file))
    elif path.suffix == ".txt":
        yield Note(id=path.stem, text=read_text(path))
    elif path.suffix == ".jsonl" or not path.exists():
        yield from jsonl.read_notes(path)
    else:
        raise ChartmarkError(f"{path}: expected a .jsonl file, a .txt file or a folder of .txt files")


def annotated(note: Note, annotation: Annotation) -> Document:
    """The note with what a model read in it; other keys that the note brought are kept."""
    extra = {k: v for k, v in (note.model_extra or {}).items() if k not in _LABELS}
    meta = {k: v for k, v in note.meta.items() if k != UNFINISHED}
    if annotation.unfinished:
        meta[UNFINISHED] = True
    return Document(
        id=note.id,
        text=note.text,
        entities=annotation.entities,
        relations=annotation.relations,
        meta=meta,
        **extra,
    )


def extract_notes(
    notes: Iterable[Note], extractor: Extractor, threshold: float | None
) -> Iterator[Document]:
    """Each note as a document with the model's labels, in order."""
    waiting = iter(notes)
    while chunk := list(islice(waiting, CHUNK)):
        found = extractor.extract([n.text for n in chunk], threshold)
        for note, annotation in zip(chunk, found, strict=True):
            yield annotated(note, annotation)


def check(source: str, target: Path) -> None:
    """Raise ChartmarkError, before anything is loaded, at paths that can't work."""
    path = Path(source)
    if source != "-" and not path.exists():
        raise ChartmarkError(f"can't read {source}: No such file or directory")
    if target.exists() and path.exists() and target.samefile(path):
        raise ChartmarkError(f"{target} is the input: its labels would be lost; name another --output")
    if not target.parent.is_dir():
        raise ChartmarkError(f"can't write {target}: No such file or directory; choose another place")


def extract_file(
    source: str, target: Path, extractor: Extractor, threshold: float | None
) -> tuple[int, int]:
    """Extract from `source` into a JSON Lines file, with a progress bar; returns how many notes were
    read, and of how many the answer has no end."""
    read = unfinished = 0
    with atomic(target) as out:
        found = extract_notes(read_notes(source), extractor, threshold)
        bar = tqdm(found, unit=" notes", total=_count(source), disable=not sys.stderr.isatty())
        for document in bar:
            jsonl.write([document], out)
            read += 1
            unfinished += UNFINISHED in document.meta
        if not read:
            raise ChartmarkError(f"{source} holds no notes; nothing was written")
    return read, unfinished


def _count(source: str) -> int | None:
    """How many notes a source holds, for the progress bar; None if only reading would tell."""
    path = Path(source)
    if path.is_dir():
        return sum(1 for _ in path.glob("*.txt"))
    if path.suffix == ".jsonl" and path.is_file():
        with path.open("rb") as lines:
            return sum(1 for line in lines if line.strip())
    return None
