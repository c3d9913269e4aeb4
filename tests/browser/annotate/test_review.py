"""Two annotators' versions, decided between into the adjudicated gold; and how far they agree."""

import pytest
from playwright.sync_api import expect

from core.document import Document, Entity, Relation
from core.store import revisions
from core.store.revisions import ADJUDICATED, Save
from tests.browser.annotate.conftest import Bench, Open, plain

pytestmark = pytest.mark.browser

TEXT = "Fever and cough. Aspirin for gout."


def version(name: str, *spans: tuple[int, int, str, str], related: bool = False) -> Document:
    entities = tuple(
        Entity(id=f"e{i}", start=a, end=z, type=t, attributes={"assertion": v})
        for i, (a, z, t, v) in enumerate(spans)
    )
    drug, gout = (next((e.id for e in entities if e.start == s), "") for s in (17, 29))
    relations = (Relation(head=drug, tail=gout, type="treats"),) if related else ()
    return Document(id=name, text=f"{TEXT} ({name})", entities=entities, relations=relations)


def two(b: Bench, name: str) -> None:
    fever, aspirin, gout = (
        (0, 5, "Symptom", "present"),
        (17, 24, "Drug", "present"),
        (29, 33, "Disease", "present"),
    )
    ann = version(name, fever, (10, 15, "Disease", "present"), aspirin, gout, related=True)
    bob = version(name, gout, fever, (10, 15, "Symptom", "absent"), aspirin)
    for who, labels in (("ann", ann), ("bob", bob)):
        revisions.save(
            b.store, Save(b.keys[name], who, labels, "complete", "", f"sitting {who}", 1), who
        )


def opened(b: Bench, name: str) -> None:
    b.page.get_by_role("tab", name="Review", exact=True).click()
    # The list of an earlier look may still be there.
    b.page.wait_for_function(
        "name => document.querySelector('#reviewer .annotator')"
        "?.annotator.queue.some((q) => q.name === name)",
        arg=name,
    )
    expect(b.page.locator("#reviewer .pane")).to_have_count(2)
    b.page.evaluate(
        "name => { const a = document.querySelector('#reviewer .annotator').annotator;"
        " a.open(a.queue.findIndex((q) => q.name === name)) }",
        name,
    )
    expect(b.page.locator("#reviewer .name")).to_have_text(name)
    expect(b.page.locator("#reviewer .annotator:not(.loading)")).to_be_visible()


def test_versions_are_decided_between_into_gold(bench: Open) -> None:
    b = bench(plain("review", f"{TEXT} (review)"))
    two(b, "review")
    opened(b, "review")
    panes = b.page.locator("#reviewer .pane")
    expect(panes.nth(0)).to_contain_text("ann")
    expect(panes.nth(0).locator(".seg.differs")).to_have_text("cough")
    # What both say is there; what they differ in is suggested, with the name of who said it.
    sheet = b.page.locator("#reviewer .sheet")
    expect(sheet.locator(".seg.is-suggested")).to_have_count(1)
    expect(sheet.locator(".tag.is-suggested")).to_have_count(2)
    expect(sheet.locator(".arc.is-suggested")).to_contain_text("treats · ann")
    panes.nth(1).locator(".seg.differs").click()  # bob is right about the cough
    expect(sheet.locator(".tag.is-suggested")).to_have_count(0)
    b.page.locator("#reviewer .arc.is-suggested text").last.click()
    b.page.keyboard.press("a")
    b.page.keyboard.press("c")
    expect(b.page.locator("#reviewer .state")).to_have_text("saved")
    decided = b.stored("review", ADJUDICATED)
    assert decided.status == "complete"
    assert decided.saved_by == "local"
    said = {(e.start, e.type, e.attributes["assertion"]) for e in decided.document.entities}
    assert said == {
        (0, "Symptom", "present"),
        (10, "Symptom", "absent"),
        (17, "Drug", "present"),
        (29, "Disease", "present"),
    }
    assert [r.type for r in decided.document.relations] == ["treats"]
    row = b.store.rows("SELECT gold, status FROM documents WHERE name = 'review'")[0]
    assert row["gold"] == decided.id
    # It is no longer in the list, unless it is asked for.
    b.page.get_by_role("tab", name="Notes", exact=True).click()
    b.page.get_by_role("tab", name="Review", exact=True).click()
    expect(b.page.locator("#reviewer .empty")).to_contain_text(
        "No document has been completed by two people"
    )
    b.page.get_by_label("Show what was decided already, too").check()
    expect(b.page.locator("#reviewer .name")).to_have_text("review")


