"""Having a model read documents of the store, so that they can be suggested and ordered by doubt."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from core.document import Document
from core.extraction import MODEL_FILE, Extractor, models
from core.extraction.batch import annotated
from core.store import documents, predictions
from core.store.connection import Store

# Documents read and stored at a time: what a stop loses.
CHUNK = 64


def read(
    store: Store, take: Callable[[str], Extractor], keys: Sequence[int], model: str, who: str
) -> Iterator[int]:
    """Have a model read those documents that it has not; yields how many are read, chunk by chunk.

    A reading older than the model's files is none. Raises ChartmarkError if there is no such model.
    """
    left = missing(store, keys, model)
    done = len(keys) - len(left)
    for at in range(0, len(left), CHUNK):
        yield done + at
        part = left[at : at + CHUNK]
        notes = documents.notes(store.db, part)
        found = take(model).extract([n.text for n in notes.values()])
        with store.writing() as db:
            # Purged meanwhile: then nothing of it may come back.
            there = documents.notes(db, part)
            for (key, note), labels in zip(notes.items(), found, strict=True):
                if key in there:
                    predictions.add(db, key, model, annotated(note, labels), who)
    yield len(keys)


def reading(
    store: Store, take: Callable[[str], Extractor], key: int, model: str, who: str
) -> Document | None:
    """What a model says of one document, read now if it has not been. None if the document is gone."""
    for _ in read(store, take, [key], model, who):
        pass
    return predictions.of(store, key, model)


def missing(store: Store, keys: Sequence[int], model: str) -> list[int]:
    """Those of the documents that the model, as it is now, has not read."""
    changed = (models.folder(model) / MODEL_FILE).stat().st_mtime
    since = datetime.fromtimestamp(changed, UTC).isoformat(timespec="milliseconds")
    known = predictions.read_since(store, model, since, keys)
    return [k for k in keys if k not in known]
