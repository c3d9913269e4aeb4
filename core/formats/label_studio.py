"""Label Studio's JSON: tasks with labelled regions, relations, and choices that belong to a region.

A task's annotation is read, else, with its scores, its prediction. Label Studio counted UTF-16 units
up to 1.4 and code points since (HumanSignal/label-studio-frontend#308); a region's own text tells
which.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import ijson

from core.document import Document, Entity, Relation, to_json
from core.errors import ChartmarkError
from core.files import atomic, open_bytes
from core.formats.format import UNLABELLED, Format, document, fitted, plain

_HOLDS = frozenset({"overlaps", "attributes", "relations", "scores", "meta"})


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Tasks in file order, one in memory at a time."""
    number = 0
    with open_bytes(path) as file:
        try:
            for number, task in enumerate(ijson.items(file, "item"), start=1):
                where = f"{path}, task {number}"
                try:
                    yield _document(task, path.stem, where, dropped)
                except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                    raise ChartmarkError(
                        f"{where}: not a task of text ({type(error).__name__})"
                    ) from None
        except (ijson.JSONError, UnicodeDecodeError):
            raise ChartmarkError(f"{path}, after task {number}: not whole JSON") from None
    if not number:
        raise ChartmarkError(f"{path}, line 1: no list of tasks")


def _document(task: dict[str, Any], stem: str, where: str, dropped: Counter[str]) -> Document:
    data = dict(task["data"])
    text = data.pop("text")
    done = [a for a in task.get("annotations") or [] if not a.get("was_cancelled")]
    predicted = task.get("predictions") or []
    dropped["further annotation of a task"] += max(len(done) - 1, 0)
    dropped["prediction beside an annotation, or beside another"] += len(predicted) - (
        bool(predicted) and not done
    )
    dropped["draft"] += len(task.get("drafts") or [])
    chosen = (done or predicted or [{"result": []}])[0]
    # What a model said has scores here: its region's, else the whole prediction's.
    overall = None if done else chosen.get("score")
    mentions: dict[str, Entity] = {}
    relations: dict[tuple[str, str, str], Relation] = {}
    choices: list[tuple[str, str, list[str]]] = []
    for r in chosen["result"]:
        value = r.get("value", {})
        kind = r["type"]
        if kind in ("labels", "hypertextlabels"):
            labels = value[kind]
            dropped["second label of a region"] += r["id"] in mentions
            dropped["further label of a region"] += len(labels) - 1
            start, end = _place(int(value["start"]), int(value["end"]), text, value.get("text"))
            mentions[r["id"]] = Entity(
                id=r["id"],
                start=start,
                end=end,
                type=labels[0],
                score=_number(value.get("score", r.get("score", overall))),
            )
        elif kind == "relation":
            kinds = r.get("labels") or ["related"]
            ends = (r["from_id"], r["to_id"])
            ends = ends[::-1] if r.get("direction") == "left" else ends
            dropped["second direction of a relation"] += r.get("direction") == "bi"
            for name in kinds:
                dropped["repeated relation"] += (*ends, name) in relations
                relations[(*ends, name)] = Relation(
                    head=ends[0], tail=ends[1], type=name, score=_number(r.get("score"))
                )
        elif kind == "choices":
            choices.append((r["id"], r["from_name"], value["choices"]))
        else:
            dropped[f"region of the kind {kind}"] += 1
    for name, attribute, values in choices:
        if name in mentions:
            dropped["further choice"] += len(values) - 1
            attributes = {**mentions[name].attributes, attribute: values[0]}
            mentions[name] = mentions[name].model_copy(update={"attributes": attributes})
        else:
            dropped["choice for a whole task"] += 1
    kept = {
        k: r for k, r in relations.items() if k[0] in mentions and k[1] in mentions and k[0] != k[1]
    }
    dropped["relation to something else than two mentions"] += len(relations) - len(kept)
    return document(
        where,
        id=str(data.pop("document_id", None) or f"{stem}-{task['id']}"),
        text=text,
        entities=tuple(mentions.values()),
        relations=tuple(kept.values()),
        meta={**plain(data), **_model(chosen, done, predicted)},
        annotated=None if done or predicted else UNLABELLED,
    )


def _model(chosen: dict[str, Any], done: list[Any], predicted: list[Any]) -> dict[str, str]:
    """Whose a prediction is, where its scores don't tell already that it is one: no gold."""
    if done or not predicted:
        return {}
    version = chosen.get("model_version")
    scored = "score" in chosen or any("score" in r for r in chosen["result"])
    return {} if scored and not version else {"model": str(version or "label-studio")}


def _place(start: int, end: int, text: str, words: str | None) -> tuple[int, int]:
    """Offsets in code points, whichever were meant."""
    if words is None or text[start:end] == words:
        return start, end
    units = text.encode("utf-16-le")
    try:
        low, high = (len(units[: 2 * n].decode("utf-16-le")) for n in (start, end))
    except UnicodeDecodeError:
        return start, end
    return (low, high) if text[low:high] == words else (start, end)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def write(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """A task a document; its labels are an annotation, or a prediction where they have scores."""
    with atomic(path) as out:
        out.write("[")
        for n, d in enumerate(documents, start=1):
            task = _task(fitted(d, _HOLDS, dropped), n, dropped)
            out.write((",\n" if n > 1 else "\n") + json.dumps(task, ensure_ascii=False))
        out.write("\n]\n")


def _task(d: Document, number: int, dropped: Counter[str]) -> dict[str, Any]:
    result: list[dict[str, Any]] = []
    for e in d.entities:
        region = {"id": e.id, "from_name": "label", "to_name": "text"}
        place = {"start": e.start, "end": e.end, "text": d.text[e.start : e.end]}
        scored = {} if e.score is None else {"score": e.score}
        result.append({**region, **scored, "type": "labels", "value": {**place, "labels": [e.type]}})
        result += [
            {**region, "from_name": k, "type": "choices", "value": {**place, "choices": [v]}}
            for k, v in e.attributes.items()
        ]
    for r in d.relations:
        scored = {} if r.score is None else {"score": r.score}
        result.append(
            {
                "type": "relation", "from_id": r.head, "to_id": r.tail, "direction": "right",
                "labels": [r.type], **scored,
            }
        )  # fmt: skip
    meta = json.loads(to_json(d)).get("meta", {})
    taken = {k: v for k, v in meta.items() if k not in ("text", "document_id")}
    dropped["metadata under a name that Label Studio needs"] += len(meta) - len(taken)
    data = {**taken, "document_id": d.id, "text": d.text}
    predicted = any(e.score is not None for e in d.entities)
    kind = "predictions" if predicted else "annotations"
    return {"id": number, "data": data, kind: [{"result": result}]}


def _recognises(_: Path, head: bytes) -> bool:
    return head.lstrip().startswith(b"[") and b'"data"' in head


FORMAT = Format(
    name="label-studio",
    title="Label Studio JSON",
    recognises=_recognises,
    read=read,
    write=write,
    holds=_HOLDS,
    suffix=".label-studio.json",
)
