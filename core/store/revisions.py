"""Revisions: an annotator's versions of a document, added and never changed, and what is gold."""

import json
import secrets
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import ValidationError
from sqlite_utils import Database

from core.document import Document, explain, to_json
from core.errors import ChartmarkError
from core.store import work
from core.store.connection import Store, now
from core.store.work import Work

Status = Literal["draft", "complete", "skipped", "flagged"]
# Whose name stands on what came with an imported document: anyone's own revision goes before it.
IMPORTED = "imported"
# And on what was decided between annotators, which goes before all.
ADJUDICATED = "adjudicated"
# Whose work it is where nobody logs in.
LOCAL = "local"
# In a body: a label was accepted with many others, so no test set may hold it.
BULK = '"origin":"bulk"'


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of one annotator's labels of a document, as a Document with the text.

    `token` names what it says, for ever: a number may come again after a restore, a draft changes.
    """

    id: int
    token: str
    annotator: str
    number: int
    status: Status
    document: Document
    note: str
    saved_at: str
    saved_by: str


@dataclass(frozen=True, slots=True)
class Save:
    """What a page sends: labels made on top of the revision whose token is `base` ("": of none).

    `sitting` names the time that a page is open, in which autosaves make one draft; `sequence` grows
    with each of them, so that one that was overtaken changes nothing and one that is sent again is
    saved once.
    """

    document: int
    annotator: str
    labels: Document
    status: Status
    base: str
    sitting: str
    sequence: int
    note: str = ""
    restores: int | None = None
    work: Work | None = None


class Overtaken(ChartmarkError):
    """A later autosave of the same sitting is in the store already: this one has nothing to add."""

    def __init__(self) -> None:
        super().__init__("a later change was saved already; this older one was left out")


class Conflict(ChartmarkError):
    """Somebody saved meanwhile. Holds both versions, so that neither is lost."""

    def __init__(self, theirs: Revision, ours: Document) -> None:
        super().__init__(
            f"revision {theirs.number} was saved meanwhile by {theirs.saved_by}: "
            "nothing was overwritten, choose between the two"
        )
        self.theirs, self.ours = theirs, ours


def save(store: Store, new: Save, who: str) -> Revision:
    """Add a revision, or go on with the sitting's draft, and return it once it is on the disk.

    Raises Conflict if `base` is no longer the newest, Overtaken if a later autosave is there, and
    ChartmarkError if the labels aren't of this text, don't fit the schema in force, or were accepted
    in bulk and would be in the test set.
    """
    if new.status not in get_args(Status):
        raise ChartmarkError(f"{new.status!r} is no status: choose from {', '.join(get_args(Status))}")
    schema = store.schema
    with store.writing() as db:
        # Labels made under an earlier schema stay as they are until somebody changes them.
        before = newest(db, new.document, new.annotator) or newest(db, new.document, IMPORTED)
        schema.check(new.labels, before.document if before else None)
        if BULK in body(new.labels) and list(db.query(_TESTED, [new.document])):
            raise ChartmarkError(
                "this document is in the test set, where suggestions can't be accepted in bulk: undo "
                "that and decide one by one"
            )
        return add(db, new, who)


def add(db: Database, new: Save, who: str) -> Revision:
    """The same within a transaction, the schema not asked."""
    text = _text(db, new.document)
    if new.labels.text != text:
        raise ChartmarkError(
            "these labels belong to another text; nothing was saved, load the note again"
        )
    last = newest(db, new.document, new.annotator)
    ours = last and _sitting(db, last) == (new.sitting, new.sequence)
    if last and ours:
        return last  # the answer to its first sending was lost
    if last is None and new.base:
        raise ChartmarkError("this note was removed and added again; nothing was saved, load it again")
    written, at, token = body(new.labels), now(), secrets.token_hex(16)
    if last and _goes_on(db, last, new):
        # With a token of its own: who opened the draft before has not seen this.
        db.execute(
            "UPDATE revisions SET token = ?, labels = ?, note = ?, sequence = ?, saved_at = ?,"
            " saved_by = ? WHERE id = ?",
            [token, written, new.note, new.sequence, at, who, last.id],
        )
        revision, number = last.id, last.number
        _forget_rows(db, last.id)
    else:
        number = (last.number if last else 0) + 1
        added = db.execute(
            "INSERT INTO revisions (token, document, annotator, number, status, labels, note, sitting,"
            " sequence, restores, made_at, saved_at, saved_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                token, new.document, new.annotator, number, new.status, written, new.note, new.sitting,
                new.sequence, new.restores, at, at, who,
            ],
        )  # fmt: skip
        revision = int(added.lastrowid or 0)
        if last:
            _forget_rows(db, last.id)
    _write_rows(db, revision, new)
    if new.work:
        work.keep(db, revision, new.document, new.work)
    _settle(db, new.document, at)
    return Revision(revision, token, new.annotator, number, new.status, new.labels, new.note, at, who)


def _goes_on(db: Database, last: Revision, new: Save) -> bool:
    """Whether this save changes the draft that the sitting made, rather than adding a revision.

    A sitting may save again before it hears of its last save; anyone else must have seen the newest.
    Raises Conflict if they have not, Overtaken if this save was.
    """
    sitting, sequence = _sitting(db, last)
    if sitting != new.sitting:
        if last.token != new.base:
            raise Conflict(last, new.labels)
        return False
    if new.sequence < sequence:
        raise Overtaken
    return last.status == new.status == "draft"


def _sitting(db: Database, revision: Revision) -> tuple[str, int]:
    (row,) = db.query("SELECT sitting, sequence FROM revisions WHERE id = ?", [revision.id])
    return row["sitting"], row["sequence"]


def newest(db: Database, document: int, annotator: str) -> Revision | None:
    """An annotator's newest revision of a document."""
    rows = db.query(
        f"{_REVISION} WHERE r.document = ? AND r.annotator = ? ORDER BY r.number DESC LIMIT 1",
        [document, annotator],
    )
    return next(map(_revision, rows), None)


