"""The Train tab in a real Chromium: start, watch, reload, stop, resume, use the model in Extract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import jobs
from core.document import Document, Entity
from core.store import documents, revisions
from core.store.connection import Store
from core.store.revisions import Save

pytestmark = pytest.mark.browser


def corrected(store: Store, count: int) -> None:
    """Notes that a person completed."""
    with store.writing() as db:
        for n in range(count):
            drug = ("metformin", "lisinopril", "warfarin", "aspirin")[n % 4]
            text = f"Note {n}: takes {drug} every day."
            at = text.index(drug)
            e = Entity(id="T1", start=at, end=at + len(drug), type="Drug")
            d = Document(id=f"n{n}", text=text, entities=(e,), relations=())
            key, _ = documents.add(db, d, "", "tester")
            revisions.add(db, Save(key, "anna", d, "complete", "", f"sitting {n}", 1), "anna")


def opened(page: Page) -> None:
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#train-start")).to_be_visible()


@pytest.fixture(autouse=True, scope="module")
def no_run_outlives_the_tests(folder: Path) -> Iterator[None]:
    yield
    for j in jobs.jobs(folder / "runs"):
        jobs.stop(j.folder)


def test_from_corrected_notes_to_a_model_in_use(page: Page, folder: Path) -> None:
    store = Store(folder / "annotations.db")
    opened(page)
    expect(page.locator("#train-status")).to_contain_text("No model has been trained here yet")
    corrected(store, 30)
    page.reload()
    opened(page)
    expect(page.locator("#train-corrected")).to_contain_text("30 in all")
    expect(page.locator("#header")).to_contain_text("30 notes corrected since")

    page.locator("#train-synthetic input").fill("16")
    page.locator("#train-estimate").click()
    expect(page.locator("#train-plan")).to_contain_text("30 notes with gold labels, 16 synthetic notes")
    expect(page.locator("#train-plan")).to_contain_text("GiB are free")
    page.locator("#train-start").click()

    # The figures move, and a reload or another page sees the same.
    status = page.locator("#train-status")
    expect(status).to_contain_text("is training", timeout=60_000)
    expect(status).to_contain_text("tokens a second", timeout=180_000)
    expect(page.locator("#train-curves svg").first).to_be_visible()
    expect(page.locator("#header")).to_contain_text("is training")
    page.reload()
    opened(page)
    expect(status).to_contain_text("is training")
    page.locator("#train-stop").click()
    expect(status).to_contain_text("was stopped", timeout=60_000)

    page.locator("#train-resume").click()
    expect(status).to_contain_text("is training", timeout=60_000)
    expect(status).to_contain_text("has finished", timeout=300_000)
    expect(status).to_contain_text("corrected notes that trained neither")
    splits = {r["split"] for r in store.rows("SELECT DISTINCT split FROM documents")}
    assert splits == {"train", "dev"}

    page.locator("#runs [data-testid=cell-0-1]").click()
    expect(page.locator("#runs-detail")).to_contain_text("has finished")  # it is chosen
    page.locator("#runs-use").click()
    expect(page.locator("#runs-told")).to_contain_text("is in use now")
    (chosen,) = store.rows("SELECT model FROM in_use")
    used = chosen["model"]
    expect(page.locator("#header")).to_contain_text(f"model in use: {used}")
    page.get_by_role("tab", name="Extract", exact=True).click()
    page.locator("#note textarea").fill("She takes metformin.")
    page.get_by_role("button", name="Extract", exact=True).click()
    expect(page.locator("#summary")).to_contain_text(used)

    opened(page)
    page.locator("#runs-name input, #runs-name textarea").fill("the first one")
    page.locator("#runs-rename").click()
    expect(page.locator("#runs")).to_contain_text("the first one")
    page.locator("#runs-delete").click()
    page.locator("#runs-sure").click()
    expect(page.locator("#runs-told")).to_contain_text("It was in use: starter is again")
    expect(page.locator("#train-status")).to_contain_text("No model has been trained here yet")
    expect(page.locator(".toast-body")).to_have_count(0)
    page.reload()
    expect(page.locator("#header")).to_contain_text("model in use: starter")


def test_what_cannot_start_says_why(page: Page) -> None:
    opened(page)
    page.locator("#train-since label", has_text="none").click()
    page.locator("#train-synthetic input").fill("0")
    page.locator("#train-start").click()
    expect(page.locator("#train-plan")).to_contain_text("nothing to train on")
