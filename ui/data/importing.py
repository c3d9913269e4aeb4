"""Import: what is in the files, what their labels become, a look, and only then the store."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from core import importing
from core.document import Document
from core.errors import ChartmarkError
from core.formats import bundle, registry
from core.formats.mapping import LabelMap, RelationMap, corpora
from core.schema import Schema
from core.store.connection import Store
from core.store.documents import NO_SPLIT, SPLITS
from ui import displacy
from ui.access import user

_GUESSED, _OWN = "", ""
_LOOKED_AT, _SHOWN = 2000, 3
_LABELS = ["label in the file", "kind", "times", "becomes"]
_COPIES = "import-"
# A side file, read with the one it belongs to.
_BESIDE = ".relations.tsv"


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a folder of files that belong together, with the format that it looks like."""

    name: str
    path: str
    form: str | None


def build(store: Store) -> Any:
    """Lay out the tab; returns the event after which the store has changed."""
    with gr.Row():
        with gr.Column(scale=4, min_width=320):
            files = gr.File(label="Files, or a zip of them", file_count="multiple", elem_id="upload")
            form = gr.Dropdown(
                [("as it looks", _GUESSED), *_titles()],
                value=_GUESSED, label="Format", elem_id="import-format",
            )  # fmt: skip
            ready = gr.Dropdown(
                [("the table below", _OWN), *((c.title, c.name) for c in corpora().values())],
                value=_OWN, label="Label map", elem_id="import-map",
                info="What the files' labels are called here: a corpus's ready map, or your own.",
            )  # fmt: skip
            labels = gr.Dataframe(
                headers=_LABELS, datatype=["str", "str", "number", "str"], static_columns=[0, 1, 2],
                interactive=True, visible=False, elem_id="labels", buttons=[],
                label="Empty: left out, and counted. A|B: one of the two, it isn't told which.",
                column_widths=["160px", "90px", "70px", "150px"],
            )  # fmt: skip
            split = gr.Dropdown(
                [NO_SPLIT, *SPLITS], value=NO_SPLIT, label="Split", elem_id="import-split"
            )
            with gr.Row():
                check = gr.Button("Check the whole file", interactive=False, elem_id="check")
                go = gr.Button("Import", variant="primary", interactive=False, elem_id="import")
        with gr.Column(scale=6, min_width=340):
            report = gr.HTML(_HELP, elem_id="import-report")
            preview = gr.HTML(elem_id="import-preview")
    sources = gr.State(list[Source](), time_to_live=3600, delete_callback=_forget)

    def look(uploaded: list[str] | None, form: str, ready: str, before: list[Source]) -> list[Any]:
        _forget(before)
        off, on = gr.Button(interactive=False), gr.Button(interactive=True)
        if not uploaded:
            # After an import too: its report stays.
            return [[], gr.Dataframe(visible=False), off, off, gr.skip(), ""]
        found: list[Source] = []
        try:
            found = gathered([Path(f) for f in uploaded], Path(files.GRADIO_CACHE))
            known = Counter[tuple[str, str]]()
            told = []
            for s in found:
                read, part = 0, Counter[str]()
                for d in islice(importing.read(Path(s.path), form or s.form, None, part), _LOOKED_AT):
                    read += 1
                    known.update(("type", e.type) for e in d.entities)
                    known.update(("relation", r.type) for r in d.relations)
                    known.update(("relation", r.type) for r in d.concept_relations)
                title = registry.formats()[form or s.form or ""].title
                more = (
                    f"{read} documents"
                    if read < _LOOKED_AT
                    else f"the first {read} documents looked at"
                )
                told.append(f"<li><b>{escape(s.name)}</b>: {escape(title)}, {more}</li>")
            rows: list[list[Any]] = [
                [name, kind, n, _same(name, kind, store.schema)] for (kind, name), n in known.items()
            ]
            rows.sort(key=lambda r: (r[1] != "type", -r[2]))
            table = gr.Dataframe(value=rows, visible=bool(rows) and not ready)
            return [
                found, table, on, on, f"<ul>{''.join(told)}</ul>",
                shown(found, form, rows, ready),
            ]  # fmt: skip
        except ChartmarkError as error:
            _forget(found)
            problem = _problem(error)
            return [[], gr.Dataframe(visible=False), off, off, problem, ""]

    def shown(found: list[Source], form: str, rows: Any, ready: str) -> str:
        """The first documents as they would be stored."""
        try:
            labels = chosen_map(rows, ready, store.schema)
            parts: list[str] = []
            for s in found:
                read = importing.read(Path(s.path), form or s.form, labels, Counter())
                for d in islice(read, max(_SHOWN - len(parts), 0)):
                    store.schema.check(d)
                    parts.append(
                        f"<h4>{escape(d.id)}</h4>{displacy.highlighted(_begin(d), store.schema)}"
                        f"{displacy.arcs(_begin(d), store.schema)}"
                    )
            return "".join(parts)
        except ChartmarkError as error:
            return _problem(error)

    def mapped(found: list[Source], form: str, rows: Any, ready: str) -> tuple[str, Any]:
        return shown(found, form, rows, ready), gr.Dataframe(visible=not ready)

    def load(
        found: list[Source], form: str, rows: Any, ready: str, split: str, who: str,
        progress: gr.Progress, *, dry_run: bool,
    ) -> tuple[str, list[Source]]:  # fmt: skip
        """What came of each file, as HTML, and the files that could not be stored."""
        if not found:  # Gradio forgets what was chosen an hour ago, on an open page too
            return _problem(
                ChartmarkError("these files were chosen too long ago: choose them again")
            ), []
        told: list[str] = []
        failed: list[Source] = []
        for s in found:

            def shown_as(
                documents: Iterable[Document], what: str, name: str = s.name
            ) -> Iterator[Document]:
                yield from progress.tqdm(documents, desc=f"{what} {name}", unit=" documents")

            told.append(f"<h4>{escape(s.name)}</h4>")
            try:
                labels = chosen_map(rows, ready, store.schema)
                done = importing.load(
                    store, Path(s.path), form or s.form, labels,
                    "" if split == NO_SPLIT else split, who, dry_run=dry_run, progress=shown_as,
                )  # fmt: skip
                lines = "".join(f"<li>{escape(line.strip())}</li>" for line in done.lines())
                told.append(f"<ul>{lines}</ul>")
            except ChartmarkError as error:
                failed.append(s)
                told.append(_problem(error))
        return "".join(told), failed

    def check_all(
        found: list[Source], form: str, rows: Any, ready: str, split: str,
        request: gr.Request, progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:  # fmt: skip
        told, _ = load(found, form, rows, ready, split, user(request), progress, dry_run=True)
        return f'<p class="figures">A check: nothing was stored.</p>{told}'

    def store_all(
        uploaded: list[str], found: list[Source], form: str, rows: Any, ready: str, split: str,
        request: gr.Request, progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:  # fmt: skip
        told, failed = load(found, form, rows, ready, split, user(request), progress, dry_run=False)
        _forget([s for s in found if s not in failed])
        if failed:  # those stay, to be tried with another format or map
            return [gr.skip(), failed, *[gr.skip()] * 3, told, gr.skip()]
        _forget([], uploaded)  # texts stay nowhere but in the store
        off = gr.Button(interactive=False)
        return [None, [], gr.Dataframe(visible=False), off, off, told, ""]

    quiet: dict[str, Any] = {"api_visibility": "private"}
    gr.on(
        [files.change, form.input], look, [files, form, ready, sources],
        [sources, labels, check, go, report, preview], trigger_mode="always_last", **quiet,
    )  # fmt: skip
    gr.on(
        [labels.input, ready.input], mapped,
        [sources, form, labels, ready], [preview, labels], trigger_mode="always_last", **quiet,
    )  # fmt: skip
    check.click(check_all, [sources, form, labels, ready, split], report, **quiet)
    return go.click(
        store_all, [files, sources, form, labels, ready, split],
        [files, sources, labels, check, go, report, preview],
        concurrency_limit=1, **quiet,
    )  # fmt: skip


def _problem(error: ChartmarkError) -> str:
    """An error as HTML, the private folder's name taken out of the file's."""
    told = re.sub(rf"\S*/{_COPIES}[^/\s]*/(standoff/)?", "", str(error))
    return f'<div class="problem" role="alert">{escape(told)}</div>'


def _titles() -> list[tuple[str, str]]:
    return [(f.title, f.name) for f in registry.formats().values() if f.read]


def gathered(uploaded: list[Path], cache: Path) -> list[Source]:
    """What there is to import: files that belong together (.txt with .ann, CoNLL with its relations)
    side by side in one folder, archives of other files unpacked.

    Raises ChartmarkError if the format of one can't be told.
    """
    folder = Path(tempfile.mkdtemp(dir=cache, prefix=_COPIES))
    try:
        return _gathered(uploaded, folder)
    except (OSError, ChartmarkError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, ChartmarkError):
            raise
        raise ChartmarkError(f"can't unpack the files ({error.strerror})") from None


def _gathered(uploaded: list[Path], folder: Path) -> list[Source]:
    for path in uploaded:
        if bundle.archive(path) and registry.guess(path) is None:
            for name, content in bundle.members(path, "").items():
                _place(folder, Path(name).name).write_bytes(content())
        else:
            shutil.copyfile(path, _place(folder, path.name))
    files = sorted(folder.iterdir())
    sources = []
    if any(p.suffix == ".ann" for p in files):
        pairs = folder / "standoff"
        pairs.mkdir()
        marked = {p.stem for p in files if p.suffix == ".ann"}
        for p in (p for p in files if p.suffix in (".ann", ".txt") and p.stem in marked):
            p.rename(pairs / p.name)
        sources.append(Source(".txt and .ann files", str(pairs), "brat"))
        files = [p for p in sorted(folder.iterdir()) if p.is_file()]
    for p in files:
        if p.name.endswith(_BESIDE):
            continue
        form = registry.guess(p)
        if form is None:
            raise ChartmarkError(
                f"can't tell the format of {p.name}; choose one of the formats, or leave it out"
            )
        sources.append(Source(p.name, str(p), form.name))
    if not sources:
        raise ChartmarkError("there is no file in it that Chartmark could read")
    return sources


def _forget(sources: list[Source], uploaded: Sequence[str] | None = ()) -> None:
    """Delete the copies that were made to look at, and the uploads themselves."""
    for name in (*(s.path for s in sources), *(uploaded or ())):
        path = Path(name)
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        left = [p for p in path.parent.glob("[!.]*") if not p.name.endswith(_BESIDE)]
        if path.parent.name.startswith(_COPIES) and not left:
            shutil.rmtree(path.parent, ignore_errors=True)


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    if path.exists():
        raise ChartmarkError(f"there are two files called {name}; import one after the other")
    return path


def chosen_map(rows: Any, ready: str, schema: Schema) -> LabelMap | None:
    """The map that was chosen, or that the table's rows (label, kind, times, becomes) make.

    None where every label stays as it is. Raises ChartmarkError at a label that the schema lacks.
    """
    if ready:
        return corpora()[ready]
    rows = rows.values.tolist() if hasattr(rows, "values") else rows
    entities: dict[str, tuple[str, ...]] = {}
    relations: list[RelationMap] = []
    for label, kind, _, becomes in rows:
        names = tuple(n.strip() for n in str(becomes or "").split("|") if n.strip())
        known = schema.entity_names if kind == "type" else schema.relation_names
        for name in names:
            if name not in known:
                raise ChartmarkError(
                    f"{name!r} is no {kind} of the schema: choose from {', '.join(known)}"
                )
        if kind == "type" and names:
            entities[label] = names
        elif len(names) > 1:
            raise ChartmarkError(f"a relation becomes one type: {label!r} can't be {becomes!r}")
        elif names:
            relations.append(RelationMap(source=label, type=names[0]))
    if all(label == becomes for label, _, _, becomes in rows):
        return None
    same = {a.name: {v: {a.name: v} for v in a.values} for a in schema.attributes}
    return LabelMap(entities=entities, relations=tuple(relations), attributes=same)


def _same(name: str, kind: str, schema: Schema) -> str:
    """The schema's label of the same name, whatever its case, or nothing."""
    known = schema.entity_names if kind == "type" else schema.relation_names
    return next((k for k in known if k.lower() == name.lower()), "")


def _begin(d: Document) -> Document:
    """The first 3,000 characters, which are enough to judge labels by."""
    return d.part(0, 3000) if len(d.text) > 3000 else d


_HELP = (
    '<div class="empty"><p>Drop files here: JSON Lines, brat, PubTator, BioC, CoNLL, spaCy, '
    "Label Studio, doccano, CSV, Parquet or plain text.</p><p>You see what is in them and what "
    "their labels become before anything is stored. A file is stored whole or not at all.</p></div>"
)
