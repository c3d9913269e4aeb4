"""A run's documents: corpora and files, less what overlaps with evaluation, to train and to tune."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.document import Document, to_json
from core.errors import ChartmarkError
from core.formats import jsonl, passages
from core.formats.mapping import Corpus, corpora, position
from core.overlap import HeldOut, identity
from core.schema import Schema
from core.store import revisions, runs
from core.store.connection import existing
from core.store.documents import sha256
from core.store.revisions import LOCAL
from training.preset import Preset
from training.renamed import names, renamed
from training.synthetic import vocabulary
from training.synthetic.notes import SOURCE as SYNTHETIC
from training.synthetic.notes import notes
from training.weak import resolved, stitched

# Documents of one source to tune with, at the most: more of a kind tell no more, and every epoch reads
# them.
TUNING = 200


@dataclass(frozen=True, slots=True)
class Mix:
    """Where a run's documents come from.

    `files` are folders of corpora (of which the preset names the ones to read), JSON Lines, and
    passages whose texts are in such a folder. Of a `database` the gold of the training split trains
    (what people completed after `since`, if that is given), and that of the others is held out.
    `synthetic` notes are made, from `seed`, with names from `vocabulary` too.
    """

    files: tuple[Path, ...] = ()
    database: Path | None = None
    since: str = ""
    synthetic: int = 0
    seed: int = 0
    vocabulary: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """For YAML, with absolute paths: a run may go on from another folder."""
        return {
            "files": [str(f.resolve()) for f in self.files],
            "database": str(self.database.resolve()) if self.database else None,
            "since": self.since,
            "synthetic": self.synthetic,
            "seed": self.seed,
            "vocabulary": str(self.vocabulary.resolve()) if self.vocabulary else None,
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data are not a mix's."""
        return cls(
            files=tuple(map(Path, data["files"])),
            database=Path(data["database"]) if data["database"] else None,
            since=str(data["since"]),
            synthetic=int(data["synthetic"]),
            seed=int(data["seed"]),
            vocabulary=Path(data["vocabulary"]) if data["vocabulary"] else None,
        )


@dataclass(frozen=True, slots=True)
class Data:
    """Documents to train on (some several times), to tune on, and what happened to the rest.

    `revisions` are those of the database's gold, by the SHA-256 of the text: a document's id may be a
    patient's, and runs are handed on.
    """

    train: list[Document]
    tune: list[Document]
    report: Counter[str]
    revisions: dict[str, int]

    def fingerprint(self) -> str:
        """SHA-256 over the training documents in order, labels included."""
        digest = hashlib.sha256()
        for d in self.train:
            digest.update(to_json(d).encode() + b"\n")
        return digest.hexdigest()


def gather(preset: Preset, mix: Mix, schema: Schema, run: str, who: str = LOCAL) -> Data:
    """Read all that a mix names. The gold of its database is frozen under the run's name: read again,
    it is what it was.

    Raises ChartmarkError if a source is missing or broken, or if nothing is left to train on.
    """
    report: Counter[str] = Counter()
    sets: list[_Set] = []
    held_out: list[Document] = []
    folder = next((s for s in mix.files if s.is_dir()), None)
    for source in mix.files:
        if source.is_dir():
            for name, times in preset.corpora.items():
                if times > 0:
                    read = list(_corpus(name, schema).read(source, "train", report))
                    sets.append(_Set(read, times, tuple(preset.stitch.get(name, [1]))))
            held_out += _evaluation(source)
        else:
            labelled, generated = of_file(source, folder)
            sets.append(_Set(labelled, preset.corrected, (1,), preset.renamed))
            sets.append(_Set(generated, 1, (1,)))
    frozen: dict[str, int] = {}
    ids: set[str] = set()
    if mix.database:
        store = existing(mix.database)
        runs.freeze(store, run, preset.backbone, mix.since, who)
        gold = runs.frozen(store, run)
        frozen = {sha256(d.text): revision for revision, d in gold}
        ids = {d.id for _, d in gold}
        sets.append(_Set([d for _, d in gold], preset.corrected, (1,), preset.renamed))
        held_out += [d for split in ("dev", "test") for d in revisions.gold(store, split)]
    if mix.synthetic:
        more = vocabulary.read(mix.vocabulary) if mix.vocabulary else ()
        made = notes("train", mix.synthetic, mix.seed, held_out=False, vocabulary=more)
        sets.append(_Set(list(made), 1, (1,)))
    if not any(s.documents for s in sets):
        raise ChartmarkError(
            "nothing to train on: give a folder of corpora or a file with --data, or synthetic notes "
            "with --synthetic"
        )
    data = _divided(preset, schema, sets, held_out, report, frozen)
    if mix.database:
        used = {d.id for d in (*data.train, *data.tune)}
        runs.keep(existing(mix.database), run, used & ids)
    return data


