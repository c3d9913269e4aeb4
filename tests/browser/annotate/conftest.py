"""The Annotate tab on documents of a test's own, and ways to look at its page and its store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

from core.document import Document
from core.queue import Settings
from core.store import documents, places, predictions, revisions
from core.store.connection import Store
from core.store.revisions import IMPORTED, LOCAL, Revision, Save
from tests.serving import served

VIEWPORT: Any = {"width": 1440, "height": 900}
SOURCE = "this test"  # where the notes of the test that runs come from


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

    @property
    def queue(self) -> list[int]:
        return sorted(self.ask("a.queue.map(q => q.id)"))

    @property
    def settings(self) -> Settings:
        """What the page's queue was made with."""
        return Settings.of(self.ask("a.value.settings"))

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


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app of these tests has its database and log: every test has notes of its own in there,
    so one app serves them all."""
    return tmp_path_factory.mktemp("annotate")


@pytest.fixture(scope="package")
def address(folder: Path) -> Iterator[str]:
    with served(log=folder / "log") as (url, _):
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """For a page of a test's own: one that is left, or stands beside another."""
    made = browser.new_context(viewport=VIEWPORT)
    yield made
    made.close()


@pytest.fixture(scope="package")
def shared() -> Iterator[list[Page]]:
    """The page that tests hand on, if there is one."""
    pages: list[Page] = []
    yield pages
    for page in pages:
        page.context.close()


@pytest.fixture(scope="package")
def trouble() -> list[str]:
    """What pages of the annotator did that no page may do."""
    return []


@pytest.fixture
def bench(
    request: pytest.FixtureRequest,
    browser: Browser,
    address: str,
    folder: Path,
    shared: list[Page],
    trouble: list[str],
) -> Iterator[Open]:
    """Open the tab on documents (with readings of the starter as suggestions, if given).

    To load the page takes seconds, and a new queue makes a new annotator in it: so it is handed from
    test to test, unless one failed in it, its queue has other settings, or a test wants a page in a
    `context` of its own.
    """
    store = Store(folder / "annotations.db")
    failed = request.session.testsfailed

    def new(context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda e: trouble.append(f"error: {e}"))
        page.on("dialog", lambda d: (trouble.append(f"dialog: {d.message}"), d.dismiss()))
        page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:")) else trouble.append(r.url),
        )
        return page

    def open_on(
        *notes: Document,
        read: dict[str, Document] | None = None,
        context: BrowserContext | None = None,
        **settings: Any,
    ) -> Bench:
        with store.writing() as db:  # what other tests left is in nobody's queue
            db.execute("UPDATE documents SET source = 'earlier' WHERE source = ?", [SOURCE])
        keys = {n.id: add(store, n, SOURCE, (read or {}).get(n.id)) for n in notes}
        wanted = Settings(**{"source": SOURCE, "model": "starter" if read else "", **settings})
        if not context and shared:
            made = Bench(store, shared[0], keys)
            if made.settings == wanted:
                begin(made)
                return made
            shared.pop().context.close()
        page = new(context or browser.new_context(viewport=VIEWPORT))
        if not context:
            shared.append(page)
        made = Bench(store, page, keys)
        # A page of the last test may still tell the server where it is.
        for _ in range(5):
            places.remember(store, LOCAL, wanted.values(), None)
            show(page, address)
            if made.queue == sorted(keys.values()) and made.settings == wanted:
                break
        return made

    yield open_on
    found, trouble[:] = trouble[:], []
    if shared and (found or request.session.testsfailed > failed or not quiet(shared[0])):
        shared.pop().context.close()
    store.close()
    assert found == []


def begin(b: Bench) -> None:
    """Let the queue begin anew in a page that has it open, as its button does."""
    page = b.page
    page.set_viewport_size(VIEWPORT)
    page.get_by_role("tab", name="Notes", exact=True).click()
    button = page.locator("#start-queue")
    if not button.count():  # it is made when it is first unfolded
        page.get_by_text("What is in the queue").click()
        button.wait_for()
        page.get_by_text("What is in the queue").click()
        button.wait_for(state="hidden")
    button.dispatch_event("click")
    page.wait_for_function(
        "keys => { const a = document.querySelector('#annotator .annotator')?.annotator;"
        " return a?.sheet && a.queue.length === keys.length"
        " && a.queue.every((q) => keys.includes(q.id)) }",
        arg=list(b.keys.values()),
    )


def quiet(page: Page) -> bool:
    """Save what is unsaved in a page, without the pause that waits for more of it: a new queue would
    not begin before."""
    outbox = "document.querySelector('#annotator .annotator').annotator.outbox"
    try:
        page.evaluate(f"{outbox}.send(0)")
        page.wait_for_function(f"!{outbox}.waiting.size", timeout=3000)
    except PlaywrightError:
        return False
    return True


@contextmanager
def opened(browser: Browser, folder: Path, notes: list[Document], model: str) -> Iterator[Bench]:
    """An app of its own on these notes, with their labels as imported: what bench/ measures with."""
    folder.mkdir(exist_ok=True)
    store = Store(folder / "annotations.db")
    keys = {n.id: add(store, n, n.meta.get("source", "")) for n in notes}
    places.remember(store, LOCAL, Settings(model=model, blind=False).values(), None)
    with served(log=folder / "log") as (address, _):
        page = browser.new_page(viewport=VIEWPORT)
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
