"""Other labels in terms of ours: a label map, and for each corpus in maps/ also where its files are, in
which format, and what its annotators looked for."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated as Checked
from typing import Any

import yaml
from annotated_types import MinLen
from pydantic import BaseModel, ConfigDict, ValidationError

from core.document import (
    Annotated,
    ConceptRelation,
    Document,
    Entity,
    Relation,
    RelationSought,
    explain,
)
from core.errors import ChartmarkError
from core.formats import registry
from core.schema import Schema

MAPS = Path(__file__).with_name("maps")
# Parts of a corpus that a split holds back, as a share of ids by hash: the same on every machine.
Share = tuple[float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Split(_Part):
    """A file, folder or archive in the folder of corpora, or the part of one whose ids' hashes lie
    within `share`."""

    path: str
    share: Share = (0.0, 1.0)


Types = Checked[tuple[str, ...], MinLen(1)]


class RelationMap(_Part):
    """One relation label of the source. `head` and `tail` name its types and set the direction; where
    they are left out, it holds as it is, between whatever mentions it has."""

    source: str
    type: str
    head: str = ""
    tail: str = ""


class LabelMap(_Part):
    """A source's labels in ours; several types for one label say "one of these, it isn't told which".

    `inside` gives attributes to mentions that lie within others. `annotated` is what the source's
    annotators looked for; without it, what each document says of itself holds.
    """

    name: str = ""
    entities: dict[str, Types]
    relations: tuple[RelationMap, ...] = ()
    attributes: dict[str, dict[str, dict[str, str]]] = {}
    inside: dict[str, dict[str, str]] = {}
    annotated: Annotated | None = None

    def check(self, schema: Schema) -> None:
        """Raise ChartmarkError if the map leads to a label that the schema lacks."""
        targets = {t for types in self.entities.values() for t in types} - set(schema.entity_names)
        targets |= {r.type for r in self.relations} - set(schema.relation_names)
        if targets:
            known = ", ".join((*schema.entity_names, *schema.relation_names))
            raise ChartmarkError(
                f"the label map leads to {sorted(targets)[0]!r}, not in the schema: use {known}"
            )

    def translate(self, document: Document, dropped: Counter[str]) -> Document:
        """The same document under our labels. Labels that the map leaves out are counted."""
        source = {e.id: e.type for e in document.entities}
        kept = {
            e.id: self._mention(e, document, dropped)
            for e in document.entities
            if e.type in self.entities
        }
        dropped.update(f"type {t}" for t in source.values() if t not in self.entities)
        relations = {}
        for r in document.relations:
            found = self._direction(r.type, (r.head, source[r.head]), (r.tail, source[r.tail]))
            if found and r.head in kept and r.tail in kept:
                relations[found] = r.model_copy(
                    update={"head": found[0], "tail": found[1], "type": found[2]}
                )
            else:
                dropped[f"relation {r.type}"] += 1
        concepts, closest = self._from_concepts(document, kept, source, dropped)
        for c in closest:
            relations.setdefault((c.head, c.tail, c.type), c)
        return document.model_copy(
            update={
                "id": f"{self.name}:{document.id}" if self.name else document.id,
                "entities": tuple(kept.values()),
                "relations": tuple(relations.values()),
                "concept_relations": tuple(concepts),
                "meta": {**document.meta, "source": self.name} if self.name else document.meta,
                "annotated": self.annotated or self._sought(document.annotated),
            }
        )

    def _mention(self, e: Entity, document: Document, dropped: Counter[str]) -> Entity:
        types = self.entities[e.type]
        attributes: dict[str, str] = {}
        for outer in document.entities:
            if outer.type in self.inside and outer.start <= e.start and e.end <= outer.end:
                attributes |= self.inside[outer.type]
        for key, value in e.attributes.items():
            known = self.attributes.get(key, {}).get(value)
            if known is None:
                dropped[f"attribute {key}"] += 1
            attributes |= known or {}
        return e.model_copy(
            update={
                "type": types[0],
                "types": types if len(types) > 1 else (),
                "attributes": attributes,
            }
        )

    def _sought(self, annotated: Annotated | None) -> Annotated | None:
        """What a document's own annotators looked for, under our labels."""
        if annotated is None:
            return None
        relations = {
            RelationSought(type=m.type, head=h, tail=t)
            for r in annotated.relations
            for m in self.relations
            if m.source == r.type and m.head in ("", r.head) and m.tail in ("", r.tail)
            for h in self.entities.get(r.head, ())
            for t in self.entities.get(r.tail, ())
        }
        return Annotated(
            entities=tuple(
                dict.fromkeys(t for e in annotated.entities for t in self.entities.get(e, ()))
            ),
            relations=tuple(sorted(relations, key=str)),
            attributes=tuple(
                dict.fromkeys(
                    k
                    for a in annotated.attributes
                    for v in self.attributes.get(a, {}).values()
                    for k in v
                )
            ),
        )

    def _direction(
        self, name: str, one: tuple[str, str], other: tuple[str, str]
    ) -> tuple[str, str, str] | None:
        """(head, tail, our type) of a relation between two (id, corpus type), whichever way round."""
        for r in self.relations:
            for (a, a_type), (b, b_type) in ((one, other), (other, one)):
                if r.source == name and r.head in ("", a_type) and r.tail in ("", b_type):
                    return a, b, r.type
        return None

    def _from_concepts(
        self,
        document: Document,
        kept: dict[str, Entity],
        source: dict[str, str],
        dropped: Counter[str],
    ) -> tuple[list[ConceptRelation], list[Relation]]:
        """Concept relations under our labels, and for each one between its closest mentions."""
        by_concept: dict[str, list[Entity]] = {}
        for e in kept.values():
            for concept in e.concepts:
                by_concept.setdefault(concept, []).append(e)
        concepts: dict[tuple[str, str, str], ConceptRelation] = {}
        mentions: list[Relation] = []
        for c in document.concept_relations:
            ends = by_concept.get(c.head, []), by_concept.get(c.tail, [])
            pair = min(
                ((a, b) for a in ends[0] for b in ends[1] if a.id != b.id),
                key=lambda p: (_gap(*p), p[0].start, p[1].start),
                default=None,
            )
            found = pair and self._direction(
                c.type, (pair[0].id, source[pair[0].id]), (pair[1].id, source[pair[1].id])
            )
            if not found or not pair:
                dropped[f"relation {c.type}"] += 1
                continue
            head, tail, name = found
            ordered = (c.head, c.tail) if head == pair[0].id else (c.tail, c.head)
            concepts[*ordered, name] = ConceptRelation(head=ordered[0], tail=ordered[1], type=name)
            mentions.append(Relation(head=head, tail=tail, type=name, origin="concept"))
        return list(concepts.values()), mentions


