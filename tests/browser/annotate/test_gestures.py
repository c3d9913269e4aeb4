"""Every gesture of the mouse, and what it leaves in the store."""

import pytest
from playwright.sync_api import expect

from core.document import Document, Entity, Relation
from tests.browser.annotate.conftest import Open, plain

pytestmark = pytest.mark.browser

TEXT = "She has chest pain and fever. Started aspirin and heparin for myocardial infarction."


def test_selecting_marks_whole_words_with_the_type_in_use(bench: Open) -> None:
    b = bench(plain("select", f"{TEXT} (select)"))
    b.page.locator("#annotator .type", has_text="Symptom").click()
    b.select("hest pai")
    assert b.mentions() == [("chest pain", "Symptom")]
    b.saved()
    (e,) = b.stored("select").document.entities
    assert (e.start, e.end, e.type, e.attributes) == (8, 18, "Symptom", {"assertion": "present"})
    assert b.stored("select").status == "draft"


def test_with_alt_the_letters_are_taken_as_they_are(bench: Open) -> None:
    b = bench(plain("exact", f"{TEXT} (exact)"))
    b.page.keyboard.down("Alt")
    b.select("hest pai", into=(1, 1))
    b.page.keyboard.up("Alt")
    assert b.mentions() == [("hest pai", "Disease")]


def test_dragging_from_a_mention_to_another_relates_them(bench: Open) -> None:
    b = bench(labelled("drag"))
    # Drug and Disease: treats, causes or prevents may hold, so a menu asks.
    b.drag("aspirin", "infarction")
    b.page.locator("#annotator .menu button", has_text="treats").click()
    assert b.relations() == [("aspirin", "treats", "infarction")]
    # Two drugs: only one type fits, nothing is asked.
    b.drag("aspirin", "heparin")
    assert ("aspirin", "interacts_with", "heparin") in b.relations()
    assert b.page.locator("#annotator .menu").count() == 0
    b.saved()
    assert len(b.stored("drag").document.relations) == 2


def test_the_direction_is_turned_where_only_that_fits(bench: Open) -> None:
    b = bench(
        Document(
            id="turn", text="Troponin rose: infarction.", relations=(),
            entities=(
                Entity(id="l", start=0, end=8, type="Lab_Test"),
                Entity(id="d", start=15, end=25, type="Disease"),
            ),
        )
    )  # fmt: skip
    b.drag("infarction", "Troponin")
    assert b.relations() == [("Troponin", "indicates", "infarction")]


def test_what_the_schema_forbids_is_told(bench: Open) -> None:
    b = bench(
        Document(
            id="forbidden", text="Troponin and lactate.", relations=(),
            entities=(
                Entity(id="l", start=0, end=8, type="Lab_Test"),
                Entity(id="m", start=13, end=20, type="Lab_Test"),
            ),
        )
    )  # fmt: skip
    b.drag("Troponin", "lactate")
    expect(b.page.locator("#annotator .toast")).to_contain_text("knows no relation")
    assert b.relations() == []


def test_handles_resize_by_words_and_with_alt_by_letters(bench: Open) -> None:
    b = bench(plain("resize", f"{TEXT} (resize)"))
    b.select("fever")
    handle = b.page.locator("#annotator .handle.start")
    where, goal = handle.bounding_box(), b.box("chest")
    b.page.mouse.move(where["x"] + 4, where["y"] + 8)
    b.page.mouse.down()
    b.page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 8, steps=5)
    b.page.mouse.up()
    assert b.mentions() == [("chest pain and fever", "Disease")]
    handle = b.page.locator("#annotator .handle.end")
    where, goal = handle.bounding_box(), b.box("pain")
    b.page.keyboard.down("Alt")
    b.page.mouse.move(where["x"] + 4, where["y"] + 8)
    b.page.mouse.down()
    b.page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 8, steps=5)
    b.page.mouse.up()
    b.page.keyboard.up("Alt")
    assert b.mentions() == [("chest pa", "Disease")]
    b.saved()
    (e,) = b.stored("resize").document.entities
    assert (e.start, e.end) == (8, 16)


def test_double_click_marks_a_word_and_leaves_mentions_be(bench: Open) -> None:
    b = bench(labelled("double"))
    box = b.box("chest")
    b.page.mouse.dblclick(box["x"] + 5, box["y"] + 5)
    assert ("chest", "Disease") in b.mentions()
    for words in ("aspirin", "fever"):
        box = b.box(words)
        b.page.mouse.dblclick(box["x"] + 5, box["y"] + 5)
    assert len(b.mentions()) == 5
    box = b.box("Started")
    b.page.mouse.click(box["x"] + 5, box["y"] + 5, click_count=3)
    assert len([w for w, _ in b.mentions() if "Started" in w]) <= 1
    assert max(len(w) for w, _ in b.mentions()) < 12


def test_a_relation_that_misses_its_target_writes_nothing(bench: Open) -> None:
    b = bench(labelled("misses"))
    b.drag("aspirin", "Started")
    expect(b.page.locator("#annotator .toast")).to_contain_text("nothing is related")
    assert len(b.mentions()) == 4
    # The next selection works as ever.
    b.select("Started")
    assert ("Started", "Disease") in b.mentions()


