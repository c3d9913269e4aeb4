"""Never lose or mix up work: offline, a server that dies, two tabs, a closed tab."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.document import Annotated, Document, Entity
from core.queue import Settings
from core.schema import EntityType, Schema
from core.store import documents, places, revisions
from core.store.connection import Store
from core.store.revisions import LOCAL, Save
from tests.browser.annotate.conftest import Bench, Open, plain, ready, show
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

WORDS = "one two three four five six seven eight nine ten"


def mark(b: Bench, words: int) -> None:
    """Mark the first words, one each, by keys."""
    for _ in range(words):
        b.press("ArrowRight", "s")


def test_edits_made_offline_are_kept_and_saved_when_the_server_is_back(bench: Open) -> None:
    b = bench(plain("offline", f"{WORDS} (offline)"))
    mark(b, 1)
    b.saved()
    b.page.context.set_offline(True)
    for _ in range(9):
        b.press("ArrowRight", "s")
    expect(b.page.locator("#annotator .state")).to_contain_text("offline: a document waits here")
    assert len(b.stored("offline").document.entities) == 1
    b.page.context.set_offline(False)
    b.saved()
    assert len(b.stored("offline").document.entities) == 10
    assert b.count("offline") == 1  # one sitting, one draft


def test_completing_offline_goes_on_to_what_is_loaded_and_saves_both(bench: Open) -> None:
    b = bench(plain("off1", f"{WORDS} (off1)"), plain("off2", f"{WORDS} (off2)"))
    b.page.wait_for_timeout(500)  # the next document is fetched ahead
    b.page.context.set_offline(True)
    b.press("ArrowRight", "s", "c")
    expect(b.page.locator("#annotator .name")).to_have_text("off2")
    b.press("ArrowRight", "d")
    expect(b.page.locator("#annotator .state")).to_contain_text("2 documents wait here")
    # Back to the first: it is as it was left, though the server does not know yet.
    b.press(",")
    expect(b.page.locator("#annotator .name")).to_have_text("off1")
    assert b.mentions() == [("one", "Symptom")]
    b.page.context.set_offline(False)
    b.saved()
    assert b.stored("off1").status == "complete"
    assert b.stored("off2").document.entities[0].type == "Disease"


def test_two_tabs_on_one_document_both_survive(
    bench: Open, context: BrowserContext, address: str
) -> None:
    b = bench(plain("tabs", f"{WORDS} (tabs)"), context=context)
    other = context.new_page()
    show(other, address)
    second = Bench(b.store, other, b.keys)
    mark(b, 1)
    b.saved()
    other.bring_to_front()
    mark(second, 2)
    banner = other.locator("#annotator .banner")
    expect(banner).to_contain_text("changed elsewhere")
    panes = other.locator("#annotator .pane")
    expect(panes).to_have_count(2)
    expect(panes.nth(0)).to_contain_text("Saved meanwhile by local")
    expect(panes.nth(1).locator(".seg.differs")).to_have_count(1)
    assert len(b.stored("tabs").document.entities) == 1
    second.press("ArrowRight", "s")  # nothing can be edited until the choice is made
    assert len(second.mentions()) == 2
    banner.get_by_role("button", name="Keep mine").click()
    second.saved()
    assert len(b.stored("tabs").document.entities) == 2
    assert b.count("tabs") == 2  # theirs is still a revision
    # The first tab is now behind: it takes theirs, and has its own in undo.
    b.page.bring_to_front()
    b.press("ArrowRight", "ArrowRight", "ArrowRight", "d")
    expect(b.page.locator("#annotator .banner")).to_contain_text("changed elsewhere")
    b.page.get_by_role("button", name="Take theirs").click()
    assert len(b.mentions()) == 2
    b.page.wait_for_timeout(600)
    assert b.count("tabs") == 2
    b.press("Control+z")
    assert ("three", "Disease") in b.mentions() or ("four", "Disease") in b.mentions()
    b.saved()
    assert b.count("tabs") == 3


def test_a_closed_tab_comes_back_where_it_was(
    bench: Open, context: BrowserContext, address: str
) -> None:
    b = bench(*(plain(f"back{i}", f"{WORDS} (back{i})") for i in range(3)), context=context)
    b.press(".")
    expect(b.page.locator("#annotator .name")).to_have_text("back1")
    mark(b, 2)
    b.saved()
    b.page.close()
    page = context.new_page()
    show(page, address)
    expect(page.locator("#annotator .name")).to_have_text("back1")
    assert len(Bench(b.store, page, b.keys).mentions()) == 2


def test_leaving_with_unsaved_changes_sends_them(bench: Open, context: BrowserContext) -> None:
    b = bench(plain("leave", f"{WORDS} (leave)"), context=context)
    mark(b, 3)
    b.page.evaluate("window.dispatchEvent(new Event('pagehide'))")  # before the pause of the autosave
    for _ in range(50):
        if b.count("leave") and len(b.stored("leave").document.entities) == 3:
            break
        b.page.wait_for_timeout(100)
    assert len(b.stored("leave").document.entities) == 3
    b.saved()
    assert b.count("leave") == 1


def test_another_annotators_copy_is_never_touched(bench: Open) -> None:
    b = bench(plain("copy", f"{WORDS} (copy)"))
    theirs = Save(
        b.keys["copy"], "ann", plain("copy", f"{WORDS} (copy)"), "complete", "", "sitting ann", 1
    )
    revisions.save(b.store, theirs, "ann")
    mark(b, 1)
    b.press("c")
    b.saved()
    assert b.stored("copy", "ann").document.entities == ()
    assert len(b.stored("copy").document.entities) == 1
    assert (
        b.store.rows("SELECT status FROM documents WHERE id = ?", b.keys["copy"])[0]["status"]
        == "disputed"
    )


def test_what_the_server_refuses_holds_up_nobody_else(bench: Open, context: BrowserContext) -> None:
    names = ("gone", "next1", "next2")
    b = bench(*(plain(n, f"{WORDS} ({n})") for n in names), context=context)
    with b.store.writing() as db:
        db.execute("DELETE FROM places WHERE document = ?", [b.keys["gone"]])
        db.execute("DELETE FROM documents WHERE id = ?", [b.keys["gone"]])
    mark(b, 1)
    banner = b.page.locator("#annotator .banner")
    expect(banner).to_contain_text("“gone” is not saved: this document is no longer in the store")
    b.press(".")
    expect(b.page.locator("#annotator .name")).to_have_text("next1")
    mark(b, 1)
    b.press("c")
    expect(b.page.locator("#annotator .name")).to_have_text("next2")
    mark(b, 2)
    for _ in range(50):
        if b.count("next2"):
            break
        b.page.wait_for_timeout(100)
    assert b.stored("next1").status == "complete"
    assert len(b.stored("next2").document.entities) == 2
    b.press(",", ",")
    expect(b.page.locator("#annotator .name")).to_have_text("gone")
    assert len(b.mentions()) == 1  # kept in the page


def test_answers_that_come_late_change_nothing(bench: Open) -> None:
    """The same document asked for twice: the second answer must not replace what is being edited."""
    b = bench(plain("late1", f"{WORDS} (late1)"), plain("late2", f"{WORDS} (late2)"))
    held = []

    def hold(route) -> None:
        held.append(route)

    b.page.wait_for_timeout(500)
    b.page.route("**/annotate-open", hold)
    b.ask("(a.ahead = null, a.go(1), a.go(-1), a.go(1), null)")
    for _ in range(50):
        if len(held) >= 2:
            break
        b.page.wait_for_timeout(50)
    for route in list(held):
        route.continue_()
    b.page.unroute("**/annotate-open")
    expect(b.page.locator("#annotator .name")).to_have_text("late2")
    mark(b, 1)
    b.page.wait_for_timeout(500)
    assert len(b.mentions()) == 1
    b.press("c")
    b.saved()
    assert len(b.stored("late2").document.entities) == 1


def test_offline_the_document_on_the_desk_stays_and_can_be_edited(bench: Open) -> None:
    b = bench(*(plain(f"stay{i}", f"{WORDS} (stay{i})") for i in range(3)))
    b.page.wait_for_timeout(500)
    b.page.context.set_offline(True)
    b.press(".", ".")  # the second was fetched ahead, the third was not
    expect(b.page.locator("#annotator .toast")).to_contain_text("this document stays here")
    name = b.page.locator("#annotator .name").inner_text()
    mark(b, 1)
    assert len(b.mentions()) == 1
    b.page.context.set_offline(False)
    b.saved()
    assert len(b.stored(name).document.entities) == 1
    b.press("c")
    expect(b.page.locator("#annotator .name")).not_to_have_text(name)


def test_what_the_page_does_not_show_survives(bench: Open) -> None:
    whole = Document.model_validate(
        {
            "id": "whole", "text": "Lithium toxicity (whole).", "myextra": {"a": 1},
            "entities": ({"id": "a", "start": 0, "end": 7, "type": "Drug", "concepts": ("C1",)},),
            "relations": (), "concept_relations": ({"head": "C1", "tail": "C2", "type": "causes"},),
        }
    )  # fmt: skip
    b = bench(whole)
    b.press("c")
    b.saved()
    kept = b.stored("whole").document
    assert kept.concept_relations == whole.concept_relations
    assert kept.model_extra["myextra"] == {"a": 1}
    assert kept.entities[0].concepts == ("C1",)


def test_labels_of_an_earlier_schema_can_stay(bench: Open) -> None:
    d = Document(
        id="earlier", text="Aspirin today (earlier).", relations=(),
        entities=(Entity(id="a", start=0, end=7, type="Drug"),),
    )  # fmt: skip
    b = bench(d)
    before = b.store.schema
    other = EntityType(name="Gene", colour="#77AADD", shortcut="g")
    b.store.set_schema(Schema(name="genes", entities=(other,)), "tester")
    try:
        b.reload()
        b.select("today")
        b.saved()
        assert [e.type for e in b.stored("earlier").document.entities] == ["Drug", "Gene"]
    finally:
        b.store.set_schema(before, "tester")


def test_what_was_looked_for_gets_wider_on_purpose_only(bench: Open) -> None:
    sought = Annotated(entities=("Drug",))
    d = Document(
        id="narrow", text="Aspirin (narrow).", relations=(), annotated=sought,
        entities=(Entity(id="a", start=0, end=7, type="Drug"),),
    )  # fmt: skip
    b = bench(d, unfinished=False)
    expect(b.page.locator("#annotator .chips")).to_contain_text("only Drug")
    b.press("c")
    b.saved()
    assert b.stored("narrow").document.annotated == sought
    b.page.locator("#annotator .only").click()
    b.press("c")
    b.saved()
    assert b.stored("narrow").document.annotated is None


def test_a_server_that_dies_in_the_middle_loses_nothing(browser, tmp_path: Path) -> None:
    """kill -9 between edits, a restart on the same port, and the page goes on by itself."""
    store = Store(tmp_path / "annotations.db")
    with store.writing() as db:
        key, _ = documents.add(db, plain("dies", f"{WORDS} (dies)"), "", "tester")
    places.remember(store, LOCAL, Settings(model="").values(), None)
    server = Server(tmp_path, 0)
    try:
        address = server.address
        context = browser.new_context()
        page: Page = context.new_page()
        show(page, address)
        b = Bench(store, page, {"dies": key})
        mark(b, 3)
        b.saved()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        mark(b, 4)
        expect(page.locator("#annotator .state")).to_contain_text("offline")
        server = Server(tmp_path, server.port)
        # Saved by the page as it is, or, should it have loaded itself anew, before that.
        for _ in range(300):
            found = revisions.newest(store.db, key, LOCAL)
            if found and len(found.document.entities) == 7:
                break
            page.wait_for_timeout(100)
        assert found
        assert len(found.document.entities) == 7
        ready(page)
        assert len(b.mentions()) == 7
        context.close()
    finally:
        server.process.kill()
        server.process.wait()


class Server:
    """`python app.py` without the niceties of tests.serving: killed on purpose, and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        with socket.socket() as free:
            if not port:
                free.bind(("127.0.0.1", 0))
            self.port = port or free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        log, database = folder / f"log{time.monotonic_ns()}", str(folder / "annotations.db")
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port), "--db", database],
                cwd=ROOT, stdout=out, stderr=out,
            )  # fmt: skip
        for _ in range(600):
            if "Chartmark is at" in log.read_text():
                return
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.1)


