"""What the gold store costs, small and large, side by side.

    python bench/store.py [1000 100000] [--folder DIR]

Documents of 10 mentions and 3 relations, in a database in --folder. The floor of a save is
one write of 8 KiB made durable (fsync) on the same disk; it is measured beside.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from core.document import Document, Entity, Relation
from core.store import documents, revisions
from core.store.connection import Store
from core.store.documents import Filter
from core.store.revisions import IMPORTED, Save

WORDS = [f"{a}{b}" for a in ("cardi", "neur", "hepat", "ren", "derm", "oste") for b in range(400)]
TYPES = ("Drug", "Disease", "Symptom", "Lab_Test", "Procedure")


def document(n: int) -> Document:
    """A note of about 200 words."""
    chance = random.Random(n)
    words = [chance.choice(WORDS) for _ in range(190)] + ["seldomly"] * (n % 997 == 0)
    words.insert(chance.randrange(100), "patient")
    text = " ".join(words)
    entities, at = [], 0
    for i, word in enumerate(words[:100]):
        if i % 10 == 0:
            kind = TYPES[(n + i // 10) % 5]
            entities.append(Entity(id=f"T{i}", start=at, end=at + len(word), type=kind))
        at += len(word) + 1
    drug = next(e.id for e in entities if e.type == "Drug")
    ill = [e.id for e in entities if e.type in ("Disease", "Symptom")][:3]
    relations = tuple(Relation(head=drug, tail=t, type="treats") for t in ill)
    return Document(
        id=f"note-{n}", text=text, entities=tuple(entities), relations=relations,
        meta={"source": f"ward-{n % 7}", "group": f"patient-{n // 3}"},
    )  # fmt: skip


def filled(path: Path, count: int) -> tuple[Store, float]:
    store = Store(path)
    began = time.perf_counter()
    with store.writing() as db:
        for n in range(count):
            d = document(n)
            key, _ = documents.add(db, d, ("train", "dev", "test", "")[n % 4], "bench")
            revisions.add(db, Save(key, IMPORTED, d, "complete", "", "", 1), "bench")
    return store, time.perf_counter() - began


def median(action: Callable[[], object], times: int = 15) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def saver(store: Store, count: int) -> Callable[[], object]:
    chance = random.Random(1)
    sequence = iter(range(1, 10_000_000))

    def save() -> object:
        n = chance.randrange(count)
        key = documents.find(store, f"note-{n}")
        with store.reading() as db:
            last = revisions.newest(db, key, "local")
        base = last.token if last else ""
        new = Save(key, "local", document(n), "complete", base, "bench", next(sequence))
        return revisions.save(store, new, "local")

    return save


def synced(folder: Path) -> float:
    with tempfile.NamedTemporaryFile(dir=folder) as f:

        def write() -> None:
            f.write(b"x" * 8192)
            f.flush()
            os.fsync(f.fileno())

        return median(write, 50)


PAGES = {
    "list, first page": (Filter(), 0),
    "list, last page counted": (Filter(), 950),
    "split": (Filter(split="train"), 0),
    "a common word": (Filter(words="cardi7"), 0),
    "a common word, split and type": (Filter(words="cardi7", split="train", type="Drug"), 0),
    "a word of every note, split and type": (Filter(words="patient", split="train", type="Drug"), 0),
    "a rare word, split and status": (Filter(words="seldomly", split="train", status="complete"), 0),
    "a word that is nowhere": (Filter(words="nowhere", split="train"), 0),
    "has relation treats, source": (Filter(relation="treats", source="ward-3"), 0),
    "has relation prevents (none)": (Filter(relation="prevents"), 0),
    "annotator who did a few": (Filter(annotator="local"), 0),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("count", nargs="*", type=int, default=[1_000, 100_000])
    options.add_argument("--folder", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        made = [(count, *filled(Path(folder) / f"{count}.db", count)) for count in given.count]
        print("milliseconds, median" + "".join(f"{count:>12,}" for count, _, _ in made))
        fill = "".join(f"{seconds * 1000 / count:12.2f}" for count, _, seconds in made)
        print(f"{'import, a document':38}{fill}")
        print(f"{'save, durable':38}" + "".join(f"{median(saver(s, n), 60):12.2f}" for n, s, _ in made))
        print(f"{'  floor: 8 KiB written and fsync':38}{synced(Path(folder)):12.2f}")
        for title, (which, first) in PAGES.items():
            times = [
                median(lambda s=s, w=which, f=first: documents.page(s, w, first=f))  # type: ignore[misc]
                for _, s, _ in made
            ]
            print(f"{title:38}" + "".join(f"{t:12.2f}" for t in times))
        for order in documents.ORDERS:
            which = Filter(words="cardi7", split="train")
            times = [
                median(lambda s=s, w=which, o=order: documents.page(s, w, o))  # type: ignore[misc]
                for _, s, _ in made
            ]
            print(f"{'a common word, split, ' + order:38}" + "".join(f"{t:12.2f}" for t in times))


if __name__ == "__main__":
    main()
