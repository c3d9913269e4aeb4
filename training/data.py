"""A run's documents: corpora and files, less what overlaps with evaluation, to train and to tune."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.document import Document, to_json
from core.errors import ChartmarkError
from core.formats import jsonl
from core.formats.mapping import corpora, position
from core.overlap import HeldOut, identity
from core.schema import Schema
from core.store import revisions
from core.store.connection import existing
from training.preset import Preset
from training.weak import resolved, stitched


@dataclass(frozen=True, slots=True)
class Data:
    """Documents to train on (some several times), to tune on, and what happened to the rest."""

    train: list[Document]
    tune: list[Document]
    report: Counter[str]

    def fingerprint(self) -> str:
        """SHA-256 over the training documents in order, labels included."""
        digest = hashlib.sha256()
        for d in self.train:
            digest.update(to_json(d).encode() + b"\n")
        return digest.hexdigest()


def gather(preset: Preset, sources: Sequence[Path], schema: Schema) -> Data:
    """Read every source: a folder of corpora (those that the preset names), a JSON Lines file, or a
    database, of which the gold of the training split trains and that of the others is held out.

    Raises ChartmarkError if a source is missing or broken, or if nothing is left to train on.
    """
    if not sources:
        raise ChartmarkError("nothing to train on: give a folder of corpora or a file with --data")
    report: Counter[str] = Counter()
    sets: list[_Set] = []
    held_out: list[Document] = []
    known = corpora()
    for source in sources:
        if source.is_dir():
            for name, times in preset.corpora.items():
                if name not in known:
                    raise ChartmarkError(f"no corpus {name!r}: choose from {', '.join(known)}")
                if times > 0:
                    read = list(known[name].read(source, "train", report))
                    sets.append(_Set(read, times, preset.stitch.get(name, 1)))
            held_out += _evaluation(source)
        elif source.suffix == ".db":
            store = existing(source)
            sets.append(_Set(list(revisions.gold(store, "train")), 1, 1))
            held_out += [d for split in ("dev", "test") for d in revisions.gold(store, split)]
        else:
            sets.append(_Set(list(jsonl.read(source)), 1, 1))
    evaluation = HeldOut(held_out)
    train: list[Document] = []
    tune: list[Document] = []
    apart: list[Document] = []  # the tuning documents one by one
    kept: list[tuple[_Set, list[Document]]] = []
    for part in sets:
        chosen: list[Document] = []
        tuning: list[Document] = []
        for d in map(resolved, part.documents):
            schema.check(d)
            if evaluation.overlaps(d):
                report["left out: overlaps with an evaluation set"] += 1
            elif position("tune:" + str(d.meta.get("group", identity(d)))) < preset.tune:
                tuning.append(d)
            else:
                chosen.append(d)
        apart += tuning
        tune += _stitch(tuning, part.stitch, seed=0)
        kept.append((part, chosen))
    # A sentence of a tuning document in a training one would flatter the choice of epoch.
    flattering = HeldOut(apart)
    for part, chosen in kept:
        clean = [d for d in chosen if not flattering.overlaps(d)]
        report["left out: overlaps with a tuning document"] += len(chosen) - len(clean)
        for time in range(part.times):
            train += _stitch(clean, part.stitch, seed=preset.schedule.seed + time)
    if not train or not tune:
        raise ChartmarkError("too few documents to train on and to tune with; add more with --data")
    return Data(train, tune, report)


@dataclass(frozen=True, slots=True)
class _Set:
    """Documents read `times` in an epoch, joined `stitch` at a time."""

    documents: list[Document]
    times: int
    stitch: int


def _stitch(documents: list[Document], size: int, seed: int) -> list[Document]:
    return documents if size <= 1 else stitched(documents, size, seed)


def _evaluation(folder: Path) -> list[Document]:
    """Every development split that the folder has, of the run's corpora and of all others."""
    return [
        d
        for corpus in corpora().values()
        if corpus.there(folder, "dev")
        for d in corpus.read(folder, "dev", Counter())
    ]
