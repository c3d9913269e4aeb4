"""Which documents a run trained on: what purge tells of, and what never becomes a test set."""

from collections.abc import Iterable

from core.store.connection import Store, now


def record_run(store: Store, run: str, preset: str, names: Iterable[str], who: str) -> None:
    """Put on record that a run trains on the gold that these documents have now, before it begins.

    Names that the store does not have came from elsewhere and are left out.
    """
    with store.writing() as db:
        db.table("runs").insert(
            {"name": run, "config": preset, "started_at": now(), "started_by": who}, pk="name"
        )
        db.conn.executemany(
            "INSERT OR IGNORE INTO run_documents (run, document, revision)"
            " SELECT ?, id, gold FROM documents WHERE name = ? AND gold IS NOT NULL",
            [(run, name) for name in names],
        )
