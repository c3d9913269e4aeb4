"""The label schema: entity types, relation types, attributes. Data, read from YAML."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated as Checked
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from core.document import Annotated, Document, explain
from core.errors import ChartmarkError

# Labels become file contents (brat allows no blanks in a type), CSS and HTML.
Label = Checked[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Colour = Checked[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EntityType(_Part):
    name: Label
    colour: Colour
    shortcut: Checked[str, StringConstraints(pattern=r"^[a-z0-9]$")]
    help: str = ""


class RelationType(_Part):
    """Head and tail list the entity types allowed at each end."""

    name: Label
    head: tuple[Label, ...]
    tail: tuple[Label, ...]
    symmetric: bool = False
    help: str = ""


class AttributeType(_Part):
    """`negative` lists the values that say a mention is not the case; they are shown struck out."""

    name: Label
    values: tuple[Label, ...]
    default: Label
    negative: tuple[Label, ...] = ()


class Schema(_Part):
    """A frozen, checked label schema. `Schema.load` reads one from a file.

    `guidelines` is plain text that annotators have at hand.
    """

    name: Label
    entities: tuple[EntityType, ...]
    relations: tuple[RelationType, ...] = ()
    attributes: tuple[AttributeType, ...] = ()
    guidelines: str = ""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a schema from YAML. Raises ChartmarkError naming the file and the field."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            raise ChartmarkError(f"{path}: {explain(error)}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ChartmarkError(f"{path}: not a readable YAML file: {_first_line(error)}") from None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.entities:
            raise ValueError("entities: a schema needs at least one entity type")
        for what in ("entities", "relations", "attributes"):
            _unique(what, [x.name for x in getattr(self, what)])
        _unique("entities: shortcuts", [e.shortcut for e in self.entities])
        known = set(self.entity_names)
        for r in self.relations:
            for name in (*r.head, *r.tail):
                if name not in known:
                    raise ValueError(f"relations: {r.name} names {name!r}, which is no entity type")
            if r.symmetric and set(r.head) != set(r.tail):
                raise ValueError(f"relations: {r.name} is symmetric, so head and tail must be alike")
        for a in self.attributes:
            _unique(f"attributes: {a.name}", list(a.values))
            if not {a.default, *a.negative} <= set(a.values):
                raise ValueError(f"attributes: {a.name}: default and negative must be among the values")
        return self

    @property
    def entity_names(self) -> tuple[str, ...]:
        return tuple(e.name for e in self.entities)

    @property
    def relation_names(self) -> tuple[str, ...]:
        return tuple(r.name for r in self.relations)

    @property
    def symmetric(self) -> frozenset[str]:
        """The relation types whose head and tail may change places."""
        return frozenset(r.name for r in self.relations if r.symmetric)

    def allowed(self, head: str, tail: str) -> tuple[str, ...]:
        """The relation types that may hold from a head of one entity type to a tail of another."""
        return tuple(r.name for r in self.relations if head in r.head and tail in r.tail)

    def check(self, document: Document, before: Document | None = None) -> None:
        """Raise ChartmarkError, naming document and field, at the first label not in the schema.

        Labels that `before` has just so are let be: they were made under another schema.
        """
        old = () if before is None else before.entities
        stated = () if before is None else before.relations
        unchanged = {e.id for e in document.entities if e in old}
        attributes = {a.name: a.values for a in self.attributes}
        types = {e.id: e.type for e in document.entities}

        def refuse(field: str, message: str) -> None:
            raise ChartmarkError(f"document {document.id!r}: {field}: {message}")

        for i, e in enumerate(document.entities):
            if e in old:
                continue
            if e.types and e.type not in e.types:
                refuse(f"entities[{i}].types", "must hold the mention's type")
            for name in (e.type, *e.types):
                if name not in self.entity_names:
                    refuse(f"entities[{i}].type", f"{name!r} is not in the schema {self.name!r}")
            for key, value in e.attributes.items():
                if value not in attributes.get(key, ()):
                    refuse(f"entities[{i}].attributes", f"{key}={value!r} is not in the schema")
        if document.annotated and (before is None or document.annotated != before.annotated):
            self._check_annotated(document.annotated, attributes, refuse)
        for i, r in enumerate(document.relations):
            # A relation is as it was only if its ends are.
            if r in stated and {r.head, r.tail} <= unchanged:
                continue
            if r.type not in self.relation_names:
                refuse(f"relations[{i}].type", f"{r.type!r} is not in the schema {self.name!r}")
            if r.type not in self.allowed(types[r.head], types[r.tail]):
                refuse(
                    f"relations[{i}]",
                    f"{r.type} can't hold from {types[r.head]} to {types[r.tail]} in this schema",
                )

    def _check_annotated(
        self,
        sought: Annotated,
        attributes: Mapping[str, object],
        refuse: Callable[[str, str], None],
    ) -> None:
        for name in sought.entities:
            if name not in self.entity_names:
                refuse("annotated.entities", f"{name!r} is not in the schema {self.name!r}")
        for name in sought.attributes:
            if name not in attributes:
                refuse("annotated.attributes", f"{name!r} is not in the schema {self.name!r}")
        for r in sought.relations:
            if r.type not in self.allowed(r.head, r.tail):
                refuse(
                    "annotated.relations",
                    f"{r.type} from {r.head} to {r.tail} is not in the schema {self.name!r}",
                )


@cache
def default_schema() -> Schema:
    """The schema that ships: core/schema.yaml."""
    return Schema.load(Path(__file__).with_name("schema.yaml"))


@cache
def shipped() -> dict[str, Schema]:
    """Every schema that ships, by name: the default one, and corpora's own labels."""
    others = sorted(Path(__file__).with_name("schemas").glob("*.yaml"))
    return {s.name: s for s in (default_schema(), *map(Schema.load, others))}


def _unique(what: str, names: list[str]) -> None:
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise ValueError(f"{what}: {sorted(twice)[0]!r} is there twice")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
