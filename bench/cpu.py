"""The `cpu` preset on a few hundred notes, beside spaCy's own `ner` trained on the same ones.

    python bench/cpu.py [--notes 300] [--test 300] [--spacy-epochs 30]

Both learn from the same synthetic notes and read the same unseen ones (names and ways of saying that
training never saw). spaCy's knows no nested mentions and no relations: it learns the outermost ones,
and both are scored on all. Speed is notes a second over all unseen notes, in turns.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("CHARTMARK_RUNS", tempfile.mkdtemp())

from core.extraction import hub

hub.settle(allowed=False)

import spacy  # noqa: E402
from spacy.language import Language  # noqa: E402
from spacy.training import Example  # noqa: E402
from spacy.util import compounding, filter_spans, minibatch  # noqa: E402

from core import scoring  # noqa: E402
from core.document import Document, Entity  # noqa: E402
from core.extraction import Annotation, models  # noqa: E402
from core.schema import default_schema  # noqa: E402
from training import preset, run  # noqa: E402
from training.data import Mix  # noqa: E402
from training.synthetic.generate import HELD_OUT  # noqa: E402
from training.synthetic.notes import notes  # noqa: E402

SCHEMA = default_schema()


def ours(count: int) -> str:
    """Train by the preset; returns the run's name."""
    values = preset.load("cpu", ["corpora={}"])
    folder = run.create(run.Config("cpu", values, SCHEMA, Mix(synthetic=count), "bench", "starter"))
    run.work(folder)
    return folder.name


def theirs(documents: Sequence[Document], epochs: int) -> Language:
    """spaCy's `ner` from a blank English pipeline, as its documentation trains it."""
    random.seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    examples = []
    for d in documents:
        doc = nlp.make_doc(d.text)
        spans = (doc.char_span(e.start, e.end, e.type, alignment_mode="expand") for e in d.entities)
        kept = filter_spans([s for s in spans if s is not None])
        told = {"entities": [(s.start_char, s.end_char, s.label_) for s in kept]}
        examples.append(Example.from_dict(doc, told))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(epochs):
        random.shuffle(examples)
        for part in minibatch(examples, size=compounding(4.0, 32.0, 1.001)):
            nlp.update(part, sgd=optimizer, drop=0.2)
    return nlp


def read(nlp: Language, texts: Sequence[str]) -> list[Annotation]:
    found = []
    for doc in nlp.pipe(texts, batch_size=64):
        spans = enumerate(doc.ents, start=1)
        entities = (
            Entity(id=f"T{i}", start=s.start_char, end=s.end_char, type=s.label_) for i, s in spans
        )
        found.append(Annotation(entities=tuple(entities), relations=()))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--notes", type=int, default=300)
    options.add_argument("--test", type=int, default=300)
    options.add_argument("--spacy-epochs", type=int, default=30)
    args = options.parse_args()
    began = time.perf_counter()
    name = ours(args.notes)
    took = {"cpu preset": time.perf_counter() - began}
    began = time.perf_counter()
    nlp = theirs(list(notes("train", args.notes, 0, held_out=False)), args.spacy_epochs)
    took["spaCy ner"] = time.perf_counter() - began

    test = list(notes("test", args.test, 0, held_out=HELD_OUT["test"]))
    texts = [d.text for d in test]
    readers: dict[str, Callable[[Sequence[str]], list[Annotation]]] = {
        "cpu preset": models.load(name).extract,
        "spaCy ner": lambda t: read(nlp, t),
        "starter": models.load("starter").extract,
    }
    speeds: dict[str, list[float]] = {n: [] for n in readers}
    found: dict[str, list[Annotation]] = {}
    for work in readers.values():
        work(texts[:8])
    for _ in range(3):
        for n, work in readers.items():
            began = time.perf_counter()
            found[n] = work(texts)
            speeds[n].append(len(texts) / (time.perf_counter() - began))
    print(f"{args.notes} synthetic notes to learn from, {args.test} unseen ones; strict micro F1")
    print(f"{'':14}{'training s':>11}{'notes/s':>9}{'entities':>10}{'relations':>11}")
    for n, answers in found.items():
        pairs = list(zip(test, answers, strict=True))
        entity = scoring.summarise([scoring.entity_counts(d, a) for d, a in pairs])[scoring.MICRO]
        counts = [scoring.relation_counts(d, a, SCHEMA.symmetric) for d, a in pairs]
        relation = scoring.summarise(counts)[scoring.MICRO]
        seconds = f"{took[n]:11.0f}" if n in took else f"{'-':>11}"
        print(
            f"{n:14}{seconds}{statistics.median(speeds[n]):9.1f}{entity.f1:10.3f}"
            f"{relation.f1 if n != 'spaCy ner' else 0:11.3f}"
        )


if __name__ == "__main__":
    main()
