"""Notes as HTML through spaCy's displaCy: mentions in the text, relations as arcs.

displaCy escapes words and text but no labels, so every label is escaped here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from uuid import uuid4

from core.document import Document, Entity, Relation
from core.schema import Schema
from core.sentences import sentences

_MARK = (
    '<mark class="entity {look}" style="background:{bg}" title="{title}">{text}'
    '<span class="tag">{label}</span></mark>'
)
_SPAN = {
    "span": '<span class="span" style="height:{total_height}px">{text}{span_slices}'
    "{span_starts}</span>",
    "slice": '<span class="slice" style="background:{bg};top:{top_offset}px"></span>',
    "start": '<span class="start" style="top:{top_offset}px"><span class="tag" style="background:{bg}">'
    "{label}{kb_link}</span></span>",
}
# What a stacked span's tag gets of its mention's look: displaCy puts the colour into a style.
_LOOKS = {"is-negative": ";text-decoration:line-through", "is-unusual": ";outline:2px dashed", "": ""}
# Hundreds of figures make a browser slow; the table has every relation.
_MOST_FIGURES, _MOST_LISTED = 60, 100
_LONGEST_WORD = 16  # characters of what stands between two mentions of a figure


def highlighted(document: Document, schema: Schema) -> str:
    """The whole note with its mentions marked; nested and overlapping ones as stacked spans."""
    blocks = "".join(
        _stacked(document, part, start, end, schema)
        if _overlap(part)
        else _marked(document, part, start, end, schema)
        for start, end, part in _blocks(document)
    )
    return f'<div class="note" dir="auto">{blocks}</div>'


def legend(schema: Schema) -> str:
    types = "".join(
        f'<span class="key" title="{escape(e.help)}"><i style="background:{e.colour}"></i>'
        f"{escape(e.name)}</span>"
        for e in schema.entities
    )
    values = "".join(
        f'<span class="key {"struck" if v in a.negative else "dashed"}">{escape(v)}</span>'
        for a in schema.attributes
        for v in a.values
        if v != a.default
    )
    return f'<div class="legend">{types}{values}</div>'


def arcs(document: Document, schema: Schema) -> str:
    """Relations as displaCy arcs, a figure a sentence; those between sentences as a list."""
    mentions = {e.id: e for e in document.entities}
    by_sentence: dict[tuple[int, int], list[Relation]] = defaultdict(list)
    across: list[Relation] = []
    spans = list(sentences(document.text, {mentions[r.head].start for r in document.relations}))
    for r in document.relations:
        ends = mentions[r.head], mentions[r.tail]
        home = next((s for s in spans if all(s[0] <= e.start and e.end <= s[1] for e in ends)), None)
        pair = {(e.start, e.end) for e in ends}
        # A mention inside another has no place of its own in a row of words.
        if home and len(pair) == 2 and not _overlap(ends):
            by_sentence[home].append(r)
        else:
            across.append(r)
    drawn = sorted(by_sentence.items())[:_MOST_FIGURES]
    figures = "".join(
        f'<div class="arcs">{_figure(document, relations, home, schema)}</div>'
        for home, relations in drawn
    )
    rest = len(by_sentence) - len(drawn)
    more = (
        f'<p class="more">… and {rest} more sentences: see the table of relations</p>' if rest else ""
    )
    return figures + more + _listed(document, across, mentions)


def _blocks(document: Document) -> Iterator[tuple[int, int, list[Entity]]]:
    """The note cut at line ends, mentions never cut: (start, end, mentions)."""
    waiting = sorted(document.entities, key=lambda e: (e.start, -e.end))
    start, at, part = 0, 0, list[Entity]()
    for line in re.finditer(r"[^\n]*\n|[^\n]+$", document.text):
        while at < len(waiting) and waiting[at].start < line.end():
            part.append(waiting[at])
            at += 1
        if all(e.end <= line.end() for e in part):
            yield start, line.end(), part
            start, part = line.end(), []
    if start < len(document.text):
        yield start, len(document.text), part


def _overlap(mentions: Sequence[Entity]) -> bool:
    furthest = -1
    for e in sorted(mentions, key=lambda e: e.start):
        if e.start < furthest:
            return True
        furthest = max(furthest, e.end)
    return False


def _marked(document: Document, part: list[Entity], start: int, end: int, schema: Schema) -> str:
    colours = {escape(e.name): e.colour for e in schema.entities}
    ents = [
        {
            "start": e.start - start,
            "end": e.end - start,
            "label": escape(e.type),
            "params": {"look": _look(e, schema), "title": _title(e), "label": _label(e, schema)},
        }
        for e in part
    ]
    return _render(
        {"text": document.text[start:end], "ents": ents},
        "ent",
        {"colors": colours, "template": _MARK},
    )


def _stacked(document: Document, part: list[Entity], start: int, end: int, schema: Schema) -> str:
    edges = sorted({start, end, *(e.start for e in part), *(e.end for e in part)})
    place = {offset: i for i, offset in enumerate(edges)}
    # displaCy puts a blank after every token outside mentions: it goes, with the mark before it.
    mark = uuid4().hex
    tokens = [
        document.text[a:b] + ("" if any(e.start <= a < e.end for e in part) else mark)
        for a, b in pairwise(edges)
    ]
    labels = {e.id: _label(e, schema) for e in part}
    colours = {labels[e.id]: _colour(schema, e.type) + _LOOKS[_look(e, schema)] for e in part}
    spans = [
        {"start_token": place[e.start], "end_token": place[e.end], "label": labels[e.id]} for e in part
    ]
    options: dict[str, object] = {"colors": colours, "template": _SPAN}
    return _render({"text": "", "tokens": tokens, "spans": spans}, "span", options).replace(
        f"{mark} ", ""
    )


def _render(parsed: dict[str, object], style: str, options: dict[str, object]) -> str:
    from spacy import displacy  # it brings torch along, which takes seconds

    html: str = displacy.render(parsed, style=style, manual=True, jupyter=False, options=options)
    # A lone CR shows as nothing in HTML, CRLF as two line ends in a preformatted block.
    return html.replace("\r<br>", "<br>").replace("\r", "<br>")


def _figure(
    document: Document, relations: list[Relation], home: tuple[int, int], schema: Schema
) -> str:
    """One sentence's arcs. displaCy gives every word the width of the longest, so what stands
    between two mentions is one shortened word."""
    mentions = {e.id: e for e in document.entities}
    used = {name for r in relations for name in (r.head, r.tail)}
    words: list[dict[str, str]] = []
    place: dict[str, int] = {}
    at = home[0]
    chosen = sorted((mentions[name] for name in used), key=lambda e: (e.start, e.end))
    for e in chosen:
        words += _between(document.text[at : e.start], opening=e is chosen[0])
        place[e.id] = len(words)
        words.append({"text": _cut(document.mention(e)), "tag": _label(e, schema)})
        at = max(at, e.end)
    lines = [
        {
            "start": min(place[r.head], place[r.tail]),
            "end": max(place[r.head], place[r.tail]),
            "label": escape(r.type),
            "dir": "right" if place[r.head] < place[r.tail] else "left",
        }
        for r in relations
    ]
    distance = max(90, max(len(w["text"]) for w in words) * 8 + 26)
    options: dict[str, object] = {
        "distance": distance,
        "offset_x": distance // 2 + 10,
        "word_spacing": 34,
        "arrow_spacing": 14,
        "bg": "transparent",
        "color": "var(--body-text-color)",
        "font": "inherit",
    }
    return _fitted(_render({"words": words, "arcs": lines}, "dep", options))


def _between(text: str, *, opening: bool) -> list[dict[str, str]]:
    """What stands before a mention as one word: whole if short, its ends if long, its last words
    before the first mention."""
    words = text.strip(" \t\r\n.,;:").split()
    if not words:
        return []
    short = " ".join(words)
    if len(short) > _LONGEST_WORD:
        tail = " ".join(words[-2:]) if opening else f"{words[0]} … {words[-1]}"
        short = f"… {tail}" if opening else tail
    return [{"text": _cut(short), "tag": ""}]


def _cut(word: str) -> str:
    word = " ".join(word.split())
    return word if len(word) <= 2 * _LONGEST_WORD else word[: 2 * _LONGEST_WORD - 1] + "…"


_SIZE = re.compile(
    r'width="(\d+)" height="([\d.]+)" direction="\w+" style="max-width: none; height: [\d.]+px;'
)


def _fitted(svg: str) -> str:
    """displaCy's fixed size as a view box, so that a figure shrinks with the page, to a point."""

    def fit(match: re.Match[str]) -> str:
        width, height = int(match[1]), match[2]
        return (
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'style="display: block; width: 100%; max-width: {width}px; '
            f"min-width: {width * 3 // 5}px; height: auto;"
        )

    return _SIZE.sub(fit, svg)


