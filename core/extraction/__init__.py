"""Reading notes: the Extractor protocol, its families, and loading a model by its id."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.document import Entity, Relation
from core.schema import Schema

# The file that makes a folder a model.
MODEL_FILE = "model.json"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a model read in one note: mentions in order of appearance, relations between them.

    `unfinished`: it gave up before the end, so that the rest is unknown.
    """

    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    unfinished: bool = False


class Extractor(Protocol):
    """A loaded model."""

    schema: Schema

    def extract(self, texts: Sequence[str], threshold: float | None = None) -> list[Annotation]:
        """One Annotation a text, in order. Offsets are exact; scores are calibrated probabilities.

        `threshold` in [0, 1] replaces the model's own calibrated ones, for mentions and relations.
        """
        ...

    def relate(
        self, texts: Sequence[str], mentions: Sequence[Sequence[Entity]], threshold: float | None = None
    ) -> list[Annotation]:
        """Relations between mentions that are given, which come back as they are."""
        ...