def test_words_inside_the_selected_mention_can_be_marked_up_to_its_edges(bench: Open) -> None:
    b = bench(plain("edges", f"{TEXT} (edges)"))
    b.select("chest pain")
    b.page.locator("#annotator .type", has_text="Symptom").click()
    b.press("Escape", "s")
    b.click("chest")
    b.select("chest", into=(1, 1))
    assert ("chest pain", "Symptom") in b.mentions() or ("chest pain", "Disease") in b.mentions()
    assert len(b.mentions()) == 2
    b.click("pain")
    b.select("pain", into=(1, 1))
    assert len(b.mentions()) == 3


def test_a_handle_moves_its_own_end_only(bench: Open) -> None:
    b = bench(plain("own", f"{TEXT} (own)"))
    b.page.keyboard.down("Alt")
    b.select("chest pai", into=(1, 1))
    b.page.keyboard.up("Alt")
    handle, goal = b.page.locator("#annotator .handle.start").bounding_box(), b.box("has")
    b.page.mouse.move(handle["x"] + 4, handle["y"] + 8)
    b.page.mouse.down()
    b.page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 8, steps=5)
    b.page.mouse.up()
    assert b.mentions() == [("has chest pai", "Disease")]


def test_a_selection_may_end_beside_the_text(bench: Open) -> None:
    b = bench(plain("beside", f"{TEXT} (beside)"))
    box = b.box("She has")
    y = box["y"] + box["height"] / 2
    b.page.mouse.move(box["x"] + box["width"] - 1, y)
    b.page.mouse.down()
    b.page.mouse.move(box["x"] - 20, y, steps=4)
    b.page.mouse.up()
    assert b.mentions() == [("She has", "Disease")]


def test_clicks_go_from_the_inner_mention_to_the_outer(bench: Open) -> None:
    text = "lithium toxicity"
    b = bench(
        Document(
            id="nested", text=text, relations=(),
            entities=(
                Entity(id="in", start=0, end=7, type="Drug"),
                Entity(id="out", start=0, end=16, type="Disease"),
            ),
        )
    )  # fmt: skip
    b.click("lithium")
    assert b.ask("d.selected.id") == "in"
    b.click("lithium")
    assert b.ask("d.selected.id") == "out"
    b.click("lithium")
    assert b.ask("d.selected.id") == "in"
    # A nested mention can be made by keyboard or by Alt: here the inner one deleted comes back.
    b.press("Delete")
    b.page.keyboard.down("Alt")
    b.select("lithium", into=(1, 1))
    b.page.keyboard.up("Alt")
    assert ("lithium", "Disease") in b.mentions()


def test_an_arc_is_picked_turned_and_deleted(bench: Open) -> None:
    d = labelled("arcs")
    b = bench(d.model_copy(update={"relations": (Relation(head="f", tail="d", type="causes"),)}))
    b.page.locator("#annotator .arc text", has_text="causes").click()
    expect(b.page.locator("#annotator .arc.picked")).to_have_count(1)
    b.press("i")
    assert b.relations() == [("infarction", "causes", "fever")]
    b.press("Delete")
    assert b.relations() == []
    assert len(b.mentions()) == 4


def test_changing_a_type_shows_what_would_be_lost(bench: Open) -> None:
    d = labelled("retype")
    b = bench(d.model_copy(update={"relations": (Relation(head="a", tail="d", type="treats"),)}))
    b.click("aspirin")
    b.press("l")
    menu = b.page.locator("#annotator .menu")
    expect(menu).to_contain_text("aspirin treats infarction")
    b.press("2")  # leave everything
    assert ("aspirin", "Drug") in b.mentions()
    assert len(b.relations()) == 1
    b.press("l")
    b.press("1")
    assert ("aspirin", "Lab_Test") in b.mentions()
    assert b.relations() == []
    b.press("Control+z")
    assert b.relations() == [("aspirin", "treats", "infarction")]


def test_the_page_and_its_menus_work_on_a_phone(bench: Open) -> None:
    b = bench(labelled("phone"))
    b.page.set_viewport_size({"width": 390, "height": 844})
    b.page.wait_for_timeout(300)
    assert b.page.evaluate("document.documentElement.scrollWidth") <= 390
    b.click("fever")
    expect(b.page.locator("#annotator .side .said").first).to_contain_text("fever")


def labelled(name: str) -> Document:
    """Fever, two drugs and a disease, nothing related."""
    at = TEXT.index
    spans = (
        ("f", "fever", "Symptom"),
        ("a", "aspirin", "Drug"),
        ("h", "heparin", "Drug"),
        ("d", "infarction", "Disease"),
    )
    entities = tuple(Entity(id=i, start=at(w), end=at(w) + len(w), type=t) for i, w, t in spans)
    return Document(id=name, text=f"{TEXT} ({name})", entities=entities, relations=())
