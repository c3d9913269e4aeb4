"""PubTator: title and abstract lines, tab-separated mentions, relations between concepts.

https://www.ncbi.nlm.nih.gov/research/pubtator3/tutorial. Offsets count from the title, with one
character between title and abstract. Relations are between concepts and stay so.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.document import ConceptRelation, Document, Entity
from core.errors import ChartmarkError
from core.files import read_text


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Documents in file order. Raises ChartmarkError with file and line at a broken record."""
    block: list[tuple[int, str]] = []
    for number, raw in enumerate([*read_text(path).split("\n"), ""], start=1):
        line = raw.rstrip("\r")
        if line.strip():
            block.append((number, line))
        elif block:
            yield _document(block, str(path), dropped)
            block = []


def _document(block: list[tuple[int, str]], path: str, dropped: Counter[str]) -> Document:
    first, title = block[0]
    name, mark, text = [*title.split("|", 2), "", ""][:3]
    abstract = block[1][1].split("|", 2) if len(block) > 1 else []
    if mark != "t" or len(abstract) != 3 or abstract[1] != "a":
        raise ChartmarkError(f"{path}, line {first}: expected 'ID|t|title' and then 'ID|a|abstract'")
    text = f"{text} {abstract[2]}"
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
            relations.append(ConceptRelation(head=fields[2], tail=fields[3], type=fields[1]))
        else:
            raise ChartmarkError(f"{at}: neither a mention (5 fields or more) nor a relation (4)")
    return Document(
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
        concepts=tuple(c.strip() for c in concepts if c.strip() not in ("", "-1", "-")),
    )
