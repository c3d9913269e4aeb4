"""The Evaluate tab in a real Chromium: a number, the note behind it, corrected, the number again."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.document import Document, Entity
from core.store import documents, evaluations, revisions
from core.store.connection import Store
from core.store.revisions import IMPORTED, Save

pytestmark = pytest.mark.browser

TEXTS = {
    "one": "He has a fever and takes aspirin.",
    "two": "Metformin was started for type 2 diabetes. No fever.",
    "three": "Rash due to penicillin.",
    "four": "Chest pain since morning, no cough.",
}


def filled(store: Store) -> dict[str, int]:
    """Notes of the test set whose gold has one mention each, as a beginner would leave it."""
    keys = {}
    with store.writing() as db:
        for name, text in TEXTS.items():
            word = {"one": "fever", "two": "Metformin", "three": "Rash", "four": "cough"}[name]
            start = text.index(word)
            kind = "Drug" if word == "Metformin" else "Symptom"
            entity = Entity(id="T1", start=start, end=start + len(word), type=kind)
            d = Document(id=name, text=text, entities=(entity,), relations=())
            keys[name], _ = documents.add(db, d, "test", "tester")
            revisions.add(db, Save(keys[name], IMPORTED, d, "complete", "", "imported", 1), "tester")
    return keys


def opened(page: Page) -> None:
    page.get_by_role("tab", name="Evaluate", exact=True).click()


def evaluated(page: Page, store: Store, number: int) -> float:
    """Run it, wait for the job, and give the micro F1 of entities that is shown."""
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-report")).to_contain_text("finished", timeout=90_000)
    for _ in range(200):
        if len(evaluations.entries(store)) == number:
            break
        page.wait_for_timeout(100)
    report = evaluations.get(store, evaluations.entries(store)[0].id)
    expect(page.locator(f"#evaluations [data-testid=cell-{number - 1}-0]")).to_be_visible()
    return next(s.f1 for kind, s in report.micro.items() if kind.startswith("entities, strict"))


def test_a_number_the_note_behind_it_and_the_number_again(page: Page, folder: Path) -> None:
    store = Store(folder / "annotations.db")
    opened(page)
    expect(page.locator("#evaluations-empty")).to_contain_text("No model has been evaluated yet")
    filled(store)
    page.reload()
    opened(page)
    expect(page.locator("#evaluate-data input")).to_have_value("test (4 documents with gold)")
    first = evaluated(page, store, 1)
    expect(page.locator("#report-title")).to_contain_text("starter on test")
    expect(page.locator("#report-title")).to_contain_text(f"{first:.3f}")
    expect(page.locator("#scores")).to_contain_text("entities, strict (type and both offsets)")
    # The errors by kind; a mention that gold lacks, in its sentence, gold beside what was read.
    page.locator("#error-kind input").click()
    page.get_by_role("option", name="spurious (").click()
    expect(page.locator("#errors-told")).to_contain_text("1 to")
    read_as = [page.locator(f"#errors [data-testid=cell-{i}-3]") for i in range(10)]
    expect(read_as[0]).to_be_visible()
    next(c for c in read_as if c.count() and "aspirin" in c.inner_text()).click()
    expect(page.locator("#error .beside section")).to_have_count(2)
    expect(page.locator("#error .beside section").nth(1)).to_contain_text("aspirin")
    page.locator("#error-annotate").click()
    # There the note is open at the place; the annotator marks what was missing and completes it.
    expect(page.locator("#annotator .name")).to_have_text("one")
    expect(page.locator("#annotator .said").first).to_contain_text("aspirin")
    page.keyboard.press("g")
    page.keyboard.press("Shift+X")
    page.keyboard.press("c")
    expect(page.locator("#annotator .state")).to_have_text("saved")
    opened(page)
    second = evaluated(page, store, 2)
    assert second > first
    # The two side by side.
    page.get_by_role("tab", name="Compare", exact=True).click()
    expect(page.locator("#differences")).to_contain_text(f"{second - first:+.3f}")
    expect(page.locator("#note-differences")).to_contain_text("one")
    # And out.
    page.get_by_role("tab", name="Report", exact=True).click()
    page.locator("#report-export").click()
    expect(page.locator("#report-file")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#report-file").click()
    html = Path(download.value.path()).read_text()
    assert "<svg" in html
    assert "fever" not in html  # figures only, no text of a note
    store.close()


def test_an_evaluation_that_can_t_be_made_says_why_on_a_phone_too(page: Page) -> None:
    opened(page)
    page.get_by_text("Other data, and documents that the model was trained on").click()
    page.locator("#evaluate-data input").click()
    page.get_by_role("option", name="a file, or a corpus").click()
    page.locator("#evaluate-path textarea, #evaluate-path input").first.fill("/nowhere/gold.jsonl")
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-report [role=alert]")).to_contain_text(
        "/nowhere/gold.jsonl", timeout=60_000
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