def test_a_save_with_nonsense_in_it_is_refused(bench: Open, address: str) -> None:
    b = bench(plain("nonsense", f"{WORDS} (nonsense)"))
    sha = b.ask("a.sheet.sha256")
    good = {
        "document": b.keys["nonsense"], "who": "local", "sha256": sha, "base": "",
        "sitting": "x" * 12, "sequence": 1,
        "status": "draft", "labels": {"entities": [], "relations": []}, "work": {},
    }  # fmt: skip

    def send(**change: object) -> dict[str, object]:
        body = json.dumps({"data": [{**good, **change}]}).encode()
        request = urllib.request.Request(
            f"{address}/gradio_api/run/annotate-save", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["data"][0]

    mention = {"id": "T1", "start": 0, "end": 3, "type": "Symptom"}
    for change in (
        {"sha256": "0" * 64},
        {"status": "perfect"},
        {"labels": {"entities": [{**mention, "end": 999}], "relations": []}},
        {"labels": {"entities": [{**mention, "type": "Nonsense"}], "relations": []}},
        {
            "labels": {
                "entities": [mention],
                "relations": [{"head": "T1", "tail": "T9", "type": "causes"}],
            }
        },
        {"labels": {"entities": "no", "relations": []}},
        {"document": 10**9},
        {"sitting": ""},
        {"who": "ann"},
        {"mode": "review"},
    ):
        answer = send(**change)
        assert "problem" in answer, change
        assert "Chartmark failed" not in str(answer["problem"]), answer
        assert "one two" not in str(answer)
    assert b.count("nonsense") == 0
    assert "token" in send()
