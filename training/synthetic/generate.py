"""`python app.py generate`: the synthetic sets as files, a manifest last."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from core.document import Document
from core.errors import ChartmarkError
from core.files import atomic
from core.formats import jsonl
from training.synthetic import lexicon, vocabulary, ways
from training.synthetic.lexicon import Name
from training.synthetic.notes import notes

VERSION = 2
MANIFEST = "manifest.json"
# Test notes use names and ways of saying that training notes never do; test_seen, for the difference
# that memory makes, the same as training.
HELD_OUT = {"train": False, "dev": False, "test": True, "test_seen": False}


def generate(
    folder: Path, counts: dict[str, int], seed: int, words: Path | None = None
) -> dict[str, object]:
    """Write a JSON Lines file for each of `counts` and a manifest, and return the manifest.

    `words` is a folder with vocabularies, for more names than the lexicon has. Raises
    ChartmarkError before anything is written if one of the files is there already.
    """
    there = [name for name in (*map(_file, counts), MANIFEST) if (folder / name).exists()]
    if there:
        raise ChartmarkError(f"{folder} holds {there[0]} already; choose another --output")
    more = vocabulary.read(words) if words else ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ChartmarkError(f"can't make {folder}: {error.strerror}") from None
    made = {split: _write(folder, split, count, seed, more) for split, count in counts.items()}
    manifest: dict[str, object] = {
        "version": VERSION,
        "seed": seed,
        "sources_sha256": sources_sha256(),
        "vocabulary": {"names": len(more), "sha256": vocabulary.sha256(more)} if more else None,
        "files": made,
    }
    with atomic(folder / MANIFEST) as out:
        json.dump(manifest, out, indent=1)
        out.write("\n")
    return manifest


def read(folder: Path) -> dict[str, list[Document]]:
    """The sets of a folder, by name."""
    return {split: list(jsonl.read(folder / _file(split))) for split in HELD_OUT}


def sources_sha256() -> str:
    """One hash over the lexicon and the ways of saying."""
    digest = hashlib.sha256()
    for path in sorted([*lexicon.FOLDER.glob("*.txt"), *ways.FOLDER.glob("*.txt")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _write(
    folder: Path, split: str, count: int, seed: int, more: tuple[Name, ...]
) -> dict[str, object]:
    tally: Counter[str] = Counter()
    made = notes(split, count, seed, held_out=HELD_OUT[split], vocabulary=more)
    with atomic(folder / _file(split)) as out:
        jsonl.write(
            _counted(tqdm(made, split, count, unit=" notes", disable=not sys.stderr.isatty()), tally),
            out,
        )
    digest = hashlib.sha256((folder / _file(split)).read_bytes()).hexdigest()
    return {"notes": count, **dict(sorted(tally.items())), "sha256": digest}


def _counted(documents: Iterable[Document], tally: Counter[str]) -> Iterator[Document]:
    for d in documents:
        tally["mentions"] += len(d.entities)
        tally["relations"] += len(d.relations)
        yield d


def _file(split: str) -> str:
    return f"{split}.jsonl"
