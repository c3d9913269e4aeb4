"""Files into the store and out of it: all of a file or nothing, and what was lost counted by kind."""

import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlite_utils import Database

from core.document import Annotated, Document, parse, to_json
from core.errors import ChartmarkError
from core.formats import registry
from core.formats.mapping import LabelMap
from core.schema import Schema
from core.store import documents, predictions, revisions
from core.store.connection import Store, log
from core.store.documents import SPLITS
from core.store.revisions import IMPORTED, Save

Progress = Callable[[Iterable[Document], str], Iterable[Document]]


@dataclass(slots=True)
class Report:
    """What an import did, or would do: documents read, new, labelled anew, there already."""

    read: int = 0
    new: int = 0
    labelled: int = 0
    predicted: int = 0
    there: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.read} documents read: {self.new} new, {self.there} there already; labels of "
            f"{self.labelled} added, predictions for {self.predicted}"
        )
        yield from told(self.dropped)


def told(dropped: Counter[str]) -> Iterator[str]:
    """Losses as lines, the most frequent first."""
    for kind, count in dropped.most_common():
        if count:
            yield f"  not kept: {kind} ({count})"


def read(
    path: Path, form: str | None, labels: LabelMap | None, dropped: Counter[str]
) -> Iterator[Document]:
    """Documents of a file or folder under our labels; `form` None: the format is guessed.

    Raises ChartmarkError if there is no such format or the file is broken, when it comes to that.
    """
    if form is None:
        guessed = registry.guess(path)
        if guessed is None:
            raise ChartmarkError(f"can't tell the format of {path}; name it with --format")
        form = guessed.name
    for d in registry.read(form, path, dropped):
        yield labels.translate(d, dropped) if labels else d


def load(
    store: Store,
    path: Path,
    form: str | None,
    labels: LabelMap | None,
    split: str,
    who: str,
    *,
    dry_run: bool = False,
    progress: Progress = lambda documents, _: documents,
) -> Report:
    """Import a file: all of it, or, at the first error, nothing.

    The file is read and checked first, into a private file beside the database; only then is the
    store locked, for as long as the documents take to be written. Labels become a revision of the
    annotator "imported", labels with scores a prediction. Raises ChartmarkError.
    """
    if split and split not in SPLITS:
        raise ChartmarkError(f"no split {split!r}: choose from {', '.join(SPLITS)}")
    report = Report()
    schema = store.schema
    with tempfile.TemporaryFile("w+b", dir=store.path.parent) as spool:
        found = read(path, form, labels, report.dropped)
        for d in progress(found, "reading"):
            _check(d, schema)
            spool.write(to_json(d).encode() + b"\n")
            report.read += 1
        if not report.read:
            raise ChartmarkError(f"{path} has no documents")
        spool.seek(0)
        try:
            with store.writing() as db:
                sitting = secrets.token_hex(8)
                for n, d in enumerate(progress(_spooled(spool), "storing"), start=1):
                    _store(db, d, split, who, (sitting, n), report)
                if dry_run:
                    raise _DryRun
                log(db, who, "import", f"{report.new} new of {report.read} from {path.name}")
        except _DryRun:
            pass
    return report


class _DryRun(Exception):
    """Takes back what was written to see what would be."""


def _spooled(spool: IO[bytes]) -> Iterator[Document]:
    for line in spool:
        yield parse(Document, line, "spool")


def _check(d: Document, schema: Schema) -> None:
    try:
        schema.check(d)
    except ChartmarkError as error:
        raise ChartmarkError(f"{error}; map the file's labels to the schema's (--map)") from None


def _store(
    db: Database, d: Document, split: str, who: str, place: tuple[str, int], report: Report
) -> None:
    key, new = documents.add(db, d, split, who)
    report.new += new
    changed = new
    if any(e.score is not None for e in d.entities):
        predictions.add(db, key, str(d.meta.get("model", IMPORTED)), d, who)
        report.predicted += 1
        changed = True
    elif d.entities or d.annotated != Annotated():
        last = revisions.newest(db, key, IMPORTED)
        if last is None or revisions.body(last.document) != revisions.body(d):
            base = last.number if last else 0
            if last and revisions.sitting(db, last) == place[0]:
                report.dropped["other labels of the same text, kept as an earlier revision"] += 1
            revisions.add(db, Save(key, IMPORTED, d, "complete", base, *place), who)
            report.labelled += 1
            changed = True
    report.there += not changed


def save(
    found: Iterable[Document],
    path: Path,
    form: str,
    *,
    progress: Progress = lambda documents, _: documents,
) -> Counter[str]:
    """Write documents to a file, or folder, that is not there yet; returns what the format can't hold.

    Raises ChartmarkError, nothing written, if the place is taken or can't be written.
    """
    chosen = registry.get(form, writing=True)
    assert chosen.write is not None
    if path.exists():
        raise ChartmarkError(f"{path} is there already; choose another place")
    if not path.parent.is_dir():
        raise ChartmarkError(f"can't write {path}: its folder is not there")
    dropped: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".chartmark-") as work:
        made = Path(work) / path.name
        if chosen.folder:
            made.mkdir()
        chosen.write(progress(found, "writing"), made, dropped)
        # A side file goes first: nobody sees the labels without their relations.
        for part in sorted(Path(work).iterdir(), key=lambda p: p == made):
            os.replace(part, path.parent / part.name)
    return +dropped
