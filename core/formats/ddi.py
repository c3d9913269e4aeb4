"""DDI 2013 (Herrero-Zazo et al. 2013): XML files of sentences with drugs and interacting pairs.

Sentences are joined by line breaks. Offsets of an entity count its last character in, within its
sentence. `path` is a folder or archive of XML files.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.formats import bundle
from core.formats.format import Format, document


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for name, content in bundle.members(path, ".xml").items():
        try:
            root = etree.fromstring(content(), parser)
            yield _document(root, name, dropped)
        except etree.XMLSyntaxError as error:
            raise ChartmarkError(f"{name}, line {error.lineno or 1}: not whole XML") from None
        except (ValueError, TypeError, KeyError) as error:
            raise ChartmarkError(
                f"{name}, line 1: not a DDI document ({type(error).__name__})"
            ) from None


def _document(root: Any, name: str, dropped: Counter[str]) -> Document:
    text = ""
    entities: list[Entity] = []
    relations: dict[tuple[str, str, str], Relation] = {}
    for sentence in root.iter("sentence"):
        text += "\n" if text else ""
        base = len(text)
        text += sentence.attrib["text"]
        for e in sentence.iter("entity"):
            parts = [tuple(map(int, p.split("-"))) for p in e.attrib["charOffset"].split(";")]
            places = tuple(sorted((base + a, base + b + 1) for a, b in parts))
            entities.append(
                Entity(
                    id=e.attrib["id"],
                    start=places[0][0],
                    end=places[-1][1],
                    type=e.attrib["type"],
                    fragments=places if len(places) > 1 else (),
                )
            )
        for pair in sentence.iter("pair"):
            if pair.attrib["ddi"] != "true":
                continue
            # One pair of the corpus has no type: it interacts, in a way that is not said.
            key = pair.attrib["e1"], pair.attrib["e2"], pair.attrib.get("type", "int")
            if key[0] == key[1] or key in relations:
                dropped["relation of a mention with itself, or given twice"] += 1
            else:
                relations[key] = Relation(head=key[0], tail=key[1], type=key[2])
    return document(
        name,
        id=root.attrib["id"],
        text=text,
        entities=tuple(entities),
        relations=tuple(relations.values()),
    )


def _recognises(path: Path, _: bytes) -> bool:
    return (path.is_dir() or bundle.archive(path)) and any(
        n.endswith("_ddi.xml") for n in bundle.names(path)
    )


FORMAT = Format(name="ddi", title="DDI 2013 (XML)", recognises=_recognises, read=read)
