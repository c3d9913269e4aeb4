"""How much there is: documents by split and status, mentions and relations by type."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
import pandas as pd

from core.store.connection import Store
from core.store.documents import SPLITS


@dataclass(frozen=True, slots=True)
class Overview:
    outputs: list[Any]
    refresh: Callable[[], tuple[Any, ...]]


def build(store: Store) -> Overview:
    summary = gr.HTML(elem_id="data-summary")
    with gr.Accordion("Mentions and relations by type", open=False):
        plot = gr.BarPlot(
            x="type", y="count", color="kind", height=230, x_title="", y_title="in the newest labels",
            sort="-y", elem_id="data-plot",
        )  # fmt: skip

    def refresh() -> tuple[str, pd.DataFrame | None]:
        return _summary(store), _types(store)

    return Overview([summary, plot], refresh)


def _summary(store: Store) -> str:
    rows = store.rows("SELECT split, status, count(*) AS n FROM documents GROUP BY split, status")
    total = sum(r["n"] for r in rows)
    if not total:
        return (
            '<div class="empty"><p>There are no documents yet.</p><p>Import some, or make synthetic '
            "ones to try things out. Nothing leaves this machine.</p></div>"
        )
    (gold,) = store.rows("SELECT count(*) AS n FROM documents WHERE gold IS NOT NULL")
    split = {s: sum(r["n"] for r in rows if r["split"] == s) for s in (*SPLITS, "")}
    status = {r["status"]: 0 for r in rows}
    for r in rows:
        status[r["status"]] += r["n"]
    parts = [f"<b>{total:,}</b> documents", f"<b>{gold['n']:,}</b> with gold labels"]
    parts.append(", ".join(f"{escape(s or 'no split')} <b>{n:,}</b>" for s, n in split.items() if n))
    parts.append(", ".join(f"{escape(s)} <b>{n:,}</b>" for s, n in sorted(status.items())))
    return f'<p class="figures">{" · ".join(parts)}</p>'


def _types(store: Store) -> pd.DataFrame | None:
    found = [
        (r["type"], r["n"], kind)
        for table, kind in (("entities", "mentions"), ("relations", "relations"))
        for r in store.rows(f"SELECT type, count(*) AS n FROM {table} GROUP BY type")  # noqa: S608
    ]
    # An empty frame would make the plot take its axes for categories until a reload.
    return pd.DataFrame(found, columns=["type", "count", "kind"]) if found else None
