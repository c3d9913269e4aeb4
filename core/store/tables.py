"""The tables of annotations.db, as migrations: applied in order, never edited once released."""

from sqlite_utils import Database, Migrations

migrations = Migrations("chartmark")


@migrations()
def m0001_first(db: Database) -> None:
    """Documents, revisions with their newest labels as rows, and what is made from them.

    Nothing that a person did is updated or deleted but by `purge`. `status` and `gold` of a document
    are derived from its revisions at each save, so that a list of a hundred thousand need not.
    """
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.table("documents").enable_fts(
        ["name", "text"], fts_version="FTS5", create_triggers=True, tokenize="unicode61"
    )


@migrations()
def m0002_annotating(db: Database) -> None:
    """Of each revision made in the annotator, how it came to be; and where each annotator was last."""
    for statement in _ANNOTATING.split(";\n"):
        db.execute(statement)


@migrations()
def m0003_model_in_use(db: Database) -> None:
    """Which model is in use: the newest row; those before it are how it came to be."""
    db.execute(
        "CREATE TABLE in_use (id INTEGER PRIMARY KEY, model TEXT NOT NULL, since TEXT NOT NULL,"
        " set_by TEXT NOT NULL) STRICT"
    )


_ANNOTATING = """
CREATE TABLE work (
    revision INTEGER PRIMARY KEY REFERENCES revisions (id),
    document INTEGER NOT NULL REFERENCES documents (id),
    model TEXT NOT NULL,
    blind INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    added INTEGER NOT NULL,
    suggestions TEXT NOT NULL
) STRICT;
CREATE INDEX work_document ON work (document);
CREATE TABLE places (
    annotator TEXT PRIMARY KEY,
    document INTEGER REFERENCES documents (id),
    settings TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX places_document ON places (document)
"""

_FIRST = """
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    patient TEXT NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('', 'train', 'dev', 'test')),
    status TEXT NOT NULL
        CHECK (status IN ('new', 'draft', 'complete', 'skipped', 'flagged', 'disputed')),
    gold INTEGER REFERENCES revisions (id) DEFERRABLE INITIALLY DEFERRED,
    meta TEXT NOT NULL,
    added_at TEXT NOT NULL,
    added_by TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;
CREATE INDEX documents_split ON documents (split, id);
CREATE INDEX documents_status ON documents (status, id);
CREATE INDEX documents_source ON documents (source, id);
CREATE INDEX documents_patient ON documents (patient);
CREATE INDEX documents_changed ON documents (changed_at, id);
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES documents (id),
    annotator TEXT NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'complete', 'skipped', 'flagged')),
    labels TEXT NOT NULL,
    note TEXT NOT NULL,
    sitting TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    restores INTEGER,
    made_at TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    saved_by TEXT NOT NULL,
    UNIQUE (document, annotator, number)
) STRICT;
CREATE INDEX revisions_annotator ON revisions (annotator, document);
CREATE TABLE entities (
    type TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (id),
    revision INTEGER NOT NULL REFERENCES revisions (id),
    key TEXT NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    text TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (type, document, revision, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX entities_revision ON entities (revision);
CREATE INDEX entities_document ON entities (document);
CREATE TABLE relations (
    type TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (id),
    revision INTEGER NOT NULL REFERENCES revisions (id),
    head TEXT NOT NULL,
    tail TEXT NOT NULL,
    origin TEXT,
    PRIMARY KEY (type, document, revision, head, tail)
) STRICT, WITHOUT ROWID;
CREATE INDEX relations_revision ON relations (revision);
CREATE INDEX relations_document ON relations (document);
CREATE TABLE models (
    name TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    added_at TEXT NOT NULL,
    added_by TEXT NOT NULL
) STRICT;
CREATE TABLE predictions (
    document INTEGER NOT NULL REFERENCES documents (id),
    model TEXT NOT NULL,
    labels TEXT NOT NULL,
    digest TEXT NOT NULL,
    made_at TEXT NOT NULL,
    made_by TEXT NOT NULL,
    PRIMARY KEY (document, model)
) STRICT;
CREATE INDEX predictions_model ON predictions (model, document);
CREATE TABLE runs (
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    started_at TEXT NOT NULL,
    started_by TEXT NOT NULL
) STRICT;
CREATE TABLE run_documents (
    run TEXT NOT NULL REFERENCES runs (name),
    document INTEGER NOT NULL REFERENCES documents (id),
    revision INTEGER NOT NULL REFERENCES revisions (id),
    PRIMARY KEY (run, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_documents_document ON run_documents (document);
CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    data TEXT NOT NULL,
    report TEXT NOT NULL,
    made_at TEXT NOT NULL,
    made_by TEXT NOT NULL
) STRICT;
CREATE TABLE evaluation_documents (
    evaluation INTEGER NOT NULL REFERENCES evaluations (id),
    document INTEGER NOT NULL REFERENCES documents (id),
    result TEXT NOT NULL,
    PRIMARY KEY (evaluation, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_documents_document ON evaluation_documents (document);
CREATE TABLE schemas (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    since TEXT NOT NULL,
    set_by TEXT NOT NULL
) STRICT;
CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE TABLE backups (
    path TEXT PRIMARY KEY,
    made_at TEXT NOT NULL,
    made_by TEXT NOT NULL
) STRICT
"""
