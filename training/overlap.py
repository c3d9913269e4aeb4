"""What a training set must not share with an evaluation set: documents, and whole sentences."""

import re
from collections.abc import Iterable

from core.document import Document

# Not spaCy's sentences: a sentence cut in the same way on both sides is all that is needed here,
# and the rule must never change with a library's version.
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NOISE = re.compile(r"[\W_]+")
SHORTEST = 40  # characters; shorter sentences ("No acute distress.") are common property


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
