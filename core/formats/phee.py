"""PHEE: drug-event sentences as JSON Lines (Sun et al., EMNLP 2022).

An event's arguments become mentions. Each of its drugs is related to the disorders that it is given
for (TREATMENT_OF) and, in an adverse event that is not negated, to the effects (CAUSE_OF).
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.files import open_bytes
from core.formats.format import Format, document


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """One document a sentence. Raises ChartmarkError with file and line at a broken record."""
    with open_bytes(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield _document(json.loads(line), f"{path}, line {number}", dropped)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                raise ChartmarkError(
                    f"{path}, line {number}: not a PHEE record ({type(error).__name__})"
                ) from None


def _document(record: dict[str, Any], where: str, dropped: Counter[str]) -> Document:
    text = record["context"]
    mentions: dict[tuple[int, int, str], Entity] = {}
    relations: dict[tuple[str, str, str], Relation] = {}

    def add(argument: dict[str, Any] | None, kind: str) -> list[str]:
        found = []
        words = [w for part in (argument or {}).get("text", []) for w in part]
        starts = [n for part in (argument or {}).get("start", []) for n in part]
        for word, start in zip(words, starts, strict=True):
            end = start + len(word)
            if text[start:end] != word:
                dropped["mention whose text differs from its offsets"] += 1
                continue
            entity = Entity(id=f"T{len(mentions) + 1}", start=start, end=end, type=kind)
            found.append(mentions.setdefault((start, end, kind), entity).id)
        return found

    for event in (e for a in record["annotations"] for e in a["events"]):
        treatment = event.get("Treatment", {})
        drugs = add(treatment.get("Drug"), "Drug")
        disorders = add(treatment.get("Disorder"), "Disorder")
        effects = add(event.get("Effect"), "Effect")
        arcs = [(head, tail, "TREATMENT_OF") for head in drugs for tail in disorders]
        if "Negated" in event:
            dropped["negated event"] += 1
        elif event["event_type"] == "Adverse_event":
            arcs += [(head, tail, "CAUSE_OF") for head in drugs for tail in effects]
        for head, tail, name in arcs:
            relations[head, tail, name] = Relation(head=head, tail=tail, type=name)
    return document(
        where,
        id=record["id"],
        text=text,
        entities=tuple(mentions.values()),
        relations=tuple(relations.values()),
        meta={"group": record["id"].partition("_")[0]},
    )


FORMAT = Format(
    name="phee",
    title="PHEE (drug events)",
    recognises=lambda _, head: b'"context"' in head and b'"annotations"' in head,
    read=read,
)
