"""Precision, recall and F1 on the exchange format alone: a module a way of counting, one that sums up.

What a document's annotators did not look for (`annotated`) is left out on both sides, everywhere.
"""

from core.scoring.agreement import Agreement, agreement
from core.scoring.attributes import attribute_counts
from core.scoring.concepts import concept_counts
from core.scoring.relaxed import relaxed_counts
from core.scoring.strict import entity_counts, relation_counts
from core.scoring.summary import MICRO, Counts, Score, macro, summarise, table
from core.scoring.tokens import token_counts

__all__ = [
    "MICRO", "Agreement", "Counts", "Score", "agreement", "attribute_counts", "concept_counts",
    "entity_counts", "macro", "relation_counts", "relaxed_counts", "summarise", "table", "token_counts",
]  # fmt: skip
