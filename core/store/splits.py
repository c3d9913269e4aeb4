"""Dealing documents out to train, dev and test: one patient's notes in one, test sets left alone."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import networkx

from core.errors import ChartmarkError
from core.formats.mapping import position
from core.store import documents
from core.store.connection import Store, log, now
from core.store.documents import SPLITS, Filter
from core.store.revisions import BULK, IMPORTED

# The share of corrected documents that always tell how good models are, and never train one.
ALWAYS_DEV = 0.15
WAYS = ("random", "stratified", "by source")


def settle(store: Store, who: str) -> Counter[str]:
    """Give every document with gold from a person that has no split yet one: dev to a fixed share of
    patients (of documents, where no patient is known), train to the others. Returns how many got each.

    Where a patient has documents in a split already, the new ones go there too, but for a test set:
    that is dealt on purpose.
    """
    with store.writing() as db:
        rows = db.query(
            "SELECT d.id, d.name, d.patient, (SELECT max(o.split) FROM documents o"
            " WHERE o.patient <> '' AND o.patient = d.patient) AS home"
            " FROM documents d JOIN revisions r ON r.id = d.gold"
            " WHERE d.split = '' AND r.annotator <> ?",
            [IMPORTED],
        )
        given = {}
        for r in rows:
            apart = position(f"dev:{r['patient'] or r['name']}") < ALWAYS_DEV
            if r["home"] != "test":
                given[r["id"]] = r["home"] or ("dev" if apart else "train")
        at = now()
        db.conn.executemany(
            "UPDATE documents SET split = ?, changed_at = ? WHERE id = ?",
            [(split, at, key) for key, split in given.items()],
        )
        counts = Counter(given.values())
        if given:
            log(db, who, "split", f"of corrected: {counts['dev']} dev, {counts['train']} train")
    return counts


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
        barred = {r["id"] for r in db.query(_BARRED, [f"%{BULK}%"])}
        rare = _rarest(store) if way == "stratified" else {}
        units: dict[str, list[int]] = defaultdict(list)
        strata: dict[str, set[str]] = defaultdict(set)
        joined = _joined(rows) if way == "by source" else {}
        for r in rows:
            unit = joined.get(r["source"]) or r["patient"] or f"#{r['id']}"
            units[unit].append(r["id"])
            strata["" if way != "stratified" else f"{r['source']} {rare.get(r['id'], '')}"].add(unit)
        # Who has notes in a split, outside of those dealt, gets the new ones there too.
        dealing = {r["id"] for r in rows}
        at_home = {
            r["patient"]: r["split"]
            for r in db.query(
                "SELECT id, patient, split FROM documents WHERE split <> '' AND patient <> ''"
            )
            if r["id"] not in dealing
        }
        fixed: dict[str, str] = {}
        for r in rows:
            if r["patient"] in at_home:
                unit = joined.get(r["source"]) or r["patient"]
                if fixed.setdefault(unit, at_home[r["patient"]]) != at_home[r["patient"]]:
                    raise ChartmarkError(
                        f"the source {r['source']!r} has patients of several splits; deal at random"
                    )
        given = _dealt(fixed, units, strata, shares, random.Random(seed), barred)  # noqa: S311
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
# With all other notes of their patients.
_BARRED = """
WITH barred AS (
    SELECT document AS id FROM run_documents UNION SELECT document FROM revisions WHERE labels LIKE ?
)
SELECT id FROM barred UNION SELECT id FROM documents WHERE patient <> '' AND patient IN
    (SELECT patient FROM documents WHERE id IN (SELECT id FROM barred))
"""


def _joined(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Each source's unit: sources that share a patient are one."""
    graph: networkx.Graph = networkx.Graph()
    for r in rows:
        graph.add_node(("source", r["source"]))
        if r["patient"]:
            graph.add_edge(("source", r["source"]), ("patient", r["patient"]))
    return {
        name: f"sources of {min(part)}"
        for part in networkx.connected_components(graph)
        for kind, name in part
        if kind == "source"
    }


def _dealt(
    fixed: Mapping[str, str],
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
            split = fixed.get(unit) or max(
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
