"""Every key."""

import pytest
from playwright.sync_api import expect

from core.document import Document, Entity, Relation
from core.schema import AttributeType, EntityType, RelationType, Schema
from core.store.revisions import LOCAL
from tests.browser.annotate.conftest import Open, plain

pytestmark = pytest.mark.browser

TEXT = "Fever and cough. Aspirin for gout. Fever again, feverish."


def labelled(name: str, *relations: Relation) -> Document:
    spans = (
        ("f", 0, 5, "Symptom"),
        ("c", 10, 15, "Symptom"),
        ("a", 17, 24, "Drug"),
        ("g", 29, 33, "Disease"),
    )
    entities = tuple(Entity(id=i, start=a, end=z, type=t) for i, a, z, t in spans)
    return Document(id=name, text=f"{TEXT} ({name})", entities=entities, relations=relations)


def test_words_are_reached_marked_and_changed_without_a_mouse(bench: Open) -> None:
    b = bench(plain("words", f"{TEXT} (words)"))
    b.press("ArrowRight", "s")  # the first word becomes a Symptom
    assert b.mentions() == [("Fever", "Symptom")]
    b.press("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Enter")  # the type in use is still Symptom
    assert b.mentions()[1] == ("cough.", "Symptom")
    b.press("Shift+ArrowLeft")  # the mention itself gets shorter
    assert b.mentions()[1] == ("cough", "Symptom")
    b.press("Alt+Shift+ArrowLeft")
    assert b.mentions()[1] == ("coug", "Symptom")
    b.press("Alt+Shift+ArrowRight", "Control+Shift+ArrowLeft")
    assert b.mentions()[1] == ("and cough", "Symptom")
    b.press("Control+Shift+ArrowRight", "d")
    assert b.mentions()[1] == ("cough", "Disease")
    b.press("2")  # types have numbers, too
    assert b.mentions()[1] == ("cough", "Symptom")
    b.press("Escape", "ArrowDown", "ArrowUp", "ArrowLeft")
    assert b.ask("d.pending !== null")
    b.saved()
    assert [e.type for e in b.stored("words").document.entities] == ["Symptom", "Symptom"]


def test_a_word_is_found_by_its_first_letters(bench: Open) -> None:
    b = bench(plain("find", f"{TEXT} (find)"))
    b.press("/", "f", "Enter", "s")
    b.press("/", "f", "e", "v", "Enter", "s")  # the next one
    assert [b.ask(f"d.labels.mentions[{i}].start") for i in (0, 1)] == [0, 35]
    b.press("/", "F", "e", "Enter", "d")
    assert b.mentions()[2] == ("feverish", "Disease")
    b.press("/", "f", "e", "ArrowRight", "Enter", "d")  # round to the first, then on to the second
    assert b.ask("d.labels.mentions.map(m => m.start + m.type)") == [
        "0Symptom",
        "35Symptom",
        "35Disease",
        "48Disease",
    ]
    b.press("/", "q", "q", "Backspace", "Backspace", "g", "o", "Enter", "d")
    assert ("gout", "Disease") in b.mentions()


def test_a_type_key_with_nothing_selected_sets_the_type_in_use(bench: Open) -> None:
    b = bench(plain("type", f"{TEXT} (type)"))
    b.press("g")
    expect(b.page.locator("#annotator .type[aria-pressed=true]")).to_contain_text("Drug")
    b.select("Aspirin")
    assert b.mentions() == [("Aspirin", "Drug")]


def test_mentions_are_stepped_through_and_deleted(bench: Open) -> None:
    b = bench(labelled("step"))
    b.press("j")
    assert b.ask("d.selected.id") == "f"
    b.press("j", "j")
    assert b.ask("d.selected.id") == "a"
    b.press("k")
    assert b.ask("d.selected.id") == "c"
    b.press("Delete")
    assert b.ask("d.selected.id") == "a"
    b.press("Backspace", "Control+z", "Control+z", "Control+Shift+z")
    assert [w for w, _ in b.mentions()] == ["Fever", "Aspirin", "gout"]
    b.press("Control+y", "Control+y")
    assert [w for w, _ in b.mentions()] == ["Fever", "gout"]


def test_r_and_the_letter_of_a_target_relate(bench: Open) -> None:
    b = bench(labelled("relate"))
    b.press("j", "j", "j", "r")  # from aspirin cough is nearest, then gout, then fever
    expect(b.page.locator("#annotator .hint")).to_have_count(3)
    b.press("j")  # a letter here
    b.page.locator("#annotator .menu").wait_for()
    b.press("1")
    assert b.relations() == [("Aspirin", "treats", "gout")]
    b.press("r", "Escape", "r", "f")
    b.press("ArrowDown", "Enter")
    assert ("Aspirin", "causes", "cough") in b.relations()
    b.press("e")
    expect(b.page.locator("#annotator .arc.picked")).to_have_count(1)
    b.press("e", "Delete")
    assert len(b.relations()) == 1