def get(store: Store, revision: int) -> Revision:
    """A revision by its id. Raises ChartmarkError if its document was purged."""
    for row in store.rows(f"{_REVISION} WHERE r.id = ?", revision):
        return _revision(row)
    raise ChartmarkError("a document was purged since; start anew")


def history(store: Store, document: int) -> list[Revision]:
    """Every revision of a document, oldest first."""
    return [
        _revision(r) for r in store.rows(f"{_REVISION} WHERE r.document = ? ORDER BY r.id", document)
    ]


def gold(
    store: Store, split: str = "", *, corrected: bool = False, of: Collection[int] | None = None
) -> Iterator[Document]:
    """The gold labels of every document that has them, by id; `corrected`: only a person's; `of`: of
    these documents.

    Streams: other threads and processes may write meanwhile.
    """
    after, more = 0, True
    clause = " AND r.annotator <> ?" if corrected else " AND ? <> ''"
    chosen = None if of is None else sorted(of)
    while more:
        part = chosen and chosen[bisect_right(chosen, after) :][:500]
        among = "" if part is None else f" AND d.id IN ({', '.join(map(str, part))})"
        rows = store.rows(
            f"{_REVISION} WHERE r.id = d.gold AND d.id > ? AND (? = '' OR d.split = ?){clause}{among}"
            " ORDER BY d.id LIMIT 500",
            after, split, split, IMPORTED,
        )  # fmt: skip
        for row in rows:
            after = row["document"]
            yield _revision(row).document
        if part:
            after = max(after, part[-1])
        more = bool(rows) if part is None else bool(part)


def _settle(db: Database, document: int, at: str) -> None:
    """Derive a document's gold and status.

    Gold is the adjudicated revision; else, of the annotators' newest complete ones, the only one;
    else the imported one. Two that completed and nobody decided between make it disputed.
    """
    rows = list(
        db.query(
            "SELECT annotator, status, id FROM revisions r WHERE document = ? AND number = (SELECT"
            " max(number) FROM revisions WHERE document = r.document AND annotator = r.annotator)",
            [document],
        )
    )
    complete = {
        r["annotator"]: r["id"]
        for r in db.query(
            "SELECT annotator, max(id) AS id FROM revisions WHERE document = ? AND status = 'complete'"
            " GROUP BY annotator",
            [document],
        )
    }
    people = {a: i for a, i in complete.items() if a not in (IMPORTED, ADJUDICATED)}
    if ADJUDICATED in complete:
        chosen = complete[ADJUDICATED]
    elif len(people) == 1:
        chosen = next(iter(people.values()))
    elif people:
        chosen = None
    else:
        chosen = complete.get(IMPORTED)
    # The last to have done something says where the document stands.
    last = max(rows, key=lambda r: (r["annotator"] != IMPORTED, r["id"]))["status"]
    disputed = len(people) > 1 and chosen is None
    db.execute(
        "UPDATE documents SET gold = ?, status = ?, changed_at = ? WHERE id = ?",
        [chosen, "disputed" if disputed else last, at, document],
    )


def _text(db: Database, document: int) -> str:
    for row in db.query("SELECT text FROM documents WHERE id = ?", [document]):
        return str(row["text"])
    raise ChartmarkError("this document is no longer in the store; nothing was saved")


def body(labels: Document) -> str:
    """A document's JSON without what the store holds beside it."""
    data = json.loads(to_json(labels))
    for key in ("id", "text", "meta"):
        data.pop(key, None)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _forget_rows(db: Database, revision: int) -> None:
    db.execute("DELETE FROM entities WHERE revision = ?", [revision])
    db.execute("DELETE FROM relations WHERE revision = ?", [revision])


def _write_rows(db: Database, revision: int, new: Save) -> None:
    d = new.labels
    db.conn.executemany(
        "INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                e.type, new.document, revision, e.id, e.start, e.end, d.mention(e),
                json.dumps(e.attributes, ensure_ascii=False),
            )
            for e in d.entities
        ],
    )  # fmt: skip
    db.conn.executemany(
        "INSERT INTO relations VALUES (?, ?, ?, ?, ?, ?)",
        [(r.type, new.document, revision, r.head, r.tail, r.origin) for r in d.relations],
    )


_TESTED = "SELECT 1 FROM documents WHERE id = ? AND split = 'test'"
_REVISION = (
    "SELECT r.*, d.name, d.text, d.source, d.patient, d.meta FROM revisions r"
    " JOIN documents d ON d.id = r.document"
)


def labelled(row: dict[str, Any]) -> Document:
    """A row with labels and the columns of its document, as a Document."""
    meta = json.loads(row["meta"])
    if row["source"]:
        meta["source"] = row["source"]
    if row["patient"]:
        meta["group"] = row["patient"]
    whole = {"id": row["name"], "text": row["text"], **json.loads(row["labels"]), "meta": meta}
    try:
        return Document.model_validate_json(json.dumps(whole))
    except ValidationError as error:
        raise ChartmarkError(
            f"the labels of {row['name']!r} are damaged ({explain(error)}); restore a backup"
        ) from None


def _revision(row: dict[str, Any]) -> Revision:
    return Revision(
        row["id"], row["token"], row["annotator"], row["number"], row["status"], labelled(row),
        row["note"], row["saved_at"], row["saved_by"],
    )  # fmt: skip
