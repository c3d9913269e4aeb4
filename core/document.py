"""Document, Entity, Relation: the exchange format of DESIGN.md, frozen and checked when made.

Offsets are Unicode code points, half open, into the text exactly as it came.
"""

import json
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from core.errors import ChartmarkError


class Record(BaseModel):
    """Frozen, strictly typed, and keeping the keys that it does not know."""

    # Values never go into error messages: they may be clinical text.
    model_config = ConfigDict(
        frozen=True, strict=True, extra="allow", allow_inf_nan=False, hide_input_in_errors=True
    )


class Entity(Record):
    """A mention. `fragments` holds the parts of a discontinuous one, which start and end span.

    In training data `types` may say "one of these, the corpus doesn't tell which".
    """

    id: str
    start: int
    end: int
    type: str
    attributes: dict[str, str] = {}
    score: float | None = None
    concepts: tuple[str, ...] = ()
    fragments: tuple[tuple[int, int], ...] = ()
    types: tuple[str, ...] = ()

    def moved(self, by: int) -> Self:
        """The same mention in a text that begins `by` characters earlier."""
        parts = tuple((a + by, b + by) for a, b in self.fragments)
        return self.model_copy(
            update={"start": self.start + by, "end": self.end + by, "fragments": parts}
        )


class Relation(Record):
    """A directed relation between two mentions, named by their ids."""

    head: str
    tail: str
    type: str
    score: float | None = None
    origin: str | None = None


class ConceptRelation(Record):
    """A relation that a corpus states between concepts, not between mentions."""

    head: str
    tail: str
    type: str


class RelationSought(Record):
    """A kind of relation that annotators looked for."""

    type: str
    head: str
    tail: str


class Annotated(Record):
    """What a document's annotators looked for; whatever is left out is unknown, not negative."""

    entities: tuple[str, ...] = ()
    relations: tuple[RelationSought, ...] = ()
    attributes: tuple[str, ...] = ()


class Note(Record):
    """A text to read: an id, the text, and whatever else came with it."""

    id: str
    text: str
    meta: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_note(self) -> Self:
        if not self.id:
            raise ValueError("id: must not be empty")
        for name, value in (("id", self.id), ("text", self.text)):
            try:
                value.encode("utf-8")
            except UnicodeEncodeError as error:
                raise ValueError(
                    f"{name}: half a surrogate pair at {error.start}; save the file as UTF-8 again"
                ) from None
        return self


class Document(Note):
    """A note with its entities and relations.

    Raises pydantic.ValidationError (a ValueError) whose messages name the field: offsets outside
    the text, empty spans, ids used twice, relations to ids that do not exist or given twice.
    Whether the types are known is the schema's question: `Schema.check`.
    """

    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    concept_relations: tuple[ConceptRelation, ...] = ()
    annotated: Annotated | None = None

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        length = len(self.text)
        ids: set[str] = set()
        for i, e in enumerate(self.entities):
            at = f"entities[{i}]"
            if e.id in ids:
                raise ValueError(f"{at}.id: {e.id!r} is used twice")
            ids.add(e.id)
            if not 0 <= e.start < e.end <= length:
                raise ValueError(
                    f"{at}: [{e.start}, {e.end}) is empty or outside the text of {length} characters"
                )
            _check_fragments(at, e)
        triples: set[tuple[str, str, str]] = set()
        for i, r in enumerate(self.relations):
            at = f"relations[{i}]"
            for end, name in (("head", r.head), ("tail", r.tail)):
                if name not in ids:
                    raise ValueError(f"{at}.{end}: no entity has the id {name!r}")
            if r.head == r.tail:
                raise ValueError(f"{at}: head and tail are the same mention, {r.head!r}")
            triple = (r.head, r.tail, r.type)
            if triple in triples:
                raise ValueError(f"{at}: {r.head} {r.type} {r.tail} is given twice")
            triples.add(triple)
        return self

    def part(self, start: int, end: int) -> Self:
        """A stretch of the text, with the mentions that lie in it whole and the relations between."""
        kept = tuple(e.moved(-start) for e in self.entities if start <= e.start and e.end <= end)
        ids = {e.id for e in kept}
        relations = tuple(r for r in self.relations if r.head in ids and r.tail in ids)
        text = self.text[start:end]
        return self.model_copy(update={"text": text, "entities": kept, "relations": relations})

    def mention(self, entity: Entity) -> str:
        """The characters of a mention; the parts of a discontinuous one joined by a blank."""
        return " ".join(self.text[a:b] for a, b in entity.fragments or ((entity.start, entity.end),))


def _check_fragments(at: str, e: Entity) -> None:
    if not e.fragments:
        return
    previous = e.start
    for a, b in e.fragments:
        if not previous <= a < b:
            raise ValueError(f"{at}.fragments: must be in order, not empty and not overlapping")
        previous = b
    if e.fragments[0][0] != e.start or previous != e.end:
        raise ValueError(f"{at}.fragments: must begin at start and finish at end")


AnyRecord = TypeVar("AnyRecord", bound=Record)


def parse(kind: type[AnyRecord], line: bytes | str, where: str) -> AnyRecord:
    """One record of JSON. Raises ChartmarkError, `where` in front, naming record and field."""
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise ChartmarkError(f"{where}: {explain(error)}") from None


def explain(error: ValidationError) -> str:
    """The first complaint of a ValidationError as 'field: what is wrong', without any value."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
    message = first["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def to_json(record: Record) -> str:
    """One line of the exchange format. Optional keys that say nothing are left out."""
    data = record.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
