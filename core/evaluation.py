"""A model against gold labels, as lines of text that say which figure is which."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core import scoring
from core.document import Document
from core.errors import ChartmarkError
from core.extraction import models
from core.formats import jsonl
from core.formats.mapping import corpora


def report(model: str, data: str, folder: Path | None) -> Iterator[str]:
    """Strict entity and end-to-end relation scores. `data` is a JSON Lines file or CORPUS/SPLIT."""
    documents = list(_documents(data, folder))
    extractor = models.load(model)
    found = extractor.extract([d.text for d in documents])
    groups = [str(d.meta.get("group", d.id)) for d in documents]
    pairs = list(zip(documents, found, strict=True))
    symmetric = extractor.schema.symmetric
    yield f"{model} on {data}: {len(documents)} documents, bootstrap over {len(set(groups))} groups"
    yield "entities, strict (type and both offsets)"
    yield from scoring.table(scoring.summarise([scoring.entity_counts(d, a) for d, a in pairs], groups))
    yield "relations, strict, end-to-end (type and both predicted mentions)"
    yield from scoring.table(
        scoring.summarise([scoring.relation_counts(d, a, symmetric) for d, a in pairs], groups)
    )


def _documents(data: str, folder: Path | None) -> Iterator[Document]:
    name, _, split = data.partition("/")
    if name in corpora() and split:
        if folder is None:
            raise ChartmarkError(f"say where the corpus {name} is: --corpora FOLDER")
        return corpora()[name].read(folder, split, Counter())
    return jsonl.read(Path(data))
