"""The Extract tab in a real Chromium."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def read(page: Page, text: str) -> None:
    page.locator("#note textarea").fill(text)
    page.locator("#extract").click()


def test_an_example_is_marked_with_arcs_in_light_and_dark_and_on_a_phone(page: Page) -> None:
    expect(page.locator("#summary")).to_contain_text("Nothing leaves this machine")
    page.get_by_text("Discharge summary", exact=True).click()
    expect(page.locator("#note textarea")).not_to_have_value("")
    page.locator("#extract").click()
    expect(page.locator("#marked mark").first).to_be_visible(timeout=60_000)
    assert page.locator("#marked mark").count() > 10
    expect(page.locator("#arcs svg .displacy-arc").first).to_be_attached()
    note = page.locator("#note textarea").input_value()
    shown = page.locator("#marked .note").inner_text()
    assert "".join(note.split())[:30] in "".join(shown.split())

    background = "getComputedStyle(document.querySelector('gradio-app')).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Light / dark").click()
    assert page.evaluate(background) != light
    mark = page.locator("#marked mark").first
    assert mark.evaluate("e => getComputedStyle(e).color") == "rgb(17, 17, 17)"

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_text("Medication list", exact=True).click()
    expect(page.locator("#note textarea")).not_to_have_value(note)
    page.locator("#extract").click()
    expect(page.locator("#marked mark", has_text="simvastatin").first).to_be_visible(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_negated_mention_is_struck(page: Page) -> None:
    read(page, "The patient denies fever. He takes aspirin.")
    struck = page.locator("#marked mark.is-negative")
    expect(struck).to_have_count(1, timeout=60_000)
    expect(struck).to_contain_text("fever")
    assert "line-through" in struck.evaluate("e => getComputedStyle(e).textDecorationLine")


def test_hostile_text_is_inert(page: Page) -> None:
    evil = "fever <img src=x onerror=alert(1)><script>alert(2)</script> ${alert(3)} {{alert(4)}} cough"
    read(page, evil)
    expect(page.locator("#marked mark").first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(500)
    assert page.locator("#marked img, #marked script").count() == 0
    shown = page.locator("#marked .note").evaluate(
        "n => { n = n.cloneNode(true); n.querySelectorAll('.tag').forEach(t => t.remove());"
        " return n.textContent }"
    )
    assert " ".join(shown.split()) == evil


def test_offsets_behind_emoji_come_back_exact(page: Page) -> None:
    text = "🧪👩‍⚕️ said: fever"
    read(page, text)
    mark = page.locator("#marked mark").first
    expect(mark).to_contain_text("fever", timeout=60_000)
    row = page.locator("#mentions tbody tr").filter(has_text="fever").first
    expect(row).to_contain_text(str(text.index("fever")))


def test_nothing_stays_in_the_browser_and_an_empty_note_clears_the_last_result(page: Page) -> None:
    read(page, "Secretname has a fever.")
    expect(page.locator("#marked mark").first).to_be_visible(timeout=60_000)
    stored = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    assert "Secretname" not in stored
    read(page, "")
    expect(page.locator("#summary [role=alert]")).to_contain_text("nothing to read")
    expect(page.locator("#marked")).to_be_hidden()


def test_the_result_keeps_step_with_the_threshold(page: Page) -> None:
    read(page, "He has a fever and takes aspirin.")
    expect(page.locator("#marked mark").first).to_be_visible(timeout=60_000)
    page.get_by_text("Model and threshold").click()
    page.get_by_label("The model's own thresholds").uncheck()
    slider = page.locator("#threshold input[type=range]")
    # It wakes once the server has answered; keys pressed before that go nowhere.
    expect(slider).to_be_enabled(timeout=30_000)
    slider.focus()
    for _ in range(12):
        slider.press("ArrowRight")
    expect(slider).to_have_value("1")
    expect(page.locator("#marked mark")).to_have_count(0, timeout=30_000)
