"""Where each annotator was last: the queue's settings and the document, for a tab that was closed."""

import json
from typing import Any

from core.store.connection import Store, now


def remember(store: Store, annotator: str, settings: dict[str, Any], document: int | None) -> None:
    with store.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO places (annotator, document, settings, at) VALUES (?, ?, ?, ?)",
            [annotator, document, json.dumps(settings), now()],
        )


def last(store: Store, annotator: str) -> tuple[dict[str, Any], int | None] | None:
    """The settings and the document that `remember` was given last, if ever."""
    for row in store.rows("SELECT settings, document FROM places WHERE annotator = ?", annotator):
        return json.loads(row["settings"]), row["document"]
    return None
