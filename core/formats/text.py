"""Plain text: a .txt file, or a folder or archive of them, each a document without labels."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.document import Document
from core.files import decode, read_text
from core.formats import bundle
from core.formats.format import UNLABELLED, Format, document


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """A document's id is the file's name without .txt, with the folders that it lies in."""
    if path.is_file() and not bundle.archive(path):
        text = read_text(path)
        if text.strip():
            yield _document(path.stem, text, str(path))
        else:
            dropped["empty text"] += 1
        return
    for name, content in bundle.members(path, ".txt").items():
        inside = name.removeprefix(f"{path}/")
        text = decode(content(), name)
        if text.strip():
            yield _document(inside[: -len(".txt")], text, name)
        else:
            dropped["empty text"] += 1


def _document(name: str, text: str, where: str) -> Document:
    return document(where, id=name, text=text, entities=(), relations=(), annotated=UNLABELLED)


def _recognises(path: Path, head: bytes) -> bool:
    if path.is_dir() or bundle.archive(path):
        # One with other files beside is not taken for texts: they would be left out in silence.
        names = [n for n in bundle.names(path) if not n.endswith("/") and "__MACOSX" not in n]
        return bool(names) and all(name.lower().endswith(".txt") for name in names)
    return path.suffix.lower() == ".txt" and b"\0" not in head


FORMAT = Format(name="text", title="plain text", recognises=_recognises, read=read)
