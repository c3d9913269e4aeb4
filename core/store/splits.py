"""Dealing documents out to train, dev and test: one patient's notes in one, test sets left alone."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping

from core.errors import ChartmarkError
from core.store import documents
from core.store.connection import Store, log, now
from core.store.documents import SPLITS, Filter

WAYS = ("random", "stratified", "by source")


def deal(
    store: Store,
    shares: Mapping[str, float],
    way: str,
    seed: int,
    who: str,
    which: Filter | None = None,
) -> Counter[str]:
    """Give each document that matches and is in no test set a split; returns how many each got.

    `random` deals patients; `stratified` deals them within each source and rarest relation or entity
    type, so that every split has its share of what is rare; `by source` deals whole sources. What was
    trained on or accepted in bulk never goes to test. Raises ChartmarkError if the shares don't add up.
    """
    if set(shares) - set(SPLITS) or abs(sum(shares.values()) - 1) > 1e-6 or min(shares.values()) < 0:
        raise ChartmarkError("the shares of train, dev and test must add up to 100%")
    if way not in WAYS:
        raise ChartmarkError(f"no way {way!r} of dealing: choose from {', '.join(WAYS)}")
    with store.writing() as db:
        chosen = set(documents.ids(store, which or Filter()))
        rows = [
            r for r in db.query("SELECT id, source, patient, split FROM documents") if r["id"] in chosen
        ]
        tested = {r["patient"] for r in db.query(_TESTED) if r["patient"]}
        rows = [r for r in rows if r["split"] != "test" and r["patient"] not in tested]
        barred = {r["document"] for r in db.query(_BARRED, ['%"origin":"bulk"%'])}
        rare = _rarest(store) if way == "stratified" else {}
        units: dict[str, list[int]] = defaultdict(list)
        strata: dict[str, set[str]] = defaultdict(set)
        for r in rows:
            unit = r["source"] if way == "by source" else r["patient"] or f"#{r['id']}"
            units[unit].append(r["id"])
            strata["" if way != "stratified" else f"{r['source']} {rare.get(r['id'], '')}"].add(unit)
        given = _dealt(units, strata, shares, random.Random(seed), barred)  # noqa: S311
        at = now()
        db.conn.executemany(
            "UPDATE documents SET split = ?, changed_at = ? WHERE id = ? AND split <> ?",
            [(split, at, key, split) for key, split in given.items()],
        )
        counts = Counter(given.values())
        told = ", ".join(f"{counts[s]} {s}" for s in SPLITS)
        log(db, who, "split", f"{way}, seed {seed}: {told}")
    return counts


_TESTED = "SELECT DISTINCT patient FROM documents WHERE split = 'test'"
_BARRED = "SELECT document FROM run_documents UNION SELECT document FROM revisions WHERE labels LIKE ?"


def _dealt(
    units: Mapping[str, list[int]],
    strata: Mapping[str, set[str]],
    shares: Mapping[str, float],
    chance: random.Random,
    barred: set[int],
) -> dict[int, str]:
    """Each unit to the split that is furthest below its share, counted in documents."""
    total: Counter[str] = Counter()
    given: dict[int, str] = {}
    for stratum in sorted(strata):
        names = sorted(u for u in strata[stratum] if not given.keys() & set(units[u]))
        chance.shuffle(names)
        for unit in names:
            open_to = [
                s for s in SPLITS
                if shares.get(s, 0) > 0 and not (s == "test" and barred & set(units[unit]))
            ]  # fmt: skip
            count = sum(total.values()) + len(units[unit])
            split = max(
                open_to or ["train"],
                key=lambda s, c=count: shares.get(s, 0) * c - total[s],  # type: ignore[misc]
            )
            total[split] += len(units[unit])
            given.update(dict.fromkeys(units[unit], split))
    return given


def _rarest(store: Store) -> dict[int, str]:
    """Each document's label that the fewest documents have."""
    having = [
        (r["type"], r["document"])
        for table in ("entities", "relations")
        for r in store.rows(f"SELECT DISTINCT type, document FROM {table}")
    ]
    counts = Counter(t for t, _ in having)
    return {d: t for t, d in sorted(having, key=lambda x: (-counts[x[0]], x[0]))}
