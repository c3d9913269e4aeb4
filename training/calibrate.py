"""Turning a trained network's scores into probabilities, and choosing where each label is reported.

All on tuning documents, which the network never trained on and no reported figure uses.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from core import scoring
from core.document import Document
from core.extraction import Annotation
from core.extraction.network import Batch
from core.extraction.one_pass import Calibration, OnePassExtractor, batches
from core.schema import Schema
from training.examples import Example, Labels, batch
from training.loss import pair_loss, pair_scores, span_loss
from training.synthetic import notes

# A label with fewer gold examples than this to learn from, or to choose its threshold by, is
# switched off rather than guessed at.
FEWEST_TO_TRAIN, FEWEST_TO_TUNE = 50, 10
_TEMPERATURES = np.geomspace(0.4, 4.0, 25)
_GRID = np.linspace(0.1, 0.9, 33)


def uncalibrated(schema: Schema) -> Calibration:
    """Every label on, at one half."""
    return Calibration(
        span_temperature=1.0,
        pair_temperature=1.0,
        entities=dict.fromkeys(schema.entity_names, 0.5),
        relations=dict.fromkeys(schema.relation_names, 0.5),
        attributes=tuple(a.name for a in schema.attributes),
    )


def calibrate(
    reader: OnePassExtractor,
    examples: Sequence[Example],
    documents: Sequence[Document],
    support: Counter[str],
) -> Calibration:
    """Temperatures by likelihood (Guo et al. 2017), then thresholds by strict F1: one for all entity
    types and one for all relation types, which do better on notes of other kinds than one for each.

    `support` counts the training documents' labels: entity types, relation types, and attributes.
    """
    spans, pairs = _temperatures(reader, examples)
    schema = reader.schema
    start = Calibration(
        span_temperature=spans,
        pair_temperature=pairs,
        entities=dict.fromkeys(schema.entity_names, float(_GRID[0])),
        relations=dict.fromkeys(schema.relation_names, float(_GRID[0])),
        attributes=tuple(a.name for a in schema.attributes if support[a.name] >= FEWEST_TO_TRAIN),
    )
    texts = [d.text for d in documents]
    reader.calibration = start
    found = reader.extract(texts)
    entities = _best(found, documents, scoring.entity_counts, _entities_above, _source)
    reader.calibration = replace(start, entities=_enough(entities, support))
    # Annotators who looked for one relation of several stated far from all of it: what is too much
    # shows only in documents in which everything was looked for, if they are enough.
    found = reader.extract(texts)
    count = partial(scoring.relation_counts, symmetric=schema.symmetric)
    whole = sum(len(d.relations) for d in documents if d.annotated is None)
    kind = _whose if whole >= FEWEST_TO_TUNE else _source
    relations = _best(found, documents, count, _relations_above, kind)
    return replace(reader.calibration, relations=_enough(relations, support))


def _source(d: Document) -> str:
    return str(d.meta.get("source"))


def _whose(d: Document) -> str | None:
    """Synthetic or people's, who have few notes in each source; None if not all was looked for."""
    if d.annotated is not None:
        return None
    return "synthetic" if d.meta.get("source") == notes.SOURCE else "people"


def _entities_above(a: Annotation, threshold: float) -> Annotation:
    kept = tuple(e for e in a.entities if e.score is None or e.score > threshold)
    return Annotation(entities=kept, relations=())


def _relations_above(a: Annotation, threshold: float) -> Annotation:
    return replace(a, relations=tuple(r for r in a.relations if r.score is None or r.score > threshold))


def _best(
    found: Sequence[Annotation],
    documents: Sequence[Document],
    count: Callable[[Document, Annotation], scoring.Counts],
    above: Callable[[Annotation, float], Annotation],
    kind: Callable[[Document], str | None],
) -> dict[str, tuple[float, int]]:
    """For each label the threshold at which F1, its mean over the documents' kinds, is best, and how
    many gold labels it has.

    A kind with many labels would decide alone otherwise; a document of no kind decides nothing. Gold
    mentions of an ambiguous type count for each type that they may have.
    """
    support: Counter[str] = Counter()
    for d, a in zip(documents, found, strict=True):
        for label, (tp, _, fn) in count(d, a).items():
            support.update(dict.fromkeys(label.split("|"), tp + fn))
    best, reached = float(_GRID[0]), -1.0
    for t in _GRID:
        total: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for d, a in zip(documents, found, strict=True):
            if (which := kind(d)) is None:
                continue
            for counts in count(d, above(a, float(t))).values():
                part = total[which]
                part[:] = [x + y for x, y in zip(part, counts, strict=True)]
        f1 = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in total.values() if tp + fn]
        if f1 and (mean := sum(f1) / len(f1)) > reached:
            best, reached = float(t), mean
    return {name: (best, n) for name, n in support.items()}


def _enough(best: dict[str, tuple[float, int]], support: Counter[str]) -> dict[str, float]:
    return {
        name: round(t, 3)
        for name, (t, n) in best.items()
        if n >= FEWEST_TO_TUNE and support[name] >= FEWEST_TO_TRAIN
    }


@torch.inference_mode()
def _temperatures(reader: OnePassExtractor, examples: Sequence[Example]) -> tuple[float, float]:
    losses = np.zeros((2, len(_TEMPERATURES)))
    for places in batches([e.window.cost for e in examples]):
        read, labels = batch(
            [examples[i] for i in places], reader.schema, reader.tokenizer.pad_token_id
        )
        losses += _losses(reader, read.to(reader.device), labels.to(reader.device))
    spans, pairs = (float(_TEMPERATURES[i]) for i in losses.argmin(1))
    return round(spans, 4), round(pairs, 4)


def _losses(reader: OnePassExtractor, read: Batch, labels: Labels) -> "np.typing.NDArray[np.float64]":
    states = reader.network.states(read)
    spans = reader.network.heads.spans(states)

    def row(loss: Callable[[Tensor], Tensor]) -> list[float]:
        return [float(loss(torch.tensor(t, dtype=torch.float32))) for t in _TEMPERATURES]

    rows = [row(lambda t: span_loss(spans / t, read, labels)), [0.0] * len(_TEMPERATURES)]
    if len(labels.head):
        mentions = reader.network.heads.mentions(states, labels.window, labels.start, labels.end)
        pairs = pair_scores(reader.network, states, mentions, labels)
        rows[1] = row(lambda t: pair_loss(pairs / t, labels))
    return np.array(rows)
