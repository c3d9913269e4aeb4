"""doccano's JSON Lines, with relations (`entities`, `relations`) or without (`label`).

Offsets count code points: doccano's server is Python.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.document import Document, Entity, Relation, to_json
from core.errors import ChartmarkError
from core.files import atomic, read_lines
from core.formats.format import Format, document, fitted

_HOLDS = frozenset({"overlaps", "relations", "meta"})
_OWN = {"id", "text", "data", "entities", "relations", "label", "labels", "Comments", "document_id"}


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    for number, line in read_lines(path):
        if line.strip():
            where = f"{path}, line {number}"
            try:
                yield _document(json.loads(line), path.stem, number, where, dropped)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ChartmarkError(
                    f"{where}: not a doccano record ({type(error).__name__})"
                ) from None


def _document(
    record: dict[str, Any], stem: str, number: int, where: str, dropped: Counter[str]
) -> Document:
    text = record["text"] if "text" in record else record["data"]
    spans = [
        (str(e["id"]), e["start_offset"], e["end_offset"], e["label"])
        for e in record.get("entities", [])
    ]
    plain = record.get("label") or record.get("labels") or []
    spans += [(f"T{n}", *span) for n, span in enumerate(plain, start=1)]
    dropped["comment"] += len(record.get("Comments") or [])
    relations: dict[tuple[str, str, str], Relation] = {}
    for r in record.get("relations", []):
        head, tail, kind = str(r["from_id"]), str(r["to_id"]), r["type"]
        if head == tail or (head, tail, kind) in relations:
            dropped["relation of a mention with itself, or given twice"] += 1
        else:
            relations[head, tail, kind] = Relation(head=head, tail=tail, type=kind)
    return document(
        where,
        id=str(record.get("document_id") or f"{stem}-{record.get('id', number)}"),
        text=text,
        entities=tuple(Entity(id=n, start=s, end=e, type=t) for n, s, e, t in spans),
        relations=tuple(relations.values()),
        meta={k: v for k, v in record.items() if k not in _OWN},
    )


def write(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """Ids become numbers, as doccano wants them; a document's own stands in `document_id`."""
    with atomic(path) as out:
        count = 0
        for n, d in enumerate(documents, start=1):
            d = fitted(d, _HOLDS, dropped)
            numbers = {e.id: count + i for i, e in enumerate(d.entities, start=1)}
            count += len(numbers)
            plain = json.loads(to_json(d)).get("meta", {})
            taken = {k: v for k, v in plain.items() if k not in _OWN}
            dropped["metadata under a name that doccano needs"] += len(plain) - len(taken)
            record = {
                **taken,
                "id": n,
                "document_id": d.id,
                "text": d.text,
                "entities": [
                    {"id": numbers[e.id], "label": e.type, "start_offset": e.start, "end_offset": e.end}
                    for e in d.entities
                ],
                "relations": [
                    {"id": i, "from_id": numbers[r.head], "to_id": numbers[r.tail], "type": r.type}
                    for i, r in enumerate(d.relations, start=1)
                ],
                "Comments": [],
            }
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


def _recognises(_: Path, head: bytes) -> bool:
    line = head.lstrip().partition(b"\n")[0]
    return line.startswith(b"{") and any(
        key in line for key in (b'"start_offset"', b'"label":', b'"labels":', b'"Comments"')
    )


FORMAT = Format(
    name="doccano",
    title="doccano JSON Lines",
    recognises=_recognises,
    read=read,
    write=write,
    holds=_HOLDS,
    suffix=".doccano.jsonl",
)
