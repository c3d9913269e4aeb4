"""How far annotators agree, and what suggestions give: tables over what people completed."""

from collections import Counter, defaultdict
from itertools import combinations
from statistics import median
from typing import Any

import gradio as gr

from core import scoring
from core.document import Document
from core.store import work
from core.store.connection import Store
from core.store.work import SuggestedRelation, Suggestion, Work
from ui.annotate import review, versions

_AGREEMENT = ["annotators", "documents", "label", "F1", "95% interval", "Cohen's κ", "support"]
_OUTCOMES = ["type", "suggested", "accepted", "changed", "rejected", "in bulk"]
_SWAY = ["documents", "completed", "seconds each, median", "mentions added by hand, median"]
_ABOUT_AGREEMENT = (
    "### Agreement\nStrict F1 of one annotator's mentions and relations against another's, and "
    "Cohen's κ over words, on all documents that both completed."
)
_ABOUT_SUGGESTIONS = (
    "### Suggestions\nWhat became of them in completed documents; what was there before is left out."
)
_NOBODY = "Two people have completed no document in common yet."


def build(store: Store, tab: gr.Tab) -> None:
    told = gr.HTML(elem_id="agreement-report")
    with gr.Column():
        gr.Markdown(_ABOUT_AGREEMENT)
        pairs = gr.Dataframe(
            headers=_AGREEMENT,
            interactive=False,
            show_label=False,
            elem_id="agreement",
            buttons=["copy"],
        )
        gr.Markdown(_ABOUT_SUGGESTIONS)
        outcomes = gr.Dataframe(
            headers=_OUTCOMES, interactive=False, show_label=False, elem_id="outcomes", buttons=["copy"]
        )
        sway = gr.Dataframe(
            headers=_SWAY, interactive=False, show_label=False, elem_id="sway", buttons=["copy"]
        )

    def load() -> list[Any]:
        rows = agreement_rows(store)
        done = [w for _, w in work.completed(store)]
        empty = "" if rows else f'<div class="empty"><p>{_NOBODY}</p></div>'
        return [empty, rows, outcome_rows(done), sway_rows(done)]

    tab.select(
        load, None, [told, pairs, outcomes, sway], api_visibility="private", show_progress="hidden"
    )


def agreement_rows(store: Store) -> list[list[str | int]]:
    """A row a pair of annotators and label: figures over the documents that both completed."""
    common: dict[tuple[str, str], list[tuple[Document, Document]]] = defaultdict(list)
    for item in review.disputed(store, everything=True):
        for a, b in combinations(versions.complete(store, item.id), 2):
            common[a.annotator, b.annotator].append((a.document, b.document))
    schema = store.schema
    rows: list[list[str | int]] = []
    for (one, other), pairs in sorted(common.items()):
        found = scoring.agreement(pairs, schema.entity_names, schema.symmetric)
        for what, scores in (("mentions", found.mentions), ("relations", found.relations)):
            for label, s in scores.items():
                kappa = found.kappa.get(label) if what == "mentions" else None
                name = f"all {what}" if label == scoring.MICRO else label
                interval = f"{s.low:.3f} to {s.high:.3f}"
                rows.append(
                    [
                        f"{one}, {other}", found.documents, name, f"{s.f1:.3f}", interval,
                        "" if kappa is None else f"{kappa:.3f}", s.support,
                    ]
                )  # fmt: skip
    return rows


def outcome_rows(done: list[Work]) -> list[list[str | int]]:
    """By type, how many suggestions there were, and the shares of what became of them."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for w in done:
        said: tuple[Suggestion | SuggestedRelation, ...] = (*w.mentions, *w.relations)
        for s in said:
            if w.model and not s.there:
                counts[s.type][s.outcome] += 1
    return [
        [
            name, sum(n.values()),
            *(f"{n[k] / sum(n.values()):.0%}" for k in ("accepted", "changed", "rejected", "bulk")),
        ]
        for name, n in sorted(counts.items())
    ]  # fmt: skip


def sway_rows(done: list[Work]) -> list[list[str | int]]:
    """Documents with suggestions beside those that came without."""
    sets = {
        "with suggestions": [w for w in done if w.model],
        "blind, in a queue with suggestions": [w for w in done if w.blind],
        "without a model": [w for w in done if not w.model and not w.blind],
    }
    return [
        [name, len(part), round(median(w.seconds for w in part)), round(median(w.added for w in part))]
        for name, part in sets.items()
        if part
    ]
