"""spaCy's DocBin: mentions as the span group "sc" and, the longest of those that overlap, as
`doc.ents`; relations and the rest as the extensions `doc._.relations` and `doc._.chartmark`.

A DocBin is one block of bytes and is read whole.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.document import ConceptRelation, Document, Entity, Relation
from core.errors import ChartmarkError
from core.files import open_bytes
from core.formats.format import PARTS, Format, document, fitted, looked_for

_HOLDS = PARTS - {"fragments", "unknown keys"}
_GROUP = "sc"  # spaCy's own name for spans that may overlap
_LARGEST = 512 * 1024**2


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """Documents in file order."""
    import spacy
    from spacy.tokens import DocBin

    _extensions()
    with open_bytes(path) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ChartmarkError(f"{path} is larger than {_LARGEST // 1024**2} MiB; split it")
    try:
        docs = list(DocBin(store_user_data=True).from_bytes(data).get_docs(spacy.blank("xx").vocab))
    except Exception as error:
        # spaCy, srsly and zlib have dozens of errors for bytes that are no DocBin.
        raise ChartmarkError(f"{path}, line 1: not a DocBin ({type(error).__name__})") from None
    for number, doc in enumerate(docs, start=1):
        where = f"{path}, document {number}"
        try:
            yield _document(doc, number, where, dropped)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise ChartmarkError(f"{where}: not labels ({type(error).__name__})") from None


def _document(doc: Any, number: int, where: str, dropped: Counter[str]) -> Document:
    more = json.loads(doc._.chartmark or "{}")
    groups = [g for name, g in doc.spans.items() if name != _GROUP]
    spans = list(doc.spans.get(_GROUP, [])) or [s for group in groups for s in group]
    if doc.spans.get(_GROUP):
        dropped[f"span of another group than {_GROUP}"] += sum(map(len, groups))
    # A matcher's spans have their pattern's id, the same for many.
    named = len({s.id_ for s in spans}) == len(spans)
    known = {(s.start_char, s.end_char, s.label_) for s in spans}
    spans += [e for e in doc.ents if (e.start_char, e.end_char, e.label_) not in known]
    kept = more.get("mentions", {})
    entities = []
    for n, span in enumerate(spans, start=1):
        key = (named and span.id_) or f"T{n}"
        own = kept.get(key, {})
        if span.kb_id_ and not own.get("concepts"):
            own = {**own, "concepts": [span.kb_id_]}
        if not span.label_:
            dropped["span without a label"] += 1
            continue
        entities.append(
            Entity.model_validate(
                {"id": key, "start": span.start_char, "end": span.end_char, "type": span.label_, **own},
                strict=False,
            )
        )
    return document(
        where,
        id=str(more.get("id", f"{number}")),
        text=doc.text,
        entities=tuple(entities),
        relations=tuple(Relation.model_validate(r) for r in doc._.relations or []),
        concept_relations=tuple(
            ConceptRelation.model_validate(r) for r in more.get("concept_relations", [])
        ),
        annotated=looked_for(more.get("annotated")),
        meta=more.get("meta", {}),
    )


def write(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """Tokens end where mentions begin and end, so that every mention is exact."""
    import spacy
    from spacy.tokens import DocBin

    _extensions()
    vocab = spacy.blank("xx").vocab
    made = DocBin(store_user_data=True)
    for d in documents:
        made.add(_doc(fitted(d, _HOLDS, dropped), vocab))
    data = made.to_bytes()
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ChartmarkError(f"can't write {path}: {error.strerror}; choose another place") from None


def _doc(d: Document, vocab: Any) -> Any:
    from spacy.tokens import Doc, Span
    from spacy.util import filter_spans

    words, spaces, places = _tokens(d)
    doc = Doc(vocab, words=words, spaces=spaces)
    starts = {start: i for i, (start, _) in enumerate(places)}
    ends = {end: i + 1 for i, (_, end) in enumerate(places)}
    spans = [Span(doc, starts[e.start], ends[e.end], label=e.type, span_id=e.id) for e in d.entities]
    doc.spans[_GROUP] = spans
    doc.set_ents(filter_spans([Span(doc, s.start, s.end, label=s.label_) for s in spans]))
    doc._.relations = [r.model_dump(mode="json", exclude_defaults=True) for r in d.relations]
    plain = d.model_dump(mode="json", exclude_defaults=True, exclude={"text", "entities", "relations"})
    plain["mentions"] = {
        e.id: own
        for e in d.entities
        if (
            own := e.model_dump(
                mode="json", exclude_defaults=True, exclude={"id", "start", "end", "type"}
            )
        )
    }
    doc._.chartmark = json.dumps(plain, ensure_ascii=False)
    return doc


def _tokens(d: Document) -> tuple[list[str], list[bool], list[tuple[int, int]]]:
    """Words, whether a blank follows each, and their offsets: runs of letters, of blanks, of signs."""
    starts, ends = {e.start for e in d.entities}, {e.end for e in d.entities}
    edges = {0, len(d.text), *starts, *ends}
    edges |= {i for i in range(1, len(d.text)) if _kind(d.text[i]) != _kind(d.text[i - 1])}
    words: list[str] = []
    spaces: list[bool] = []
    places: list[tuple[int, int]] = []
    for low, high in pairwise(sorted(edges)):
        # A single blank belongs to the word before it, unless a mention begins or ends with it.
        if (
            d.text[low:high] == " "
            and words
            and not spaces[-1]
            and low not in starts
            and high not in ends
        ):
            spaces[-1] = True
        else:
            words.append(d.text[low:high])
            spaces.append(False)
            places.append((low, high))
    return words, spaces, places


def _kind(sign: str) -> int:
    return 0 if sign.isspace() else 1 if sign.isalnum() else 2


def _extensions() -> None:
    from spacy.tokens import Doc

    for name in ("relations", "chartmark"):
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)


FORMAT = Format(
    name="docbin",
    title="spaCy DocBin",
    recognises=lambda path, _: path.suffix == ".spacy",
    read=read,
    write=write,
    holds=_HOLDS,
    suffix=".spacy",
)
