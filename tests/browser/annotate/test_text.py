"""Texts as they come: emoji, combining marks, tabs, CRLF, hostile ones; and hostile labels."""

import pytest
from playwright.sync_api import expect

from core.document import Document, Entity, Relation
from tests.browser.annotate.conftest import Open, plain

pytestmark = pytest.mark.browser

ODD = "🧪👩\u200d⚕️ said:\tfe\u0301vre\r\nand\rthen\n\n\tcafé 🤒 cough\r\n  last line"
HOSTILE = (
    "fever <img src=x onerror=alert(1)> <script>alert(2)</script> ${alert(3)} {{alert(4)}} "
    "</div><style>*{display:none}</style> cough"
)


@pytest.mark.parametrize(
    "words", ["fe\u0301vre", "cough", "last line", "and\rthen", "🤒 cough", "👩\u200d⚕️ said"]
)
def test_offsets_are_exact_in_odd_text(bench: Open, words: str) -> None:
    name = f"odd {words!r}"
    text = f"{ODD} {name}"
    b = bench(plain(name, text))
    start = text.index(words)
    # By the keyboard: words one by one until the selection begins there, then longer until it ends.
    unit = len(text[:start].encode("utf-16-le")) // 2
    for _ in range(40):
        if b.ask("d.pendingSpan?.[0]") == unit:
            break
        b.press("ArrowRight")
    for _ in range(10):
        low, high = b.ask("d.pendingSpan")
        if high - low >= len(words.encode("utf-16-le")) // 2:
            break
        b.press("Shift+ArrowRight")
    b.press("s")
    b.saved()
    (e,) = b.stored(name).document.entities
    assert text[e.start : e.end] == words
    assert b.stored(name).document.text == text


def test_the_mouse_finds_offsets_behind_emoji_and_line_ends(bench: Open) -> None:
    text = f"{ODD} (mouse)"
    b = bench(plain("mouse", text))
    b.select("cough")
    b.select("last")
    b.saved()
    assert [text[e.start : e.end] for e in b.stored("mouse").document.entities] == ["cough", "last"]


def test_mentions_beside_emoji_come_back_the_same(bench: Open) -> None:
    text = "🤒fever🤒 (emoji)"
    entities = (
        Entity(id="a", start=1, end=6, type="Symptom"),
        Entity(id="b", start=6, end=7, type="Disease"),
    )
    b = bench(Document(id="emoji", text=text, entities=entities, relations=()))
    assert b.mentions() == [("fever", "Symptom"), ("🤒", "Disease")]
    b.press("j", "v")
    b.saved()
    assert [(e.start, e.end) for e in b.stored("emoji").document.entities] == [(1, 6), (6, 7)]


def test_a_mention_of_a_line_end_alone_harms_nothing(bench: Open) -> None:
    text = "fever\ncough (end)"
    b = bench(
        Document(
            id="end", text=text, relations=(Relation(head="e", tail="f", type="causes"),),
            entities=(
                Entity(id="e", start=5, end=6, type="Symptom"),
                Entity(id="f", start=0, end=5, type="Symptom"),
            ),
        )
    )  # fmt: skip
    assert b.ask("a.sheet.name") == "end"
    b.select("cough")
    b.saved()
    assert len(b.stored("end").document.entities) == 3


def test_ids_that_are_numbers_beyond_all_reason_never_collide(bench: Open) -> None:
    ids = ("T9007199254740992", "T" + "9" * 24, "T1", "T2")
    b = bench(
        Document(
            id="ids", text="one two three four five (ids)", relations=(),
            entities=tuple(Entity(id=k, start=i, end=i + 1, type="Symptom") for i, k in enumerate(ids)),
        )
    )  # fmt: skip
    b.select("four")
    b.select("five")
    b.saved()
    assert len({e.id for e in b.stored("ids").document.entities}) == 6


def test_mentions_over_line_ends_and_with_gaps_are_shown(bench: Open) -> None:
    text = "pain in left\r\nand right knee (gaps)"
    b = bench(
        Document(
            id="gaps", text=text, relations=(),
            entities=(
                Entity(id="T1", start=0, end=28, type="Symptom", fragments=((0, 7), (18, 28))),
                Entity(id="T2", start=8, end=28, type="Disease"),
            ),
        )
    )  # fmt: skip
    segments = b.ask(
        "[...document.querySelectorAll('#annotator .seg')].map(s => [s.textContent, s._ids.join()])"
    )
    assert segments == [["pain in", "T1"], ["left", "T2"], ["and ", "T2"], ["right knee", "T2,T1"]]
    # Changing one keeps the other's parts.
    b.ask("d.select('T2')")
    b.page.locator("#annotator .page").focus()
    b.press("v")
    b.saved()
    assert b.stored("gaps").document.entities[0].fragments == ((0, 7), (18, 28))


def test_hostile_text_is_inert(bench: Open) -> None:
    b = bench(plain("hostile", HOSTILE))
    b.page.wait_for_timeout(300)
    assert (
        b.page.locator("#annotator .page img, #annotator .page script, #annotator .page style").count()
        == 0
    )
    assert (
        b.ask("[...document.querySelectorAll('#annotator .line')].map(l => l.textContent).join('\\n')")
        == HOSTILE
    )
    b.select("cough")
    b.saved()
    (e,) = b.stored("hostile").document.entities
    assert HOSTILE[e.start : e.end] == "cough"


def test_hostile_names_notes_and_attributes_are_inert(bench: Open) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    b = bench(
        Document(
            id=evil, text="Fever (evil).", relations=(),
            entities=(Entity(id=evil, start=0, end=5, type="Symptom", origin=evil),),
        )
    )  # fmt: skip
    expect(b.page.locator("#annotator .name")).to_have_text(evil)
    b.press("j")
    assert b.page.locator("#annotator img").count() == 0
    b.press("v")
    b.saved()
    # Keys that we don't know survive.
    assert b.stored(evil).document.entities[0].origin == evil


def test_a_line_of_fifty_thousand_letters_and_an_empty_text_open(bench: Open) -> None:
    b = bench(plain("long", "x" * 50_000), plain("blank", " \n "))
    b.press("ArrowRight", "s")
    assert len(b.mentions()) == 1
    b.press(".")
    expect(b.page.locator("#annotator .name")).to_have_text("blank")
    b.press(
        "ArrowRight",
        "ArrowDown",
        "Shift+ArrowRight",
        "s",
        "r",
        "o",
        "e",
        "j",
        "a",
        "x",
        "Delete",
        "v",
        "i",
    )
    assert b.mentions() == []


def test_nothing_of_a_note_is_kept_in_the_browser(bench: Open) -> None:
    b = bench(plain("secret", "Secretword has fever."))
    b.select("fever")
    b.saved()
    kept = b.page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    assert "Secretword" not in kept
