"""A store on a real file, and documents for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.document import Document, Entity, Relation
from core.store import documents
from core.store.connection import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "annotations.db")
    yield made
    made.close()


def note(name: str = "n1", text: str = "Fever. Aspirin for gout.", **more) -> Document:
    """A drug, a disease and a relation between them; no labels on other words than these."""
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    if text.startswith("Fever. Aspirin for gout."):
        entities = (
            Entity(id="a", start=7, end=14, type="Drug"),
            Entity(id="b", start=19, end=23, type="Disease"),
        )
        relations = (Relation(head="a", tail="b", type="treats"),)
    return Document(id=name, text=text, entities=entities, relations=relations, **more)


def added(store: Store, document: Document, split: str = "") -> int:
    with store.writing() as db:
        return documents.add(db, document, split, "tester")[0]
