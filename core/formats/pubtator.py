"""PubTator: title and abstract lines, tab-separated mentions, relations between concepts.

https://www.ncbi.nlm.nih.gov/research/pubtator3/tutorial. Offsets count from the title, with one
character between title and abstract. Relations are between concepts and stay so.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.document import ConceptRelation, Document, Entity
from core.errors import ChartmarkError
from core.files import atomic, read_lines
from core.formats.format import Format, document, fitted

_HOLDS = frozenset({"overlaps", "concepts", "concept_relations"})
_FIRST = re.compile(rb"\A(\xef\xbb\xbf)?\s*[^\s|]+\|t\|")


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Documents in file order. Raises ChartmarkError with file and line at a broken record."""
    block: list[tuple[int, str]] = []
    for number, line in read_lines(path):
        if line.strip():
            block.append((number, line))
        elif block:
            yield _document(block, str(path), dropped)
            block = []
    if block:
        yield _document(block, str(path), dropped)


def _document(block: list[tuple[int, str]], path: str, dropped: Counter[str]) -> Document:
    first, title = block[0]
    name, mark, text = [*title.split("|", 2), "", ""][:3]
    abstract = block[1][1].split("|", 2) if len(block) > 1 else []
    if mark != "t" or len(abstract) != 3 or abstract[1] != "a":
        raise ChartmarkError(f"{path}, line {first}: expected 'ID|t|title' and then 'ID|a|abstract'")
    text = f"{text} {abstract[2]}" if abstract[2] else text
    entities: list[Entity] = []
    relations: list[ConceptRelation] = []
    for number, line in block[2:]:
        fields = line.split("\t")
        at = f"{path}, line {number}"
        if len(fields) >= 5 and fields[1].isdecimal() and fields[2].isdecimal():
            entity = _mention(f"T{len(entities) + 1}", fields, text, at)
            if text[entity.start : entity.end] != fields[3]:
                # NCBI Disease has one such line: a mention that can't be placed is not one.
                dropped["mention whose text differs from its offsets"] += 1
            elif (entity.start, entity.end, entity.type) in {
                (e.start, e.end, e.type) for e in entities
            }:
                dropped["repeated mention"] += 1
            else:
                entities.append(entity)
        elif len(fields) >= 4:
            if len(fields) > 4:
                dropped["further field of a relation"] += len(fields) - 4
            relations.append(ConceptRelation(head=fields[2], tail=fields[3], type=fields[1]))
        else:
            raise ChartmarkError(f"{at}: neither a mention (5 fields or more) nor a relation (4)")
    return document(
        f"{path}, line {first}",
        id=name,
        text=text,
        entities=tuple(entities),
        relations=(),
        concept_relations=tuple(relations),
    )


def _mention(key: str, fields: list[str], text: str, at: str) -> Entity:
    start, end = int(fields[1]), int(fields[2])
    if not start < end <= len(text):
        raise ChartmarkError(f"{at}: {start} {end} is empty or outside the text")
    # Several concepts for one mention are parted by | (BC5CDR), + (NCBI) or , (BioRED).
    concepts = fields[5].replace("|", ",").replace("+", ",").split(",") if len(fields) > 5 else []
    return Entity(
        id=key,
        start=start,
        end=end,
        type=fields[4],
        concepts=tuple(dict.fromkeys(c.strip() for c in concepts if c.strip() not in ("", "-1", "-"))),
    )


def write(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """One block for each document. A line break or tab in a text becomes a blank, and is counted."""
    with atomic(path) as out:
        for d in documents:
            out.write(_block(fitted(d, _HOLDS, dropped), dropped))


def _block(d: Document, dropped: Counter[str]) -> str:
    text = re.sub(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]", " ", d.text)
    dropped["line break or tab in a text, made a blank"] += text != d.text
    # Where the title ends is not said: the first line, else the first sentence, else the first word.
    found = re.search(r"[\r\n]", d.text) or re.search(r"(?<=[.!?]) ", text) or re.search(" ", text)
    # A text that ends there would lose its last blank: then it is all title.
    cut = found.start() if found and found.end() < len(text) else len(text)

    def field(value: str, signs: str = "") -> str:
        clean = re.sub(rf"[\s|{signs}]", "_", value)
        dropped["sign in an id or label, made a _"] += clean != value
        return clean

    name = field(d.id)
    lines = [f"{name}|t|{text[:cut]}", f"{name}|a|{text[cut + 1 :]}"]
    once = {(e.start, e.end, e.type): e for e in reversed(d.entities)}
    dropped["repeated mention"] += len(d.entities) - len(once)
    for e in (e for e in d.entities if once[e.start, e.end, e.type] is e):
        concepts = ",".join(field(c, "+,") for c in e.concepts) or "-1"
        place = f"{name}\t{e.start}\t{e.end}\t{text[e.start : e.end]}"
        lines.append(f"{place}\t{field(e.type)}\t{concepts}")
    lines += [
        f"{name}\t{field(r.type)}\t{field(r.head, '+,')}\t{field(r.tail, '+,')}"
        for r in d.concept_relations
    ]
    return "\n".join(lines) + "\n\n"


FORMAT = Format(
    name="pubtator",
    title="PubTator",
    recognises=lambda _, head: bool(_FIRST.match(head)),
    read=read,
    write=write,
    holds=_HOLDS,
    suffix=".PubTator.txt",
)
