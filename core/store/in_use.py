"""The model in use: what Extract and suggestions begin with, and what a new one is measured against."""

from core.errors import ChartmarkError
from core.extraction import models
from core.store.connection import Store, log, now

FIRST = "starter"


def model(store: Store) -> str:
    """Its id; the one that ships where none was chosen, or where the chosen one is gone."""
    rows = store.rows("SELECT model FROM in_use ORDER BY id DESC LIMIT 1")
    if rows:
        try:
            models.folder(rows[0]["model"])
        except ChartmarkError:
            return FIRST
        return str(rows[0]["model"])
    return FIRST


def since(store: Store) -> str:
    """When the model in use was chosen (ISO 8601); "" if it is the one that everybody begins with."""
    rows = store.rows("SELECT since FROM in_use ORDER BY id DESC LIMIT 1")
    return str(rows[0]["since"]) if rows else ""


def use(store: Store, name: str, who: str) -> None:
    """Put a model in use. Raises ChartmarkError if there is none of this name."""
    models.folder(name)
    with store.writing() as db:
        db.table("in_use").insert({"model": name, "since": now(), "set_by": who})
        log(db, who, "model in use", name)
