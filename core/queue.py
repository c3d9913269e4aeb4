"""The order in which documents come to an annotator."""

import random
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from core.errors import ChartmarkError
from core.formats.mapping import position
from core.store import documents, predictions
from core.store.connection import Store
from core.store.documents import Filter
from core.store.predictions import Reading

Order = Literal[
    "as imported", "random", "least certain first", "highest entropy first", "models differ most"
]
ORDERS: tuple[Order, ...] = get_args(Order)
# Orders by what a model says, which has to read all of the documents first.
BY_MODEL: tuple[Order, ...] = ORDERS[2:]
# One document in ten, the same ones for everybody and always, comes without suggestions, to show how
# they sway annotators.
BLIND = 0.1
# What a page works through at a time: the rest comes when these are done.
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in a queue and how: documents (`words`, `split`, `status`, `source`), their order,
    whose suggestions, and `focus`: the entity types that are looked for, all if there is none."""

    words: str = ""
    split: str = ""
    status: str = ""
    source: str = ""
    order: Order = "as imported"
    seed: int = 0
    model: str = ""
    other: str = ""
    focus: tuple[str, ...] = ()
    unfinished: bool = True
    blind: bool = True

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Settings":
        """Settings from JSON; keys of another version are left out."""
        known = {k: v for k, v in values.items() if k in cls.__slots__}
        return cls(**{**known, "focus": tuple(known.get("focus", ()))})

    def possible(self, models: Collection[str]) -> "Settings":
        """The same without models that are gone, and without an order that needs one of them."""
        model, other = (m if m in models else "" for m in (self.model, self.other))
        lacking = not model or (self.order == BY_MODEL[-1] and other in ("", model))
        order = ORDERS[0] if self.order in BY_MODEL and lacking else self.order
        return replace(self, model=model, other=other, order=order)

    def values(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Item:
    """A document in a queue, and how far the annotator is with it."""

    id: int
    name: str
    status: str
    blind: bool


def chosen(store: Store, settings: Settings, annotator: str) -> list[int]:
    """The documents of a queue, oldest first."""
    which = Filter(
        words=settings.words, split=settings.split, status=settings.status, source=settings.source
    )
    found = documents.ids(store, which)
    if not settings.unfinished:
        return found
    own = _own(store, annotator)
    return [k for k in found if own.get(k, "new") in ("new", "draft")]


def queue(store: Store, settings: Settings, annotator: str) -> list[Item]:
    """The queue in order, LONGEST documents at the most. What no model has read yet comes last in an
    order by model.

    Raises ChartmarkError if the order needs a model, or a second one, and none is chosen.
    """
    keys = _ordered(store, chosen(store, settings, annotator), settings)[:LONGEST]
    own = _own(store, annotator)
    rows = documents.named(store, keys)
    return [
        Item(
            k,
            rows[k][0],
            own.get(k, "new"),
            settings.blind and bool(settings.model) and blind(rows[k][1]),
        )
        for k in keys
        if k in rows
    ]


def blind(digest: str) -> bool:
    """Whether the document whose text has this SHA-256 comes without suggestions."""
    return position(f"blind:{digest}") < BLIND


def _own(store: Store, annotator: str) -> dict[int, str]:
    """The status of the annotator's newest revision of each document that they have touched."""
    rows = store.rows(
        "SELECT document, status FROM revisions WHERE id IN"
        " (SELECT max(id) FROM revisions WHERE annotator = ? GROUP BY document)",
        annotator,
    )
    return {r["document"]: r["status"] for r in rows}


def _ordered(store: Store, keys: list[int], settings: Settings) -> list[int]:
    if settings.order == "as imported":
        return keys
    if settings.order == "random":
        return random.Random(settings.seed).sample(keys, len(keys))  # noqa: S311
    if not settings.model:
        raise ChartmarkError(f"“{settings.order}” needs a model: choose whose suggestions to order by")
    if settings.order == "models differ most" and settings.other in ("", settings.model):
        raise ChartmarkError("“models differ most” needs a second model: choose one")
    wanted = set(keys)
    ours = predictions.readings(store, settings.model, wanted)
    if settings.order == "models differ most":
        theirs = dict(predictions.readings(store, settings.other, wanted))
        symmetric = store.schema.symmetric
        doubts = {k: disagreement(d, theirs[k], symmetric) for k, d in ours if k in theirs}
    else:
        measure = doubt if settings.order == "least certain first" else entropy
        doubts = {k: measure(d) for k, d in ours}
    return sorted(keys, key=lambda k: -doubts.get(k, -1.0))


def doubt(read: Reading) -> float:
    """One less the lowest score of a mention or relation (least-confidence sampling, Lewis and Gale
    1994); 0 where there is none."""
    return 1 - min(read.scores, default=1.0)


def entropy(read: Reading) -> float:
    """Mean binary entropy in bits over the scores of mentions and relations; 0 where there is none.

    The mean, not the sum: long notes would always come first (Shen et al. 2018).
    """
    p = np.clip(read.scores, 1e-9, 1 - 1e-9)
    return float(np.mean(-p * np.log2(p) - (1 - p) * np.log2(1 - p))) if len(p) else 0.0


def disagreement(one: Reading, other: Reading, symmetric: frozenset[str]) -> float:
    """One less the strict F1 of one reading against the other, mentions and relations together."""
    a, b = (_said(r, symmetric) for r in (one, other))
    return 1 - 2 * len(a & b) / (len(a) + len(b)) if a or b else 0.0


def _said(r: Reading, symmetric: frozenset[str]) -> set[object]:
    pairs = {
        (*sorted((h, t)), kind) if kind in symmetric else (h, t, kind) for h, kind, t in r.relations
    }
    return {*r.mentions, *pairs}
