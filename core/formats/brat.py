"""brat standoff (.txt and .ann): https://brat.nlplab.org/standoff.html

Read: T, R, A (and M), N, with discontinuous spans; an event is its trigger, with the event's
attributes; a normalisation is a concept. What has no place in a Document is counted in `dropped`.
Offsets count code points. File names are ids, percent-encoded where a file system needs it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.files import atomic, decode
from core.formats import bundle
from core.formats.format import Format, document, fitted

_MENTION = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)$")
_RELATION = re.compile(r"(\S+) \S+:(\S+) \S+:(\S+)\s*$")
_KINDS = {"*": "equivalence", "#": "note"}
_HOLDS = frozenset({"overlaps", "fragments", "attributes", "concepts", "relations"})


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """One document for each .txt that has an .ann beside it, in order of name.

    `path` is a folder, or a zip or tar archive. Raises ChartmarkError with file and line at what is
    not standoff.
    """
    files = bundle.members(path, ".txt", ".ann")
    for name in files:
        stem, _, kind = name.rpartition(".")
        if f"{stem}.{'txt' if kind == 'ann' else 'ann'}" not in files:
            dropped[f".{kind} file without its pair"] += 1
        elif kind == "txt":
            # A byte order mark is a character of the text: brat counts it.
            text, standoff = (
                decode(files[f"{stem}.{k}"](), f"{stem}.{k}", mark=k == "txt") for k in ("txt", "ann")
            )
            yield parse(unquote(PurePosixPath(stem).name), text, standoff, f"{stem}.ann", dropped)


def parse(name: str, text: str, standoff: str, where: str, dropped: Counter[str]) -> Document:
    """One document from its text and its standoff."""
    mentions: dict[str, Entity] = {}
    triggers: dict[str, str] = {}
    arcs: list[tuple[str, str, str]] = []
    attributes: dict[str, dict[str, str]] = defaultdict(dict)
    concepts: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(standoff.split("\n"), start=1):
        fields = line.rstrip("\r").split("\t")
        if not fields[0]:
            continue
        key, kind, body = fields[0], fields[0][0], fields[1] if len(fields) > 1 else ""
        at = f"{where}, line {number}"
        if kind == "T":
            if key in mentions:
                raise ChartmarkError(f"{at}: {key} is used twice")
            mentions[key] = _mention(key, body, text, at)
            words = fields[2].split() if len(fields) > 2 else []
            if words and "".join(words) != _words(text, mentions[key]):
                dropped["mention whose words differ from its offsets, kept as the offsets say"] += 1
        elif kind == "R":
            arcs.append(_arc(body, at))
        elif kind == "E":
            if not body.strip():
                raise ChartmarkError(f"{at}: an event needs a trigger")
            trigger, *roles = body.split()
            triggers[key] = trigger.partition(":")[2]
            dropped["event role"] += len(roles)
        elif kind in "AM":
            attribute, target, *value = body.split() if len(body.split()) > 1 else ("", "", "")
            if not target:
                raise ChartmarkError(f"{at}: an attribute needs a name and a target")
            attributes[target][attribute] = value[0] if value else "true"
        elif kind == "N":
            parts = body.split()
            if len(parts) < 3:
                raise ChartmarkError(f"{at}: expected 'Reference ID CONCEPT'")
            concepts[parts[1]].append(parts[2])
        elif kind in _KINDS:
            dropped[_KINDS[kind]] += 1
        else:
            raise ChartmarkError(f"{at}: {key!r} is no kind of annotation that brat has")
    for target, values in attributes.items():
        mention = mentions.get(triggers.get(target, target))
        if mention is None:
            dropped["attribute of something else than a mention"] += len(values)
        else:
            merged = {**mention.attributes, **values}
            mentions[mention.id] = mention.model_copy(update={"attributes": merged})
    for target, references in concepts.items():
        mention = mentions.get(triggers.get(target, target))
        if mention is None:
            dropped["normalisation of something else than a mention"] += len(references)
        else:
            mentions[mention.id] = mention.model_copy(update={"concepts": tuple(references)})
    return document(
        where,
        id=name,
        text=text,
        entities=tuple(mentions.values()),
        relations=tuple(_relations(arcs, triggers, mentions, dropped)),
    )


def _words(text: str, e: Entity) -> str:
    return "".join("".join(text[a:b] for a, b in e.fragments or ((e.start, e.end),)).split())


def _mention(key: str, body: str, text: str, at: str) -> Entity:
    match = _MENTION.match(body)
    if not match:
        raise ChartmarkError(f"{at}: expected 'TYPE START END'")
    parts = sorted(tuple(map(int, part.split())) for part in match[2].split(";"))
    joined: list[tuple[int, int]] = []
    for start, end in parts:
        if not 0 <= start < end <= len(text):
            raise ChartmarkError(f"{at}: {start} {end} is empty or outside the text")
        if joined and start < joined[-1][1]:
            raise ChartmarkError(f"{at}: the parts of a mention overlap")
        # brat splits a mention at a line break, which does not make it discontinuous.
        if joined and not text[joined[-1][1] : start].strip("\r\n"):
            start = joined.pop()[0]
        joined.append((start, end))
    return Entity(
        id=key,
        start=joined[0][0],
        end=joined[-1][1],
        type=match[1],
        fragments=tuple(joined) if len(joined) > 1 else (),
    )


def _arc(body: str, at: str) -> tuple[str, str, str]:
    match = _RELATION.match(body)
    if not match:
        raise ChartmarkError(f"{at}: expected 'TYPE Arg1:ID Arg2:ID'")
    return match[1], match[2], match[3]


def _relations(
    arcs: list[tuple[str, str, str]],
    triggers: dict[str, str],
    mentions: dict[str, Entity],
    dropped: Counter[str],
) -> Iterator[Relation]:
    seen: set[tuple[str, str, str]] = set()
    for kind, head, tail in arcs:
        head, tail = triggers.get(head, head), triggers.get(tail, tail)
        if head not in mentions or tail not in mentions or head == tail:
            dropped["relation to something else than two mentions"] += 1
        elif (head, tail, kind) in seen:
            dropped["repeated relation"] += 1
        else:
            seen.add((head, tail, kind))
            yield Relation(head=head, tail=tail, type=kind)


def write(d: Document, dropped: Counter[str]) -> str:
    """The .ann of a document; its text goes unchanged into the .txt beside it.

    Mentions are numbered anew. What brat can't hold is counted in `dropped`: mentions of nothing but
    line breaks, and blanks in labels, which become underscores.
    """
    d = fitted(d, _HOLDS, dropped)
    names: dict[str, str] = {}
    lines: list[str] = []
    attributes: list[str] = []
    concepts: list[str] = []

    def label(text: str) -> str:
        whole = re.sub(r"\s+", "_", text)
        dropped["blank in a label"] += whole != text
        return whole

    for e in d.entities:
        parts = [p for a, b in e.fragments or ((e.start, e.end),) for p in _lines(d.text, a, b)]
        if not parts:
            dropped["mention of line breaks"] += 1
            continue
        name = names[e.id] = f"T{len(names) + 1}"
        spans = ";".join(f"{a} {b}" for a, b in parts)
        words = " ".join(d.text[a:b] for a, b in parts).replace("\t", " ")
        lines.append(f"{name}\t{label(e.type)} {spans}\t{words}")
        places = e.fragments or ((e.start, e.end),)
        dropped["line break at a mention's edge"] += any(
            d.text[x] in "\r\n" for a, b in places for x in (a, b - 1)
        )
        dropped["parts of a mention with nothing but a line break between, joined"] += any(
            not d.text[one[1] : other[0]].strip("\r\n") for one, other in pairwise(places)
        )
        for k, v in e.attributes.items():
            if k.strip() and v.strip():
                attributes.append(f"{label(k)} {name} {label(v)}")
            else:
                dropped["attribute without a name or value"] += 1
        concepts += [f"Reference {name} {label(c)}\t{words}" for c in e.concepts]
    lines += [f"A{n}\t{a}" for n, a in enumerate(attributes, start=1)]
    lines += [f"N{n}\t{c}" for n, c in enumerate(concepts, start=1)]
    arcs = [r for r in d.relations if r.head in names and r.tail in names]
    dropped["relation of such a mention"] += len(d.relations) - len(arcs)
    lines += [
        f"R{n}\t{label(r.type)} Arg1:{names[r.head]} Arg2:{names[r.tail]}"
        for n, r in enumerate(arcs, start=1)
    ]
    return "".join(line + "\n" for line in lines)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a span between line breaks, which brat's one-line records can't hold."""
    for match in re.finditer(r"[^\r\n]+", text[start:end]):
        yield start + match.start(), start + match.end()


def _write_folder(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    for d in documents:
        name = quote(d.id, safe=" ()+,@=")
        name = name.replace(".", "%2E", 1) if name.startswith(".") else name  # not a hidden file
        if len(name) > 240:
            raise ChartmarkError(f"the id {d.id[:40]!r}... is too long for a file's name; shorten it")
        for suffix, content in ((".txt", d.text), (".ann", write(d, dropped))):
            with atomic(path / f"{name}{suffix}") as out:
                out.write(content)


def _recognises(path: Path, _: bytes) -> bool:
    return (path.is_dir() or bundle.archive(path)) and any(
        name.endswith(".ann") for name in bundle.names(path)
    )


FORMAT = Format(
    name="brat",
    title="brat standoff (.txt and .ann)",
    recognises=_recognises,
    read=read,
    write=_write_folder,
    holds=_HOLDS,
    folder=True,
)
