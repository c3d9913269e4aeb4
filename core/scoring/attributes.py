"""Counts of attribute values, over the mentions that were strictly right."""

from collections import defaultdict

from core.document import Document
from core.extraction import Annotation
from core.schema import AttributeType
from core.scoring.strict import types_of
from core.scoring.summary import FN, FP, TP, Counts


def attribute_counts(gold: Document, predicted: Annotation, attribute: AttributeType) -> Counts:
    """Matches of one attribute's values in one document; what is not written is the default.

    Where the document's annotators did not look for it, only mentions that have it all the same count.
    """
    everywhere = gold.annotated is None or attribute.name in gold.annotated.attributes
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    free = list(predicted.entities)
    for g in gold.entities:
        match = next(
            (p for p in free if (p.start, p.end) == (g.start, g.end) and p.type in types_of(g)), None
        )
        if match is None:
            continue
        free.remove(match)
        if not everywhere and attribute.name not in g.attributes:
            continue
        true = g.attributes.get(attribute.name, attribute.default)
        said = match.attributes.get(attribute.name, attribute.default)
        if true == said:
            counts[true][TP] += 1
        else:
            counts[true][FN] += 1
            counts[said][FP] += 1
    return dict(counts)
