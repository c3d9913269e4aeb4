"""What a model can be evaluated on: a split of the database, a corpus's split, or a file."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.document import Document, to_json
from core.errors import ChartmarkError
from core.formats import jsonl, passages
from core.formats.mapping import corpora
from core.store import revisions
from core.store.connection import existing
from core.store.documents import SPLITS
from core.store.work import made


def documents(data: str, folder: Path | None, db: Path) -> list[Document]:
    """The gold documents that `data` names: a split, CORPUS/SPLIT, a .jsonl or .passages.jsonl file.

    Raises ChartmarkError if there are none, or the folder of corpora is needed and not given.
    """
    found = list(_read(data, folder, db))
    if not found:
        raise ChartmarkError(f"{data} has no documents with gold labels")
    return found


def _read(data: str, folder: Path | None, db: Path) -> Iterator[Document]:
    name, _, split = data.partition("/")
    if name in corpora() and split:
        if folder is None:
            raise ChartmarkError(f"say where the corpus {name} is: --corpora FOLDER")
        return corpora()[name].read(folder, split, Counter())
    if data.endswith(passages.SUFFIX):
        if folder is None:
            raise ChartmarkError("say where the texts of the passages are: --corpora FOLDER")
        return passages.read(Path(data), folder)
    if data in SPLITS:
        return revisions.gold(existing(db), data)
    return jsonl.read(Path(data))


def making(data: str, db: Path) -> dict[str, str]:
    """Of the documents of a split, how their gold was made: from suggestions, blind (in a queue with
    suggestions, but without), by hand, or imported. Empty for other data."""
    return made(existing(db)) if data in SPLITS else {}


def sha256(gold: Iterable[Document]) -> str:
    """A hash of the documents, labels included, in order."""
    digest = hashlib.sha256()
    for d in gold:
        digest.update(to_json(d).encode() + b"\n")
    return digest.hexdigest()
