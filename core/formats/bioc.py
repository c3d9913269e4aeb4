"""BioC XML and BioC JSON (Comeau et al. 2013): the same tree in two notations.

Passages stand at their offsets in the text; what lies between them is blank. Annotations of passages
and of sentences are mentions, locations their parts. A relation of two annotations is one between
mentions; one whose infons name `entity1` and `entity2` is between concepts (as BioRED writes it).

The package `bioc` was tried and left: it reads JSON only whole, fails on files that are not BioC with
errors of Python's own, and names no line. lxml and ijson, which it or its like stand on, do not.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import ijson
from lxml import etree

from core.document import ConceptRelation, Document, Entity, Relation
from core.errors import ChartmarkError
from core.files import atomic, open_bytes
from core.formats.format import PARTS, document, fitted, looked_for, plain

HOLDS = PARTS - {"unknown keys"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Documents in file order, one in memory at a time. Entities of a DTD are not followed."""
    with open_bytes(path) as file:
        try:
            found = False
            for _, node in etree.iterparse(
                file, tag=("document", "collection"), resolve_entities=False, no_network=True
            ):
                found = True
                if node.tag == "document":
                    yield _document(_tree(node), f"{path}, line {node.sourceline}", dropped)
                    node.clear()
                    while node.getprevious() is not None:  # what was read is let go
                        del node.getparent()[0]
            if not found:
                raise ChartmarkError(f"{path}, line 1: no BioC collection")
        except etree.XMLSyntaxError as error:
            raise ChartmarkError(f"{path}, line {error.lineno or 1}: not whole XML") from None


