"""Tables: CSV, TSV or Parquet with a text column in, CSV of mentions and of relations out."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.document import Document
from core.errors import ChartmarkError
from core.files import atomic, open_bytes
from core.formats.format import UNLABELLED, Format, document, fitted

_TEXT, _ID = ("text", "note", "note_text", "report", "body"), ("id", "note_id", "doc_id", "document_id")
_CHUNK = 1000
_HOLDS = frozenset({"overlaps", "attributes", "concepts", "scores", "relations"})
_MENTIONS = ("document", "id", "type", "start", "end", "text", "attributes", "concepts", "score")
_RELATIONS = ("document", "type", "head", "head_text", "tail", "tail_text", "score")


def read(path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """A document a row; columns besides id and text are its metadata, all as text."""
    import pandas
    import pyarrow

    number = 1
    try:
        for frame in _frames(path):
            columns = {str(c).strip().lower(): str(c) for c in frame.columns}
            text = next((columns[c] for c in _TEXT if c in columns), None)
            name = next((columns[c] for c in _ID if c in columns), None)
            if text is None:
                raise ChartmarkError(f"{path}, line 1: no text column; call one of them 'text'")
            for row in frame.to_dict("records"):
                number += 1
                if not isinstance(row[text], str) or not row[text]:
                    dropped["row without a text"] += 1
                    continue
                yield document(
                    f"{path}, row {number}",
                    id=str(row[name]) if name else f"{path.stem}-{number - 1}",
                    text=row[text],
                    entities=(),
                    relations=(),
                    annotated=UNLABELLED,
                    meta={str(k): str(v) for k, v in row.items() if k not in (text, name) and str(v)},
                )
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, pyarrow.ArrowInvalid) as error:
        first = str(error).splitlines()[0] if isinstance(error, pandas.errors.EmptyDataError) else ""
        raise ChartmarkError(
            f"{path}, after row {number}: not a whole table {first}".rstrip()
        ) from None
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        raise ChartmarkError(
            f"{path}, after row {number}: can't be read ({type(error).__name__}); save it as UTF-8"
        ) from None


def _frames(path: Path) -> Iterator[Any]:
    import pandas
    import pyarrow.parquet

    open_bytes(path).close()  # for its error
    if path.suffix == ".parquet":
        for part in pyarrow.parquet.ParquetFile(path).iter_batches(_CHUNK):
            yield part.to_pandas().astype(object)
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        yield from pandas.read_csv(
            path,
            sep=separator,
            dtype=str,
            keep_default_na=False,
            chunksize=_CHUNK,
            encoding="utf-8-sig",
        )


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
                mentions.writerow(["" if v is None else _cell(v) for v in row])
            for x in d.relations:
                ends = [x.head, d.mention(by_id[x.head]), x.tail, d.mention(by_id[x.tail])]
                row = [d.id, x.type, *ends, x.score]
                relations.writerow(["" if v is None else _cell(v) for v in row])


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection)."""
    return (
        f"'{value}"
        if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
        else value
    )


FORMAT = Format(
    name="csv",
    title="CSV or Parquet with a text column; CSV of mentions and relations",
    recognises=lambda path, _: path.suffix.lower() in (".csv", ".tsv", ".parquet"),
    read=read,
    write=write,
    holds=_HOLDS,
    folder=True,
)