def of_file(source: Path, folder: Path | None) -> tuple[list[Document], list[Document]]:
    """The documents of a file of a mix: those with labels of their own, which count as corrected
    ones do, and those that the generator made. The texts of passages are in the folder of corpora.

    Raises ChartmarkError if the file is broken or that folder isn't given."""
    if source.name.endswith(passages.SUFFIX):
        if folder is None:
            raise ChartmarkError(f"{source} needs the folder of corpora, too: name it with --data")
        return list(passages.read(source, folder)), []
    read = list(jsonl.read(source))
    generated = [d for d in read if d.meta.get("source") == SYNTHETIC]
    return [d for d in read if d.meta.get("source") != SYNTHETIC], generated


def _corpus(name: str, schema: Schema) -> Corpus:
    known = corpora()
    if name not in known:
        raise ChartmarkError(f"no corpus {name!r}: choose from {', '.join(known)}")
    if known[name].labels != schema.name:
        raise ChartmarkError(
            f"the corpus {name} has the labels of {known[name].labels}, the run those of "
            f"{schema.name}: choose other corpora with --set corpora, or another --schema"
        )
    return known[name]


def _divided(
    preset: Preset,
    schema: Schema,
    sets: list["_Set"],
    held_out: list[Document],
    report: Counter[str],
    frozen: dict[str, int],
) -> Data:
    """Documents to train and to tune, less what overlaps with evaluation."""
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
            elif len(tuning) < TUNING and _position(d) < preset.tune:
                tuning.append(d)
            else:
                chosen.append(d)
        apart += tuning
        tune += _stitch(tuning, max(part.stitch), seed=0)
        kept.append((part, chosen))
    # A sentence of a tuning document in a training one would flatter the choice of epoch.
    flattering = HeldOut(apart)
    for part, chosen in kept:
        clean = [d for d in chosen if not flattering.overlaps(d)]
        report["left out: overlaps with a tuning document"] += len(chosen) - len(clean)
        for time in range(part.times):
            size = part.stitch[time % len(part.stitch)]
            read = clean
            if time and part.renamed:
                chance = random.Random(f"{preset.schedule.seed}/{time}")  # noqa: S311
                known = names(clean)
                read = [renamed(d, known, part.renamed, chance) for d in clean]
            train += _stitch(read, size, seed=preset.schedule.seed + time)
    if not train or not tune:
        raise ChartmarkError("too few documents to train on and to tune with; add more with --data")
    return Data(train, tune, report, frozen)


@dataclass(frozen=True, slots=True)
class _Set:
    """Documents read `times` in an epoch, joined as many at a time as `stitch` says, by turns; after
    the first time a share of their mentions is `renamed`."""

    documents: list[Document]
    times: int
    stitch: tuple[int, ...]
    renamed: float = 0.0


def _position(document: Document) -> float:
    """Where a document's group falls in [0, 1): the low ones tune."""
    return position("tune:" + str(document.meta.get("group", identity(document))))


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