def test_completing_in_bulk_leaves_what_versions_disagree_on_to_a_person(bench: Open) -> None:
    """It was rejected with the rest, and gone from the gold."""
    b = bench(plain("disagree", f"{TEXT} (disagree)"))
    two(b, "disagree")
    opened(b, "disagree")
    b.page.keyboard.press("c")
    b.page.get_by_role("button", name="Accept the rest in bulk and complete").click()
    expect(b.page.locator("#reviewer .toast")).to_contain_text("decide yourself")
    expect(b.page.locator("#reviewer .sheet .tag.is-suggested")).to_have_count(2)  # the cough, twice
    b.page.wait_for_timeout(100)
    rows = b.store.rows("SELECT status FROM documents WHERE name = 'disagree'")
    assert rows[0]["status"] == "disputed"


def test_agreement_is_shown_per_type(bench: Open) -> None:
    b = bench(plain("agree", f"{TEXT} (agree)"))
    two(b, "agree")
    b.page.get_by_role("tab", name="Agreement", exact=True).click()
    table = b.page.locator("#agreement")
    expect(table).to_contain_text("ann, bob")
    expect(table).to_contain_text("all mentions")
    expect(table).to_contain_text("0.750")  # 3 of 4 mentions are the same, both ways


def test_what_is_restored_into_a_review_is_worked_on(bench: Open) -> None:
    """An adjudicated revision that was not made here: what it says stays, the rest is suggested."""
    b = bench(plain("restored", f"{TEXT} (restored)"))
    two(b, "restored")
    decided = version("restored", (0, 5, "Symptom", "present"), (10, 15, "Symptom", "absent"))
    save = Save(b.keys["restored"], ADJUDICATED, decided, "draft", "", "sitting data", 1)
    revisions.save(b.store, save, "ann")
    opened(b, "restored")
    sheet = b.page.locator("#reviewer .sheet")
    expect(sheet.locator(".tag:not(.is-suggested)")).to_have_count(2)
    expect(sheet.locator(".tag.is-suggested")).to_have_count(3)  # ann's cough, aspirin, gout


def test_a_version_completed_meanwhile_is_told(bench: Open) -> None:
    b = bench(plain("stale", f"{TEXT} (stale)"))
    two(b, "stale")
    opened(b, "stale")
    last = b.stored("stale", "ann")
    again = Save(b.keys["stale"], "ann", version("stale"), "complete", last.token, "sitting later", 1)
    revisions.save(b.store, again, "ann")
    b.page.keyboard.press("x")
    banner = b.page.locator("#reviewer .banner")
    expect(banner).to_contain_text("was completed since you opened it")
    banner.get_by_role("button").click()
    expect(b.page.locator("#reviewer .pane").nth(0).locator(".seg")).to_have_count(0)


def test_a_version_completed_after_something_was_decided_is_loaded_too(bench: Open) -> None:
    """The page showed what it had kept for undo, and was told of the new version again and again."""
    b = bench(plain("kept", f"{TEXT} (kept)"))
    two(b, "kept")
    opened(b, "kept")
    b.page.keyboard.press("x")
    expect(b.page.locator("#reviewer .state")).to_have_text("saved")
    last = b.stored("kept", "ann")
    again = Save(b.keys["kept"], "ann", version("kept"), "complete", last.token, "sitting later", 1)
    revisions.save(b.store, again, "ann")
    b.page.keyboard.press("x")
    b.page.locator("#reviewer .banner").get_by_role("button").click()
    expect(b.page.locator("#reviewer .pane").nth(0).locator(".seg")).to_have_count(0)
    expect(b.page.locator("#reviewer .banner")).to_be_hidden()
