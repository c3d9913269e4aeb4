"""Files into the store and out of it: all of a file or nothing, and what was lost counted by kind."""

import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from core.document import Document, parse, to_json
from core.errors import ChartmarkError
from core.formats import registry
from core.formats.format import UNLABELLED
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
    replaced: int = 0
    there: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.read} documents read: {self.new} new, {self.read - self.new} there already; labels "
            f"of {self.labelled} added, predictions for {self.predicted}"
        )
        if self.replaced:
            yield f"  labels imported before stand behind these, as earlier revisions: {self.replaced}"
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
            raise ChartmarkError(
                f"can't tell the format of {path} (is it whole, and not empty?); name it with --format"
            )
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
    scored = False
    try:
        with tempfile.TemporaryFile("w+b", dir=store.path.parent) as spool:
            if labels:
                labels.check(schema)
            found = read(path, form, labels, report.dropped)
            mentions = 0
            for d in progress(found, "reading"):
                _check(d, schema)
                mentions += len(d.entities)
                scored |= _predicted(d)
                spool.write(to_json(d).encode() + b"\n")
                report.read += 1
            if not report.read:
                raise ChartmarkError(f"{path} has no documents")
            left_out = [k for k in report.dropped if k.startswith("type ")]
            if labels and left_out and not mentions:
                unmapped = ", ".join(sorted(left_out)[:5])
                raise ChartmarkError(f"the label map leaves out every mention ({unmapped}); map some")
            spool.seek(0)
            texts = progress(_spooled(spool), "checking" if dry_run else "storing")
            if dry_run:
                _would_store(store, texts, scored, report)
            else:
                _store_all(store, texts, split, who, scored, report)
    except OSError as error:
        raise ChartmarkError(
            f"can't import {path}: {error.strerror}; make room beside the database"
        ) from None
    except UnicodeEncodeError:
        raise ChartmarkError(f"{path}: holds half a surrogate pair; save it as UTF-8 again") from None
    return report


def _predicted(d: Document) -> bool:
    return any(e.score is not None for e in d.entities) or (bool(d.entities) and "model" in d.meta)


def _spooled(spool: IO[bytes]) -> Iterator[Document]:
    for line in spool:
        yield parse(Document, line, "spool")


def _check(d: Document, schema: Schema) -> None:
    try:
        schema.check(d)
    except ChartmarkError as error:
        raise ChartmarkError(f"{error}; map the file's labels to the schema's (--map)") from None


def _kind(d: Document, scored: bool) -> str:
    """What a document's labels are. A model's reading has scores; where others in the file have some,
    one that found nothing is a reading too, and no proof that nothing is there."""
    if _predicted(d) or (scored and not d.entities):
        return "predicted"
    return "labelled" if d.entities or d.annotated != UNLABELLED else "bare"


def _would_store(store: Store, found: Iterable[Document], scored: bool, report: Report) -> None:
    """The report that storing would give, without the lock. Splits and patients are checked only when
    it is stored."""
    seen: set[str] = set()
    for d in found:
        digest = documents.sha256(d.text)
        rows = store.rows("SELECT id, sha256 FROM documents WHERE sha256 = ? OR name = ?", digest, d.id)
        known = next((r["id"] for r in rows if r["sha256"] == digest), None)
        if known is None and rows:
            raise ChartmarkError(f"the store has another text under the id {d.id!r}")
        changed = known is None and digest not in seen
        report.new += changed
        seen.add(digest)
        kind = _kind(d, scored)
        if kind == "predicted":
            report.predicted += 1
            changed = True
        elif kind == "labelled":
            with store.reading() as db:
                last = revisions.newest(db, known, IMPORTED) if known else None
            if last is None or revisions.body(last.document) != revisions.body(d):
                report.labelled += 1
                report.replaced += last is not None
                changed = True
        report.there += not changed


def _store_all(
    store: Store, found: Iterable[Document], split: str, who: str, scored: bool, report: Report
) -> None:
    sitting = secrets.token_hex(8)
    made: dict[int, str] = {}  # the revisions of this import, by document
    new: list[int] = []
    with store.writing() as db:
        for n, d in enumerate(found, start=1):
            key, fresh = documents.add(db, d, split, who)
            report.new += fresh
            new.append(key)
            changed = fresh
            kind = _kind(d, scored)
            if kind == "predicted":
                predictions.add(db, key, str(d.meta.get("model", IMPORTED)), d, who)
                report.predicted += 1
                changed = True
            elif kind == "labelled":
                last = revisions.newest(db, key, IMPORTED)
                if last is None or revisions.body(last.document) != revisions.body(d):
                    if key in made:
                        report.dropped[_TWICE] += 1
                    base = last.token if last else ""
                    saved = revisions.add(
                        db, Save(key, IMPORTED, d, "complete", base, f"{sitting} {n}", n), who
                    )
                    report.labelled += 1
                    report.replaced += last is not None and key not in made
                    made[key] = saved.token
                    changed = True
            report.there += not changed
        if split:
            documents.check_split(db, new, split)
        documents.check_patients(db, new)
        # No file name: it may be a patient's.
        log(db, who, "import", f"{report.new} new of {report.read}")


_TWICE = "other labels of the same text, kept as an earlier revision"


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
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".chartmark-") as work:
            made = Path(work) / path.name
            if chosen.folder:
                made.mkdir()
            chosen.write(progress(found, "writing"), made, dropped)
            # A side file goes first: nobody sees the labels without their relations.
            parts = sorted(Path(work).iterdir(), key=lambda p: p == made)
            taken = [p.name for p in parts if (path.parent / p.name).exists()]
            if taken:
                raise ChartmarkError(f"{path.parent / taken[0]} is there already; choose another place")
            for part in parts:
                os.replace(part, path.parent / part.name)
    except OSError as error:
        raise ChartmarkError(f"can't write {path}: {error.strerror}; choose another place") from None
    return +dropped
