"""Relations of a whole document between concepts, as BC5CDR and BioRED are scored officially.

What is compared are the sets of (type, head concept, tail concept) of a document. Predicted relations
become such triples by the concepts of the gold mentions at their ends; a mention that gold does not
have there has no concept, and a relation with it is left out. With gold mentions given
(`Extractor.relate`) this is the official measure of CID relations with perfect recognition.
"""

from collections import defaultdict

from core.document import Document
from core.extraction import Annotation
from core.scoring.summary import FN, FP, TP, Counts

Triple = tuple[str, str, str]


def concept_counts(gold: Document, predicted: Annotation, symmetric: frozenset[str]) -> Counts:
    """Right, wrong and missed triples of one document, by relation type."""
    true = {_ordered(r.type, r.head, r.tail, symmetric) for r in gold.concept_relations}
    concepts: dict[tuple[int, int], set[str]] = defaultdict(set)
    for g in gold.entities:
        concepts[g.start, g.end].update(g.concepts)
    ends = {e.id: concepts[e.start, e.end] for e in predicted.entities}
    said = {
        _ordered(r.type, head, tail, symmetric)
        for r in predicted.relations
        for head in ends[r.head]
        for tail in ends[r.tail]
        if head != tail
    }
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    for kind, triples in ((TP, true & said), (FP, said - true), (FN, true - said)):
        for name, _, _ in triples:
            counts[name][kind] += 1
    return dict(counts)


def _ordered(name: str, head: str, tail: str, symmetric: frozenset[str]) -> Triple:
    if name in symmetric and tail < head:
        head, tail = tail, head
    return name, head, tail
