"""Reading the documents and counting."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from core import scoring
from core.document import Document
from core.errors import ChartmarkError
from core.evaluation import data as sets
from core.evaluation.report import (
    ATTRIBUTES,
    CONCEPTS,
    ENTITIES,
    GIVEN,
    RELATIONS,
    RELAXED,
    TOKENS,
    Note,
    Report,
)  # fmt: skip
from core.extraction import Annotation, Extractor, models
from core.overlap import Trained
from core.scoring import Counts, slices
from core.scoring.confusion import entity_confusion, relation_confusion
from core.scoring.curves import calibration, curve
from core.scoring.errors import errors
from core.scoring.strict import relation_matches, span_matches
from core.version import code_version

# For curves, what the model thinks possible at all; its own thresholds decide everything else.
LOWEST = 0.05
CHUNK = 64
Progress = Callable[[int, int], None]
Pair = tuple[Document, Annotation]


def evaluate(
    model: str,
    data: str,
    folder: Path | None,
    db: Path,
    *,
    allow_overlap: bool = False,
    progress: Progress = lambda *_: None,
) -> Report:
    """Score a model on gold labels (`data` as in `core.evaluation.data.documents`).

    Raises ChartmarkError if there are none, if they have labels that the model does not know, or if it
    was trained on some of them or their sentences, unless `allow_overlap` leaves those out.
    """
    gold = sets.documents(data, folder, db)
    trained = Trained.load(models.folder(model))
    overlapping = [d.id for d in gold if trained and trained.overlaps(d)]
    if overlapping and not allow_overlap:
        some = ", ".join(overlapping[:5]) + (" ..." if len(overlapping) > 5 else "")
        raise ChartmarkError(
            f"{model} was trained on {len(overlapping)} of these {len(gold)} documents, or on "
            f"sentences of theirs ({some}); score it on others, or on the rest with --allow-overlap"
        )
    left_out = set(overlapping)
    gold = [d for d in gold if d.id not in left_out]
    if not gold:
        raise ChartmarkError(f"{model} was trained on all of {data}; score it on other documents")
    extractor = models.load(model)
    _check(model, extractor, gold)
    found, possible, given = _read(extractor, gold, progress)
    pairs = list(zip(gold, found, strict=True))
    groups = [str(d.meta.get("group", d.id)) for d in gold]
    counts = _counts(extractor, pairs, given)
    symmetric = extractor.schema.symmetric
    return Report(
        model=model,
        data=data,
        data_sha256=sets.sha256(gold),
        version=code_version(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        settings={"corpora": str(folder or ""), "db": str(db)},
        documents=len(gold),
        groups=len(set(groups)),
        trained=trained is not None,
        left_out=overlapping,
        scores={kind: scoring.summarise(c, groups) for kind, c in counts.items()},
        **_trust(gold, possible, symmetric),
        confusion={
            "entities": _table(entity_confusion(d, a) for d, a in pairs),
            "relations": _table(relation_confusion(d, a, symmetric) for d, a in pairs),
        },
        slices=_slices(pairs, trained, sets.making(data, db), symmetric),
        errors=_errors(pairs, symmetric),
        notes=[
            Note(d.id, g, {k: c[i] for k, c in counts.items()}, _reading(d, a))
            for i, ((d, a), g) in enumerate(zip(pairs, groups, strict=True))
        ],
    )


def _check(model: str, extractor: Extractor, gold: Sequence[Document]) -> None:
    for d in gold:
        try:
            extractor.schema.check(d)
        except ChartmarkError as error:
            raise ChartmarkError(f"{model} has other labels than these documents: {error}") from None


def _read(
    extractor: Extractor, gold: Sequence[Document], progress: Progress
) -> tuple[list[Annotation], list[Annotation], list[Annotation]]:
    """What the model reads by its own thresholds, at LOWEST, and between gold mentions."""
    found: list[Annotation] = []
    possible: list[Annotation] = []
    given: list[Annotation] = []
    for at in range(0, len(gold), CHUNK):
        progress(at, len(gold))
        part = gold[at : at + CHUNK]
        texts = [d.text for d in part]
        found += extractor.extract(texts)
        possible += extractor.extract(texts, LOWEST)
        given += extractor.relate(texts, [d.entities for d in part])
    progress(len(gold), len(gold))
    return found, possible, given


def _counts(
    extractor: Extractor, pairs: Sequence[Pair], given: Sequence[Annotation]
) -> dict[str, list[Counts]]:
    symmetric = extractor.schema.symmetric
    gold = [d for d, _ in pairs]
    related = list(zip(gold, given, strict=True))
    counts = {
        ENTITIES: [scoring.entity_counts(d, a) for d, a in pairs],
        RELAXED: [scoring.relaxed_counts(d, a) for d, a in pairs],
        TOKENS: [scoring.token_counts(d, a) for d, a in pairs],
        RELATIONS: [scoring.relation_counts(d, a, symmetric) for d, a in pairs],
        GIVEN: [scoring.relation_counts(d, a, symmetric) for d, a in related],
    }
    if any(d.concept_relations for d in gold):
        counts[CONCEPTS] = [scoring.concept_counts(d, a, symmetric) for d, a in related]
    for t in extractor.schema.attributes:
        counts[ATTRIBUTES.format(t.name)] = [scoring.attribute_counts(d, a, t) for d, a in pairs]
    return counts


def _trust(
    gold: Sequence[Document], possible: Sequence[Annotation], symmetric: frozenset[str]
) -> dict[str, Any]:
    """Curves and calibration of mentions and of relations; empty for a model that gives no scores."""
    judged: dict[str, list[tuple[float, bool]]] = {"entities": [], "relations": []}
    wanted = {"entities": 0, "relations": 0}
    for d, a in zip(gold, possible, strict=True):
        for kind, matches in (
            ("entities", span_matches(d, a)),
            ("relations", relation_matches(d, a, symmetric)),
        ):
            judged[kind] += [(x.score, g is not None) for x, g in matches.read if x.score is not None]
            wanted[kind] += len(matches.missed) + sum(g is not None for _, g in matches.read)
    return {
        "curves": {k: curve(j, wanted[k]) for k, j in judged.items()},
        "calibration": {k: calibration(j) for k, j in judged.items()},
    }


def _slices(
    pairs: Sequence[Pair], trained: Trained | None, making: dict[str, str], symmetric: frozenset[str]
) -> dict[str, dict[str, dict[str, scoring.Score]]]:
    """Micro scores of parts. Those with one part only tell nothing and are left out."""
    count: dict[str, Callable[[Document, Annotation], Counts]] = {
        ENTITIES: scoring.entity_counts,
        RELATIONS: partial(scoring.relation_counts, symmetric=symmetric),
    }
    cut: dict[str, tuple[dict[str, list[Pair]], tuple[str, ...]]] = {
        "by length of the note": (slices.by_length(pairs), (ENTITIES, RELATIONS)),
        "by source": (slices.by(pairs, _source), (ENTITIES, RELATIONS)),
        "by how gold was made": (
            slices.by(pairs, lambda d: making.get(d.id, "elsewhere")),
            (ENTITIES, RELATIONS),
        ),
        "by distance of the pair": (slices.by_distance(pairs), (RELATIONS,)),
    }
    if trained:
        cut["by name"] = (slices.by_name(pairs, trained.seen), (ENTITIES,))
    return {
        title: {
            name: {
                kind: scoring.summarise([count[kind](d, a) for d, a in part])[scoring.MICRO]
                for kind in kinds
            }
            for name, part in parts.items()
        }
        for title, (parts, kinds) in cut.items()
        if len(parts) > 1
    }


def _table(cells: Iterator[Counter[tuple[str, str]]]) -> list[tuple[str, str, int]]:
    whole: Counter[tuple[str, str]] = Counter()
    for c in cells:
        whole += c
    return [(g, r, n) for (g, r), n in sorted(whole.items())]


def _errors(pairs: Sequence[Pair], symmetric: frozenset[str]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for d, a in pairs:
        for e in errors(d, a, symmetric):
            found[e.kind][e.label] += 1
    return {kind: dict(c.most_common()) for kind, c in found.items()}


def _reading(d: Document, a: Annotation) -> dict[str, list[dict[str, object]]]:
    """What was read, without the text."""
    read = Document(id=d.id, text=d.text, entities=a.entities, relations=a.relations)
    data = read.model_dump(mode="json", include={"entities", "relations"}, exclude_defaults=True)
    return {"entities": data["entities"], "relations": data["relations"]}


def _source(d: Document) -> str:
    return str(d.meta.get("source", "")) or "no source"
