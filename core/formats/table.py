"""Tables: CSV, TSV or Parquet with a text column in, CSV of mentions and of relations out."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet

from core.document import Document
from core.errors import ChartmarkError
from core.files import atomic, open_bytes
from core.formats.format import UNLABELLED, Format, document, fitted

_TEXT, _ID = ("text", "note", "note_text", "report", "body"), ("id", "note_id", "doc_id", "document_id")
# Whose notes must not be divided between splits.
_PATIENT = ("group", "meta.group", "patient", "patient_id", "subject_id", "mrn")
_CHUNK = 1000
csv.field_size_limit(256 * 1024**2)  # Python's own limit is shorter than many a text
_HOLDS = frozenset({"overlaps", "attributes", "concepts", "scores", "relations"})
_MENTIONS = ("document", "id", "type", "start", "end", "text", "attributes", "concepts", "score")
_RELATIONS = ("document", "type", "head", "head_text", "tail", "tail_text", "score")


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """A document a row; columns besides id and text are its metadata."""
    number = 0
    for number, row in enumerate(_rows(path), start=1):
        columns = {k.strip().lower(): k for k in row}
        text = next((columns[c] for c in _TEXT if c in columns), None)
        name = next((columns[c] for c in _ID if c in columns), None)
        if text is None:
            raise ChartmarkError(f"{path}, row 1: no text column; call one of them 'text'")
        if not row[text]:
            dropped["row without a text"] += 1
            continue
        yield document(
            f"{path}, row {number}",
            id=row[name] if name and row[name] else f"{path.stem}-{number}",
            text=row[text],
            entities=(),
            relations=(),
            annotated=UNLABELLED,
            meta={
                "group" if k.strip().lower() in _PATIENT else k: v
                for k, v in row.items()
                if k not in (text, name) and v
            },
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows by column, every value as text, what is missing as nothing."""
    open_bytes(path).close()  # for its error
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
        while True:
            at = f"{path}, line {reader.line_num + 1}"
            try:
                row = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                raise ChartmarkError(
                    f"{at}: can't be read ({type(error).__name__}); save it as CSV in UTF-8"
                ) from None
            if row is None:
                return
            if None in row:
                raise ChartmarkError(f"{at}: more fields than the first line names; quote the texts")
            yield {str(k): v or "" for k, v in row.items()}


def _parquet(path: Path) -> Iterator[dict[str, str]]:
    try:
        for part in pyarrow.parquet.ParquetFile(path).iter_batches(_CHUNK):
            for row in part.to_pylist():
                yield {str(k): "" if v is None else str(v) for k, v in row.items()}
    except (pyarrow.ArrowException, OSError) as error:
        raise ChartmarkError(f"{path}, row 1: not whole Parquet ({type(error).__name__})") from None


def write(documents: Iterable[Document], path: Path, dropped: Counter[str]) -> None:
    """mentions.csv and relations.csv; the texts themselves are not in them."""
    with atomic(path / "mentions.csv") as m, atomic(path / "relations.csv") as r:
        mentions, relations = (csv.writer(f, lineterminator="\n") for f in (m, r))
        mentions.writerow(_MENTIONS)
        relations.writerow(_RELATIONS)
        for d in documents:
            d = fitted(d, _HOLDS, dropped)
            by_id = {e.id: e for e in d.entities}
            for e in d.entities:
                attributes = ";".join(f"{k}={v}" for k, v in e.attributes.items())
                place = [e.type, e.start, e.end, d.mention(e)]
                row = [d.id, e.id, *place, attributes, ";".join(e.concepts), e.score]
                mentions.writerow(["" if v is None else _cell(v, dropped) for v in row])
            for x in d.relations:
                ends = [x.head, d.mention(by_id[x.head]), x.tail, d.mention(by_id[x.tail])]
                row = [d.id, x.type, *ends, x.score]
                relations.writerow(["" if v is None else _cell(v, dropped) for v in row])


def _cell(value: object, dropped: Counter[str]) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        dropped["text like a formula, an apostrophe put before it"] += 1
        return f"'{value}"
    return value


FORMAT = Format(
    name="csv",
    title="CSV or Parquet with a text column; CSV of mentions and relations",
    recognises=lambda path, _: path.suffix.lower() in (".csv", ".tsv", ".parquet"),
    read=read,
    write=write,
    holds=_HOLDS,
    folder=True,
)