def _listed(document: Document, relations: list[Relation], mentions: dict[str, Entity]) -> str:
    if not relations:
        return ""
    rows = "".join(
        f"<li><b>{escape(document.mention(mentions[r.head]))}</b> {escape(r.type)} "
        f"<b>{escape(document.mention(mentions[r.tail]))}</b></li>"
        for r in relations[:_MOST_LISTED]
    )
    rest = len(relations) - _MOST_LISTED
    more = f"<p>… and {rest} more: see the table of relations</p>" if rest > 0 else ""
    return f'<div class="across"><p>Between sentences, or nested:</p><ul>{rows}</ul>{more}</div>'


def _label(e: Entity, schema: Schema) -> str:
    """The type, and every attribute value that is not the default."""
    defaults = {a.default for a in schema.attributes}
    return escape(" · ".join([e.type, *(v for v in e.attributes.values() if v not in defaults)]))


def _look(e: Entity, schema: Schema) -> str:
    """What should be seen without reading: negative mentions are struck, unusual ones dashed."""
    values = {(a.name, e.attributes.get(a.name, a.default)) for a in schema.attributes}
    if any((a.name, v) in values for a in schema.attributes for v in a.negative):
        return "is-negative"
    return "" if all((a.name, a.default) in values for a in schema.attributes) else "is-unusual"


def _title(e: Entity) -> str:
    score = [] if e.score is None else [f"score {e.score:.2f}"]
    return escape(", ".join([e.type, *e.attributes.values(), *score]))


def _colour(schema: Schema, name: str) -> str:
    return next((e.colour for e in schema.entities if e.name == name), "#dddddd")