def read_json(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Documents in file order, one in memory at a time."""
    with open_bytes(path) as file:
        number = 0
        try:
            for number, tree in enumerate(ijson.items(file, "documents.item"), start=1):
                yield _document(tree, f"{path}, document {number}", dropped)
        except (ijson.JSONError, UnicodeDecodeError):
            raise ChartmarkError(f"{path}, after document {number}: not whole JSON") from None
    if not number:
        raise ChartmarkError(f"{path}, line 1: no BioC documents")


def _tree(node: Any) -> dict[str, Any]:
    """An XML element as BioC JSON has it."""
    tree: dict[str, Any] = {"infons": {i.get("key"): i.text or "" for i in node.findall("infon")}}
    for name in ("id", "offset", "text"):
        if (child := node.find(name)) is not None:
            tree[name] = "".join(child.itertext())
    if node.get("id") is not None:
        tree["id"] = node.get("id")
    for name in ("passage", "sentence", "annotation", "relation"):
        tree[f"{name}s"] = [_tree(child) for child in node.findall(name)]
    tree["locations"] = [dict(x.attrib) for x in node.findall("location")]
    tree["nodes"] = [dict(x.attrib) for x in node.findall("node")]
    return tree


def _document(tree: Any, where: str, dropped: Counter[str]) -> Document:
    try:
        return _labels(tree, where, dropped)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ChartmarkError(f"{where}: not a BioC document ({type(error).__name__})") from None


def _labels(tree: dict[str, Any], where: str, dropped: Counter[str]) -> Document:
    blocks = [s for p in tree["passages"] for s in ([p] if p.get("text") else p.get("sentences", []))]
    text = ""
    for block in blocks:
        offset = int(block.get("offset", 0))
        if not len(text) <= offset <= len(text) + 100_000:
            raise ChartmarkError(f"{where}: the passage at {offset} overlaps the one before")
        text += " " * (offset - len(text)) + str(block.get("text") or "")
    parts = [tree, *tree["passages"], *(s for p in tree["passages"] for s in p.get("sentences", []))]
    mentions: dict[str, Entity] = {}
    for a in (a for part in parts for a in part.get("annotations", [])):
        mention = _mention(a, len(mentions), text, dropped)
        if mention and mention.id in mentions:
            raise ChartmarkError(f"{where}: the annotation id {mention.id!r} is used twice")
        if mention:
            mentions[mention.id] = mention
    relations: dict[tuple[str, str, str], Relation] = {}
    concepts: dict[tuple[str, str, str], ConceptRelation] = {}
    for r in (r for part in parts for r in part.get("relations", [])):
        infons = r.get("infons", {})
        kind = str(infons.get("type", "relation"))
        nodes = [str(n["refid"]) for n in r.get("nodes", [])]
        if {"entity1", "entity2"} <= infons.keys():
            pair = str(infons["entity1"]), str(infons["entity2"])
            concepts[(*pair, kind)] = ConceptRelation(head=pair[0], tail=pair[1], type=kind)
        elif len(nodes) == 2 and nodes[0] != nodes[1] and set(nodes) <= mentions.keys():
            relations[nodes[0], nodes[1], kind] = Relation(
                head=nodes[0],
                tail=nodes[1],
                type=kind,
                score=_score(infons),
                origin=infons.get("origin"),
            )
        else:
            dropped["relation to something else than two mentions"] += 1
    infons = dict(tree.get("infons", {}))
    annotated = looked_for(json.loads(infons.pop("annotated", "null")))
    meta = json.loads(infons.pop("meta", "{}"))
    return document(
        where,
        id=str(tree["id"]),
        text=text,
        entities=tuple(mentions.values()),
        relations=tuple(relations.values()),
        concept_relations=tuple(concepts.values()),
        annotated=annotated,
        meta={**plain(infons), **meta},
    )


def _mention(a: dict[str, Any], number: int, text: str, dropped: Counter[str]) -> Entity | None:
    places = sorted((int(x["offset"]), int(x["offset"]) + int(x["length"])) for x in a["locations"])
    if not places or any(not 0 <= s < e <= len(text) for s, e in places):
        dropped["mention outside the text"] += 1
        return None
    if any(b[0] < a[1] for a, b in pairwise(places)):
        dropped["mention whose parts overlap"] += 1
        return None
    infons = {str(k): str(v) for k, v in a.get("infons", {}).items()}
    concepts = infons.pop("identifier", "")
    types = infons.pop("types", "")
    score = _score(infons)
    infons.pop("score", None)
    return Entity(
        id=str(a.get("id") or f"T{number + 1}"),
        start=places[0][0],
        end=places[-1][1],
        type=infons.pop("type", "mention"),
        attributes=infons,
        score=score,
        concepts=tuple(c for c in concepts.split(",") if c not in ("", "-", "-1")),
        fragments=tuple(places) if len(places) > 1 else (),
        types=tuple(t for t in types.split(",") if t),
    )


def _score(infons: dict[str, Any]) -> float | None:
    return float(infons["score"]) if "score" in infons else None


def tree(d: Document, dropped: Counter[str]) -> dict[str, Any]:
    """A document as BioC JSON has it: one passage, every value of an infon a string."""
    d = fitted(d, HOLDS, dropped)
    infons: dict[str, str] = {}
    if d.meta:
        infons["meta"] = json.dumps(d.meta, ensure_ascii=False)
    if d.annotated:
        infons["annotated"] = json.dumps(d.annotated.model_dump(mode="json"), ensure_ascii=False)
    relations = [
        _relation(f"R{n}", r.type, r.score, r.origin, (r.head, r.tail))
        for n, r in enumerate(d.relations, start=1)
    ]
    relations += [
        {
            "id": f"C{n}",
            "infons": {"type": c.type, "entity1": c.head, "entity2": c.tail},
            "nodes": [],
        }
        for n, c in enumerate(d.concept_relations, start=1)
    ]
    passage = {
        "offset": 0,
        "infons": {},
        "text": d.text,
        "sentences": [],
        "annotations": [_annotation(e, d, dropped) for e in d.entities],
        "relations": relations,
    }
    return {"id": d.id, "infons": infons, "passages": [passage], "annotations": [], "relations": []}


def _annotation(e: Entity, d: Document, dropped: Counter[str]) -> dict[str, Any]:
    infons = {"type": e.type}
    for key, value in e.attributes.items():
        if key in ("type", "types", "identifier", "score"):
            dropped["attribute of a name that BioC needs"] += 1
        else:
            infons[key] = value
    dropped["comma in a concept"] += sum("," in c for c in e.concepts)
    if e.concepts:
        infons["identifier"] = ",".join(e.concepts)
    if e.types:
        infons["types"] = ",".join(e.types)
    if e.score is not None:
        infons["score"] = repr(e.score)
    places = e.fragments or ((e.start, e.end),)
    return {
        "id": e.id,
        "infons": infons,
        "text": d.mention(e),
        "locations": [{"offset": a, "length": b - a} for a, b in places],
    }


def _relation(
    name: str, kind: str, score: float | None, origin: str | None, ends: tuple[str, str]
) -> dict[str, Any]:
    infons = {"type": kind}
    if score is not None:
        infons["score"] = repr(score)
    if origin is not None:
        infons["origin"] = origin
    nodes = [{"refid": end, "role": role} for end, role in zip(ends, ("head", "tail"), strict=True)]
    return {"id": name, "infons": infons, "nodes": nodes}


def write_json(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    with atomic(path) as out:
        out.write('{"source":"Chartmark","date":"","key":"","infons":{},"documents":[')
        for n, d in enumerate(documents):
            out.write(("," if n else "") + "\n" + json.dumps(tree(d, dropped), ensure_ascii=False))
        out.write("\n]}\n")


def write_xml(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """Documents whose text holds control characters, which XML has no way to write, are left out."""
    with atomic(path) as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write("<collection><source>Chartmark</source><date/><key/>\n")
        for d in documents:
            made = tree(d, dropped)
            if any(map(_NOT_XML.search, _strings(made))):
                dropped["document with control characters, left out"] += 1
                continue
            element = _element("document", made)
            out.write(etree.tostring(element, encoding="unicode").replace("\r", "&#13;") + "\n")
        out.write("</collection>\n")


def _strings(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from _strings(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _strings(value)


def _element(tag: str, part: dict[str, Any]) -> Any:
    node = etree.Element(tag)
    if tag == "document":
        etree.SubElement(node, "id").text = part["id"]
    elif "id" in part:
        node.set("id", part["id"])
    for key, value in part.get("infons", {}).items():
        etree.SubElement(node, "infon", key=key).text = value
    for place in part.get("locations", []):
        etree.SubElement(node, "location", {k: str(v) for k, v in place.items()})
    if "offset" in part:
        etree.SubElement(node, "offset").text = str(part["offset"])
    if "text" in part:
        etree.SubElement(node, "text").text = part["text"]
    for end in part.get("nodes", []):
        etree.SubElement(node, "node", end)
    for name in ("passage", "annotation", "relation"):
        node.extend(_element(name, child) for child in part.get(f"{name}s", []))
    return node
