"""From documents to what the one-pass network trains on: windows with labels, and what is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from core.document import Document, Entity
from core.extraction.network import Batch
from core.extraction.one_pass import OnePassExtractor, collate
from core.extraction.windows import Window
from core.schema import Schema


@dataclass(frozen=True, slots=True)
class Mention:
    """Words start..end (inclusive) with the types it may have and attribute values (-1: unknown)."""

    start: int
    end: int
    types: tuple[int, ...]
    attributes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A window with its labels.

    `known` lists the entity types looked for. A pair (head, tail) of mentions is in `pairs` with a
    value a relation type: 1 stated, 0 not stated, -1 unknown or not allowed.
    """

    window: Window
    known: tuple[int, ...]
    mentions: tuple[Mention, ...]
    pairs: tuple[tuple[int, int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Labels:
    """A batch's labels: spans (mention, type candidates), attributes, pairs.

    `known` (B, C + 1) is true for the types looked for, and for class 0, no mention. `candidates`
    (M, C + 1) is true for the types a mention may have. `attributes` (M, A) and `values` (P, R)
    hold -1 for unknown.
    """

    known: Tensor
    window: Tensor
    start: Tensor
    end: Tensor
    candidates: Tensor
    attributes: Tensor
    head: Tensor
    tail: Tensor
    values: Tensor

    def to(self, device: torch.device) -> "Labels":
        return Labels(*(getattr(self, f).to(device) for f in self.__slots__))


def examples(document: Document, reader: OnePassExtractor) -> list[Example]:
    """The windows of a document as the reader would see them, each with its labels.

    Mentions that don't begin and end at words are stretched to them; what lies outside a window,
    or is longer than the network's longest span, has no place in it.
    """
    schema = reader.schema
    return [
        _example(document, window, schema, reader.network.heads.max_width)
        for window in reader.split(document.text)
    ]


def _example(document: Document, window: Window, schema: Schema, max_width: int) -> Example:
    sought = document.annotated
    types = {name: i for i, name in enumerate(schema.entity_names)}
    known = schema.entity_names if sought is None else sought.entities
    mentions: list[Mention] = []
    sources: list[Entity] = []
    placed: set[tuple[int, int]] = set()
    for e in document.entities:
        start, end = window.words(e.start, e.end)
        if not start <= end < start + max_width or (start, end) in placed:
            continue
        placed.add((start, end))
        sources.append(e)
        mentions.append(
            Mention(
                start, end, tuple(types[t] for t in e.types or (e.type,)), _values(e, document, schema)
            )
        )
    return Example(
        window=window,
        known=tuple(types[t] for t in known),
        mentions=tuple(mentions),
        pairs=tuple(_pairs(document, sources, schema)),
    )


def _values(e: Entity, document: Document, schema: Schema) -> tuple[int, ...]:
    looked = document.annotated
    return tuple(
        a.values.index(e.attributes.get(a.name, a.default))
        if looked is None or a.name in looked.attributes or a.name in e.attributes
        else -1
        for a in schema.attributes
    )


def _pairs(
    document: Document, mentions: Sequence[Entity], schema: Schema
) -> list[tuple[int, int, tuple[int, ...]]]:
    stated = {(r.head, r.tail, r.type) for r in document.relations}
    stated |= {(r.tail, r.head, r.type) for r in document.relations if r.type in schema.symmetric}
    concepts = {(r.head, r.tail, r.type) for r in document.concept_relations}
    concepts |= {
        (r.tail, r.head, r.type) for r in document.concept_relations if r.type in schema.symmetric
    }
    looked = document.annotated
    sought = None if looked is None else {(r.type, r.head, r.tail) for r in looked.relations}

    @cache
    def asked(heads: tuple[str, ...], tails: tuple[str, ...]) -> tuple[bool, ...]:
        """Of each relation type, whether it was looked for between mentions of these types."""
        return tuple(
            any(
                name in schema.allowed(h, t) and (sought is None or (name, h, t) in sought)
                for h in heads
                for t in tails
            )
            for name in schema.relation_names
        )

    kinds = [e.types or (e.type,) for e in mentions]
    linked = {pair[:2] for pair in stated}
    found = []
    for i, head in enumerate(mentions):
        for j, tail in enumerate(mentions):
            open_to = asked(kinds[i], kinds[j])
            if i == j or not (any(open_to) or (head.id, tail.id) in linked):
                continue
            values = []
            for name, known in zip(schema.relation_names, open_to, strict=True):
                if (head.id, tail.id, name) in stated:
                    values.append(1)
                elif not known or any(
                    (a, b, name) in concepts for a in head.concepts for b in tail.concepts
                ):
                    values.append(-1)
                else:
                    values.append(0)
            if max(values, default=-1) >= 0:
                found.append((i, j, tuple(values)))
    return found


def batch(items: Sequence[Example], schema: Schema, pad: int | None) -> tuple[Batch, Labels]:
    """Windows padded side by side, and their labels with places in the batch."""
    classes = len(schema.entities) + 1
    known = torch.zeros(len(items), classes, dtype=torch.bool)
    known[:, 0] = True
    flat = [(b, m) for b, item in enumerate(items) for m in item.mentions]
    candidates = torch.zeros(len(flat), classes, dtype=torch.bool)
    for row, (_, m) in enumerate(flat):
        candidates[row, [t + 1 for t in m.types]] = True
    heads, tails, values = [], [], []
    base = 0
    for b, item in enumerate(items):
        known[b, [t + 1 for t in item.known]] = True
        for head, tail, value in item.pairs:
            heads.append(base + head)
            tails.append(base + tail)
            values.append(value)
        base += len(item.mentions)

    def column(numbers: Sequence[int]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.long)

    return collate([item.window for item in items], pad), Labels(
        known=known,
        window=column([b for b, _ in flat]),
        start=column([m.start for _, m in flat]),
        end=column([m.end for _, m in flat]),
        candidates=candidates,
        attributes=torch.tensor([m.attributes for _, m in flat], dtype=torch.long).reshape(
            len(flat), len(schema.attributes)
        ),
        head=column(heads),
        tail=column(tails),
        values=torch.tensor(values, dtype=torch.long).reshape(len(values), len(schema.relations)),
    )
