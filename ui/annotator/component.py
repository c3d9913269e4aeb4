"""The annotator as a Gradio component: gr.HTML with a script and a style of its own, no build step.

The page's side of it is the .js files beside this one, in the order below, in one function's scope. It
fetches and saves documents by itself (`ui.annotate.desk`), so that an edit never waits for Gradio's
queue and a lost connection loses nothing; Python only hands it a queue, as its value.
"""

from pathlib import Path
from typing import Any

import gradio as gr

_HERE = Path(__file__).parent
_SCRIPTS = (
    "text", "labels", "page", "arcs", "menu", "panes", "outbox", "mouse", "keys", "desk", "sheet",
    "annotator",
)  # fmt: skip
_CODE = "\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)


class Annotator(gr.HTML):
    """`value`: a queue of documents, its schema and settings, as `ui.annotate.desk.value` makes it."""

    def __init__(self, value: dict[str, Any] | None = None, **rest: Any) -> None:
        super().__init__(
            value=value,
            html_template="<div></div>",
            css_template=(_HERE / "style.css").read_text(encoding="utf-8"),
            js_on_load=f"const mount = element; (() => {{\n{_CODE}\n}})();",
            apply_default_css=False,
            **rest,
        )
