"""What an evaluation set must not share with training: documents, and whole sentences."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.document import Document
from core.errors import ChartmarkError
from core.scoring.slices import normalised

# Not spaCy's sentences: a sentence cut in the same way on both sides is all that is needed here,
# and the rule must never change with a library's version.
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NOISE = re.compile(r"[\W_]+")
SHORTEST = 40  # characters; shorter sentences ("No acute distress.") are common property
FILE = "trained_on.safetensors"


def sentences(text: str) -> set[str]:
    """Sentences of a text in lower case, letters and digits only, those of 40 characters or more."""
    found = (_NOISE.sub(" ", s).strip().lower() for s in _END.split(text))
    return {s for s in found if len(s) >= SHORTEST}


def identity(document: Document) -> str:
    """A document's id without its corpus: PubMed ids name the same abstract in each."""
    return document.id.rpartition(":")[2]


class HeldOut:
    """Evaluation documents, asked whether a training document overlaps with them."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.ids: set[str] = set()
        self.sentences: set[str] = set()
        for d in documents:
            self.ids.add(identity(d))
            self.sentences |= sentences(d.text)

    def overlaps(self, document: Document) -> bool:
        return identity(document) in self.ids or not self.sentences.isdisjoint(sentences(document.text))


@dataclass(frozen=True, slots=True)
class Trained:
    """What a model was trained and tuned on, as sorted 64-bit hashes: ids and texts of documents,
    sentences, and the names of mentions. It lies in the model's folder, without any text."""

    documents: NDArray[np.int64]
    sentences: NDArray[np.int64]
    names: NDArray[np.int64]

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Self:
        ids: set[str] = set()
        said: set[str] = set()
        names: set[str] = set()
        for d in documents:
            # Sentences that were joined into one document have its parts' ids.
            ids.update(part.rpartition(":")[2] for part in d.id.split("+"))
            ids.add(d.text)
            said |= sentences(d.text)
            names.update(normalised(d.mention(e)) for e in d.entities)
        return cls(_hashes(ids), _hashes(said), _hashes(names))

    def with_that_of(self, folder: Path) -> Self:
        """And what the model in a folder, from which training went on, was trained on."""
        before = self.load(folder)
        if before is None:
            return self
        return type(self)(*(np.union1d(getattr(self, f), getattr(before, f)) for f in self.__slots__))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({f: getattr(self, f) for f in self.__slots__}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """What a model's folder says, None if nothing. Raises ChartmarkError if it is broken."""
        if not (folder / FILE).is_file():
            return None
        try:
            return cls(**load_file(folder / FILE))
        except (OSError, SafetensorError, TypeError):
            raise ChartmarkError(
                f"{folder / FILE} is damaged; fetch or train the model again"
            ) from None

    def overlaps(self, document: Document) -> bool:
        """Whether the document, by id or text, or one of its sentences was trained on."""
        whole = {identity(document), document.text}
        return _any(self.documents, whole) or _any(self.sentences, sentences(document.text))

    def seen(self, name: str) -> bool:
        """Whether a mention of this normalised name was in the training data."""
        return _any(self.names, {name})


def _hashes(values: Iterable[str]) -> NDArray[np.int64]:
    digests = [hashlib.sha256(v.encode()).digest()[:8] for v in values]
    return np.unique(np.array([int.from_bytes(d, signed=True) for d in digests], dtype=np.int64))


def _any(known: NDArray[np.int64], values: Iterable[str]) -> bool:
    wanted = _hashes(values)
    at = known.searchsorted(wanted)
    inside = at < len(known)
    return bool((known[at[inside]] == wanted[inside]).any())
