"""Making more of partial labels: types told by a mention's words, sentences set side by side."""

import random
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from core.document import Document, Entity, Relation
from core.files import read_text
from training.synthetic.lexicon import lexicon

_RULES = Path(__file__).with_name("ambiguous.yaml")


def resolved(document: Document) -> Document:
    """The document with ambiguous mentions given the one type that the lexicon or their words tell."""
    return document.model_copy(
        update={"entities": tuple(_resolve(document, e) for e in document.entities)}
    )


def _resolve(document: Document, e: Entity) -> Entity:
    if not e.types:
        return e
    words = document.mention(e)
    known = _known().get(words.lower())
    if known in e.types:
        return e.model_copy(update={"type": known, "types": ()})
    for types, chosen, pattern in _rules():
        if types == frozenset(e.types) and pattern.search(words):
            return e.model_copy(update={"type": chosen, "types": ()})
    return e


@cache
def _known() -> dict[str, str]:
    """The type of every name that the lexicon has."""
    return {form.lower(): n.type for n in lexicon().names for form in n.forms}


@cache
def _rules() -> list[tuple[frozenset[str], str, re.Pattern[str]]]:
    rules = yaml.safe_load(read_text(_RULES))
    return [(frozenset(r["types"]), r["type"], re.compile(r["pattern"], re.IGNORECASE)) for r in rules]


def stitched(documents: Sequence[Document], size: int, seed: int) -> list[Document]:
    """Single sentences, shuffled and joined `size` at a time into one document.

    A network that only ever sees one sentence never learns that a drug in one has nothing to do
    with a disease in another. Here no pair from two sentences is related: nothing states it.
    Half of the documents have a sentence a line, as notes often do.
    """
    chance = random.Random(seed)  # noqa: S311
    shuffled = chance.sample(documents, len(documents))
    return [
        _joined(shuffled[i : i + size], chance.choice(" \n")) for i in range(0, len(shuffled), size)
    ]


def _joined(parts: Sequence[Document], separator: str) -> Document:
    text = ""
    entities: list[Entity] = []
    relations: list[Relation] = []
    for n, d in enumerate(parts, start=1):
        entities += [e.moved(len(text)).model_copy(update={"id": f"{n}.{e.id}"}) for e in d.entities]
        relations += [
            r.model_copy(update={"head": f"{n}.{r.head}", "tail": f"{n}.{r.tail}"}) for r in d.relations
        ]
        text += d.text + separator
    return Document(
        id="+".join(d.id for d in parts),
        text=text,
        entities=tuple(entities),
        relations=tuple(relations),
        concept_relations=tuple(r for d in parts for r in d.concept_relations),
        annotated=parts[0].annotated,
        meta={"source": parts[0].meta.get("source")},
    )
