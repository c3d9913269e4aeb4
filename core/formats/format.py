"""What a format is: a module with a FORMAT, found by the registry.

A format says which parts of a Document it can hold. `fitted` takes the others out and counts them by
kind, so that every writer reports its losses in the same words.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from core.document import Annotated, Document, Entity, Relation, explain
from core.errors import ChartmarkError

# Parts of a document beyond contiguous, typed mentions that don't overlap.
PARTS = frozenset(
    {
        "overlaps", "fragments", "attributes", "scores", "concepts", "types", "relations", "origins",
        "concept_relations", "annotated", "meta", "unknown keys",
    }
)  # fmt: skip

# In a text that came without labels nobody has looked for anything.
UNLABELLED = Annotated()

AnyLabel = TypeVar("AnyLabel", Entity, Relation)
Read = Callable[[Path, "Counter[str]"], Iterator[Document]]
Write = Callable[[Iterable[Document], Path, "Counter[str]"], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to keep documents in files.

    `recognises` judges a path by its name and first bytes (none for a folder). `write` makes a file, or
    a folder where `folder` says so, at a path that is not there yet; both count in their Counter what
    they can't hold. Readers raise ChartmarkError with file and line, and nothing else.
    """

    name: str
    title: str
    recognises: Callable[[Path, bytes], bool]
    read: Read | None = None
    write: Write | None = None
    holds: frozenset[str] = frozenset()
    suffix: str = ""
    folder: bool = False


def document(where: str, **fields: Any) -> Document:
    """A Document, or ChartmarkError with `where` in front."""
    try:
        return Document(**fields)
    except ValidationError as error:
        raise ChartmarkError(f"{where}: {explain(error)}") from None


def fitted(d: Document, holds: frozenset[str], dropped: Counter[str]) -> Document:
    """The document with what `holds` leaves out taken away and counted in `dropped`."""
    entities = [_fitted_entity(e, holds, dropped) for e in d.entities]
    relations = list(d.relations)
    if "overlaps" not in holds:
        entities = _apart(entities, dropped)
        kept = {e.id for e in entities}
        staying = [r for r in relations if r.head in kept and r.tail in kept]
        dropped["relation of an overlapping mention"] += len(relations) - len(staying)
        relations = staying
    if "relations" not in holds:
        dropped["relation"] += len(relations)
        relations = []
    changes: dict[str, Any] = {
        "entities": tuple(entities),
        "relations": tuple(_fitted_relation(r, holds, dropped) for r in relations),
    }
    for part, kind, empty in (
        ("concept_relations", "relation between concepts", ()),
        ("annotated", "list of what was looked for", None),
        ("meta", "metadata of a document", {}),
    ):
        if part not in holds and getattr(d, part):
            dropped[kind] += len(d.concept_relations) if part == "concept_relations" else 1
            changes[part] = empty
    if "unknown keys" not in holds:
        for record in (d, *d.entities, *d.relations):
            dropped["unknown key"] += len(record.model_extra or {})
        d = Document(**{k: getattr(d, k) for k in Document.model_fields})
    return d.model_copy(update=changes)


def _fitted_entity(e: Entity, holds: frozenset[str], dropped: Counter[str]) -> Entity:
    changes: dict[str, Any] = {}
    for part, field, kind, empty in (
        ("attributes", "attributes", "attribute", {}),
        ("fragments", "fragments", "discontinuous mention, kept as one span", ()),
        ("scores", "score", "score", None),
        ("concepts", "concepts", "concept of a mention", ()),
        ("types", "types", "choice of types, the first kept", ()),
    ):
        value = getattr(e, field)
        if part not in holds and value not in (empty, None):
            dropped[kind] += len(value) if field in ("attributes", "concepts") else 1
            changes[field] = empty
    return _known(e, holds).model_copy(update=changes)


def _fitted_relation(r: Relation, holds: frozenset[str], dropped: Counter[str]) -> Relation:
    changes: dict[str, Any] = {}
    for part, field, kind in (
        ("scores", "score", "score"),
        ("origins", "origin", "origin of a relation"),
    ):
        if part not in holds and getattr(r, field) is not None:
            dropped[kind] += 1
            changes[field] = None
    return _known(r, holds).model_copy(update=changes)


def _known(record: AnyLabel, holds: frozenset[str]) -> AnyLabel:
    if "unknown keys" in holds or not record.model_extra:
        return record
    return type(record)(**{k: getattr(record, k) for k in type(record).model_fields})


def _apart(entities: list[Entity], dropped: Counter[str]) -> list[Entity]:
    """The longest mentions of which no two overlap, in their order."""
    chosen: list[Entity] = []
    for e in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
        if all(e.end <= c.start or c.end <= e.start for c in chosen):
            chosen.append(e)
    dropped["overlapping mention"] += len(entities) - len(chosen)
    ids = {e.id for e in chosen}
    return [e for e in entities if e.id in ids]


def looked_for(value: Any) -> Annotated | None:
    """`annotated` from what a format kept as plain data."""
    return None if value is None else Annotated.model_validate(value, strict=False)


def plain(value: Any) -> Any:
    """JSON as ijson gives it, its Decimals made floats (its own floats can't hold long integers)."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return float(value) if isinstance(value, Decimal) else value
