"""A model against gold labels: every figure with its kind, as lines of text and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from core import scoring
from core.document import Document
from core.errors import ChartmarkError
from core.extraction import models
from core.files import atomic
from core.formats import jsonl, passages
from core.formats.mapping import corpora
from core.store import revisions
from core.store.connection import existing
from core.store.documents import SPLITS


@dataclass(frozen=True, slots=True)
class Report:
    """Scores by kind of figure, then by label; `groups` is what the bootstrap draws."""

    model: str
    data: str
    documents: int
    groups: int
    scores: dict[str, dict[str, scoring.Score]]

    def lines(self) -> Iterator[str]:
        drawn = f"bootstrap over {self.groups} groups"
        yield f"{self.model} on {self.data}: {self.documents} documents, {drawn}"
        for kind, scores in self.scores.items():
            yield f"{kind}; macro F1 {scoring.macro(scores):.3f}"
            yield from scoring.table(scores)

    def write(self, path: Path) -> None:
        with atomic(path) as out:
            json.dump(asdict(self), out, indent=1)
            out.write("\n")


def evaluate(model: str, data: str, folder: Path | None, db: Path) -> Report:
    """Entities strict, relaxed and per token, relations end-to-end, attributes.

    `data` is a JSON Lines file, CORPUS/SPLIT of the folder, or a split of the database. Raises
    ChartmarkError if it has no documents.
    """
    documents = list(_documents(data, folder, db))
    if not documents:
        raise ChartmarkError(f"{data} has no documents with gold labels")
    extractor = models.load(model)
    found = extractor.extract([d.text for d in documents])
    groups = [str(d.meta.get("group", d.id)) for d in documents]
    pairs = list(zip(documents, found, strict=True))
    symmetric = extractor.schema.symmetric
    counts = {
        "entities, strict (type and both offsets)": [scoring.entity_counts(d, a) for d, a in pairs],
        "entities, relaxed (type, and spans overlap)": [scoring.relaxed_counts(d, a) for d, a in pairs],
        "entities, per token": [scoring.token_counts(d, a) for d, a in pairs],
        "relations, strict, end-to-end (type and both predicted mentions)": [
            scoring.relation_counts(d, a, symmetric) for d, a in pairs
        ],
        **{
            f"{t.name}, over strictly right mentions": [
                scoring.attribute_counts(d, a, t) for d, a in pairs
            ]
            for t in extractor.schema.attributes
        },
    }
    scores = {kind: scoring.summarise(c, groups) for kind, c in counts.items()}
    return Report(model, data, len(documents), len(set(groups)), scores)


def _documents(data: str, folder: Path | None, db: Path) -> Iterator[Document]:
    name, _, split = data.partition("/")
    if name in corpora() and split:
        if folder is None:
            raise ChartmarkError(f"say where the corpus {name} is: --corpora FOLDER")
        return corpora()[name].read(folder, split, Counter())
    if data.endswith(passages.SUFFIX):
        if folder is None:
            raise ChartmarkError("say where the texts of the passages are: --corpora FOLDER")
        return passages.read(Path(data), folder)
    if data in SPLITS:
        return revisions.gold(existing(db), data)
    return jsonl.read(Path(data))
