"""The Annotate tab on documents of a test's own, and ways to look at its page and its store."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.document import Document
from core.queue import Settings
from core.store import documents, places, predictions, revisions
from core.store.connection import Store
from core.store.revisions import IMPORTED, LOCAL, Revision, Save
from tests.serving import served

_numbers = itertools.count(1)


class Bench:
    """A page with the annotator open, and the store behind it."""

    def __init__(self, store: Store, page: Page, keys: dict[str, int]) -> None:
        self.store, self.page, self.keys = store, page, keys

    def ask(self, script: str) -> Any:
        """What a script returns that has `a`, the annotator, and `d`, its desk."""
        return self.page.evaluate(
            "(() => { const a = document.querySelector('#annotator .annotator').annotator;"
            f" const d = a.desk; return {script} }})()"
        )

    def reload(self) -> None:
        self.page.reload()  # the page comes back to its tab; a click would take the focus from the note
        ready(self.page)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def box(self, words: str, nth: int = 0) -> dict[str, float]:
        """Where the nth occurrence of some words is on the screen."""
        return self.ask(
            "((w, n) => { let at = -1;"
            " for (let i = 0; i <= n; i++) at = a.sheet.string.indexOf(w, at + 1);"
            " const r = d.page.range(at, at + w.length).getBoundingClientRect();"
            " return {x: r.x, y: r.y, width: r.width, height: r.height} })"
            f"({words!r}, {nth})"
        )

    def select(self, words: str, nth: int = 0, into: tuple[float, float] = (0.5, 0.5)) -> None:
        """Drag the mouse from inside the first letter of some words to inside their last."""
        b = self.box(words, nth)
        y = b["y"] + b["height"] / 2
        self.page.mouse.move(b["x"] + into[0], y)
        self.page.mouse.down()
        self.page.mouse.move(b["x"] + b["width"] / 2, y)
        self.page.mouse.move(b["x"] + b["width"] - into[1], y)
        self.page.mouse.up()

    def click(self, words: str, nth: int = 0) -> None:
        b = self.box(words, nth)
        self.page.mouse.click(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2)

    def drag(self, source: str, target: str) -> None:
        a, b = self.box(source), self.box(target)
        self.page.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(b["x"] + 3, b["y"] + b["height"] / 2, steps=4)
        self.page.mouse.move(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2)
        self.page.mouse.up()

    def mentions(self) -> list[tuple[str, str]]:
        """What is marked on the page: words and type."""
        found = self.ask("d.labels.mentions.map(m => [a.sheet.string.slice(m.start, m.end), m.type])")
        return [tuple(m) for m in found]

    def relations(self) -> list[tuple[str, str, str]]:
        found = self.ask(
            "d.labels.relations.map(r => { const w = id => {"
            " const m = d.labels.mentions.find(x => x.id === id);"
            " return a.sheet.string.slice(m.start, m.end) }; return [w(r.head), r.type, w(r.tail)] })"
        )
        return [tuple(r) for r in found]

    def saved(self) -> None:
        """Wait until all is acknowledged."""
        expect(self.page.locator("#annotator .state")).to_have_text("saved")

    def stored(self, name: str, annotator: str = LOCAL) -> Revision:
        found = revisions.newest(self.store.db, self.keys[name], annotator)
        assert found is not None, f"nothing is stored of {name}"
        return found

    def count(self, name: str) -> int:
        return len(revisions.history(self.store, self.keys[name]))


Open = Callable[..., Bench]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 900})
    yield made
    made.close()


@pytest.fixture
def bench(context: BrowserContext, address: str, folder: Path) -> Iterator[Open]:
    """Open the tab on documents (with readings of the starter as suggestions, if given)."""
    trouble: list[str] = []
    store = Store(folder / "annotations.db")

    def open_on(
        *notes: Document, read: dict[str, Document] | None = None, watched: bool = True, **settings: Any
    ) -> Bench:
        source = f"set {next(_numbers)}"
        keys = {n.id: add(store, n, source, (read or {}).get(n.id)) for n in notes}
        chosen = Settings(**{"source": source, "model": "starter" if read else "", **settings})
        page = context.new_page()
        page.on("pageerror", lambda e: trouble.append(f"error: {e}"))
        page.on("dialog", lambda d: (trouble.append(f"dialog: {d.message}"), d.dismiss()))
        if watched:
            page.on(
                "request",
                lambda r: (
                    None if r.url.startswith((address, "data:", "blob:")) else trouble.append(r.url)
                ),
            )
        made = Bench(store, page, keys)
        # A page of the last test may still tell the server where it is.
        for _ in range(5):
            places.remember(store, LOCAL, chosen.values(), None)
            show(page, address)
            if made.ask("a.value.settings.source") == chosen.source:
                break
        return made

    yield open_on
    store.close()
    assert trouble == []


@contextmanager
def opened(browser: Browser, folder: Path, notes: list[Document], model: str) -> Iterator[Bench]:
    """An app of its own on these notes, with their labels as imported: what bench/ measures with."""
    folder.mkdir(exist_ok=True)
    store = Store(folder / "annotations.db")
    keys = {n.id: add(store, n, n.meta.get("source", "")) for n in notes}
    places.remember(store, LOCAL, Settings(model=model, blind=False).values(), None)
    with served(log=folder / "log") as (address, _):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        show(page, address)
        yield Bench(store, page, keys)
        page.close()
    store.close()


def add(store: Store, note: Document, source: str, read: Document | None = None) -> int:
    """Put a document into the store, its labels as imported, a reading as the starter's."""
    placed = note.model_copy(update={"meta": {**note.meta, "source": source}})
    with store.writing() as db:
        key, _ = documents.add(db, placed, "", "tester")
        if note.entities:
            revisions.add(db, Save(key, IMPORTED, placed, "complete", "", "imported", 1), "tester")
        if read:
            predictions.add(db, key, "starter", read, "tester")
    return key


def show(page: Page, address: str) -> None:
    """Load the page and go to the tab, until a document is there."""
    page.goto(address)
    page.get_by_role("tab", name="Annotate", exact=True).click()
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("#annotator .page")).to_be_visible()
    # Keys pressed before the page has come back to its tab would go nowhere.
    page.wait_for_function("document.body.dataset.loaded")
    page.wait_for_function("document.querySelector('#annotator .annotator')?.annotator.sheet")


def plain(name: str, text: str, **more: Any) -> Document:
    return Document(id=name, text=text, entities=(), relations=(), **more)