class Corpus(LabelMap):
    """A corpus: where its files are, in which format, under which licence, and what its labels mean.

    `labels` is the name of the schema that they are put in terms of: the default one or one of
    core/schemas. `held_out` names documents that no split gives: passages of them are labelled anew,
    to score on.
    """

    title: str
    licence: str
    format: str
    labels: str = "clinical"
    splits: dict[str, Split]
    held_out: tuple[str, ...] = ()

    def there(self, folder: Path, split: str) -> bool:
        """Whether a folder of corpora has this split."""
        return split in self.splits and (folder / self.splits[split].path).exists()

    def read(self, folder: Path, split: str, dropped: Counter[str]) -> Iterator[Document]:
        """Documents of one split under our labels, their ids prefixed with the corpus's name.

        Raises ChartmarkError if the folder lacks the corpus or a file is broken. What our schema
        has no place for is counted in `dropped`.
        """
        if split not in self.splits:
            raise ChartmarkError(
                f"{self.name} has no split {split!r}: choose from {', '.join(self.splits)}"
            )
        part = self.splits[split]
        path = folder / part.path
        if not path.exists():
            raise ChartmarkError(f"the corpus {self.name} is not in {folder}: {path} is missing")
        low, high = part.share
        for document in registry.read(self.format, path, dropped):
            if document.id in self.held_out:
                dropped["held out"] += 1
            elif low <= position(document.meta.get("group", document.id)) < high:
                yield self.translate(document, dropped)

    def texts(self, folder: Path) -> dict[str, str]:
        """The texts of all documents that the folder has of this corpus, by id."""
        paths = {folder / s.path for s in self.splits.values()}
        found = (d for p in paths if p.exists() for d in registry.read(self.format, p, Counter()))
        return {d.id: d.text for d in found}


def _gap(a: Entity, b: Entity) -> int:
    return max(a.start - b.end, b.start - a.end, 0)


def position(name: str) -> float:
    """Where a name falls in [0, 1), evenly and for ever: its SHA-256 as a fraction."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48


@cache
def corpora() -> dict[str, Corpus]:
    """Every corpus that has a map, by name."""
    return {p.stem: Corpus(name=p.stem, **_map(p)) for p in sorted(MAPS.glob("*.yaml"))}


def load(name: str) -> LabelMap:
    """The map of a corpus by its name, or of a YAML file by its path.

    Raises ChartmarkError if there is none, or it is not one.
    """
    if name in corpora():
        return corpora()[name]
    path = Path(name)
    if not path.is_file():
        raise ChartmarkError(f"no map {name!r}: give a file, or one of {', '.join(corpora())}")
    try:
        return LabelMap(**_map(path))
    except ValidationError as error:
        raise ChartmarkError(f"{path}: {explain(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError):
        raise ChartmarkError(f'{path}: not a label map (docs/data.md, "Label maps")') from None


def _map(path: Path) -> dict[str, Any]:
    """A map as its file has it, shorter forms written out."""
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw["entities"] = {k: [v] if isinstance(v, str) else v for k, v in raw["entities"].items()}
    if isinstance(raw.get("relations"), dict):
        raw["relations"] = [{"source": k, "type": v} for k, v in raw["relations"].items()]
    if sought := raw.pop("annotated", None):
        pairs = [
            RelationSought(type=r["type"], head=h, tail=t)
            for r in sought.get("relations", [])
            for h in r["head"]
            for t in r["tail"]
        ]
        raw["annotated"] = Annotated(
            entities=tuple(sought.get("entities", [])),
            relations=tuple(pairs),
            attributes=tuple(sought.get("attributes", [])),
        )
    return raw