def test_a_target_can_be_clicked(bench: Open) -> None:
    b = bench(labelled("click"))
    b.press("j", "j", "j", "r")
    b.click("gout")
    b.press("3")
    assert b.relations() == [("Aspirin", "prevents", "gout")]


def test_v_goes_through_the_values_of_assertion(bench: Open) -> None:
    b = bench(labelled("assert"))
    b.press("j", "v")
    expect(b.page.locator("#annotator .seg.is-negative")).to_have_text("Fever")
    b.press("v", "Shift+V", "Shift+V", "Shift+V")
    expect(b.page.locator("#annotator .tag", has_text="family")).to_have_count(1)
    b.saved()
    assert b.stored("assert").document.entities[0].attributes == {"assertion": "family"}


def test_o_counts_other_occurrences_first(bench: Open) -> None:
    b = bench(labelled("others"))
    b.press("j", "o")
    menu = b.page.locator("#annotator .menu")
    expect(menu).to_contain_text("1 more: whole words, any case")
    expect(menu).to_contain_text("2 more: anywhere, any case")
    expect(menu).to_contain_text("1 more: anywhere, the same case")
    b.press("Escape")
    assert len(b.mentions()) == 4
    b.press("o", "3")
    assert b.mentions().count(("fever", "Symptom")) == 1
    assert b.mentions().count(("Fever", "Symptom")) == 2


def test_documents_are_finished_flagged_skipped_and_walked_through(bench: Open) -> None:
    b = bench(*(labelled(f"walk{i}") for i in range(4)))
    name = b.page.locator("#annotator .name")
    b.press("c")
    expect(name).to_have_text("walk1")
    b.press("z")
    expect(name).to_have_text("walk2")
    b.press("f")
    expect(name).to_have_text("walk3")
    expect(b.page.locator("#annotator .progress")).to_contain_text("4 of 4 · 3 done")
    b.press(",", ",")
    expect(name).to_have_text("walk1")
    b.press(".")
    expect(name).to_have_text("walk2")
    b.saved()
    assert [b.stored(f"walk{i}").status for i in range(3)] == ["complete", "skipped", "flagged"]
    assert (
        b.store.rows("SELECT gold FROM documents WHERE name = 'walk0'")[0]["gold"]
        == b.stored("walk0").id
    )


def test_a_note_on_the_document_is_kept(bench: Open) -> None:
    b = bench(labelled("note"))
    b.press("m")
    b.page.keyboard.type("ask about g and d")  # letters here are no commands
    b.press("Escape", "j")
    assert b.ask("d.selected.id") == "f"
    b.saved()
    assert b.stored("note").note == "ask about g and d"
    assert len(b.mentions()) == 4


def test_keys_with_alt_are_no_commands(bench: Open) -> None:
    b = bench(labelled("alt"))
    b.press("Alt+f", "Alt+c", "Alt+d")
    b.page.wait_for_timeout(700)
    assert b.count("alt") == 1  # as imported


def test_help_and_guidelines_are_at_hand(bench: Open) -> None:
    b = bench(labelled("help"))
    panel = b.page.locator("#annotator .panel")
    expect(panel).to_be_hidden()
    b.press("?")
    expect(panel).to_contain_text("relate the mention to another")
    b.press("w")
    expect(panel).to_contain_text("Section headings are not mentions")
    b.press("w")
    expect(panel).to_be_hidden()


def test_another_schema_keeps_its_letters_unless_a_command_has_them(bench: Open) -> None:
    b = bench(plain("other", "TP53 in tumours."))
    before = b.store.schema
    b.store.set_schema(
        Schema(
            name="genes",
            entities=(
                EntityType(name="Gene", colour="#77AADD", shortcut="g"),
                EntityType(name="Cancer", colour="#EE8866", shortcut="c"),
            ),
            relations=(RelationType(name="drives", head=("Gene",), tail=("Cancer",)),),
            attributes=(AttributeType(name="sure", values=("yes", "no"), default="yes"),),
        ),
        "tester",
    )
    try:
        b.reload()
        expect(b.page.locator("#annotator .type")).to_have_count(2)
        expect(b.page.locator("#annotator .type").nth(1)).to_contain_text("Cancer2")  # c completes
        b.press("ArrowRight", "g", "ArrowRight", "ArrowRight", "2")
        assert b.mentions() == [("TP53", "Gene"), ("tumours", "Cancer")]
        b.press("r", "f")
        assert b.relations() == [("TP53", "drives", "tumours")]
        b.saved()
        assert b.stored("other", LOCAL).document.relations[0].type == "drives"
    finally:
        b.store.set_schema(before, "tester")
