"""A model's suggestions: seen, judged one by one or in bulk, and what became of them kept."""

import pytest
from playwright.sync_api import expect

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.queue import blind as is_blind
from core.store import work
from core.store.documents import set_split, sha256
from tests.browser.annotate.conftest import Bench, Open, plain

pytestmark = pytest.mark.browser

TEXT = "Fever and cough. Aspirin for gout."


def read(name: str) -> Document:
    """What a model said: everything there is, cough as a Disease, with falling scores."""
    spans = (
        ("1", 0, 5, "Symptom", 0.95),
        ("2", 10, 15, "Disease", 0.4),
        ("3", 17, 24, "Drug", 0.9),
        ("4", 29, 33, "Disease", 0.8),
    )
    entities = tuple(
        Entity(id=i, start=a, end=z, type=t, score=s, attributes={"assertion": "present"})
        for i, a, z, t, s in spans
    )
    relations = (
        Relation(head="3", tail="4", type="treats", score=0.7),
        Relation(head="3", tail="1", type="causes", score=0.3),
    )
    return Document(id=name, text=f"{TEXT} ({name})", entities=entities, relations=relations)


def suggested(bench: Open, *names: str, **settings: object) -> Bench:
    notes = [plain(n, f"{TEXT} ({n})") for n in names]
    return bench(*notes, read={n: read(n) for n in names}, blind=False, **settings)


def outcomes(b: Bench, name: str) -> dict[str, str]:
    kept = work.of(b.store, b.stored(name).id)
    assert kept is not None
    return {f"{s.type} {s.start}": s.outcome for s in kept.mentions} | {
        s.type: s.outcome for s in kept.relations
    }


def test_each_is_accepted_or_rejected_and_the_rest_asked_about(bench: Open) -> None:
    b = suggested(bench, "each")
    expect(b.page.locator("#annotator .seg.is-suggested")).to_have_count(4)
    expect(b.page.locator("#annotator .arc.is-suggested")).to_have_count(2)
    b.press("a", "x", "a", "a")  # fever yes, cough no, aspirin and gout yes; then the relations
    assert b.mentions() == [("Fever", "Symptom"), ("Aspirin", "Drug"), ("gout", "Disease")]
    b.press("a")
    assert len(b.relations()) == 1
    b.press("c")
    expect(b.page.locator("#annotator .menu")).to_contain_text(
        "1 suggestion is neither accepted nor rejected"
    )
    b.press("1")
    b.saved()
    assert b.stored("each").status == "complete"
    told = outcomes(b, "each")
    assert [told[k] for k in ("Symptom 0", "Disease 10", "Drug 17", "Disease 29")] == [
        "accepted", "rejected", "accepted", "accepted",
    ]  # fmt: skip
    assert sorted([told["treats"], told["causes"]]) == ["accepted", "rejected"]
    kept = work.of(b.store, b.stored("each").id)
    assert (kept.model, kept.blind, kept.added) == ("starter", False, 0)


def test_a_change_of_a_suggestion_is_told_from_its_acceptance(bench: Open) -> None:
    b = suggested(bench, "change")
    b.press("j")
    b.click("cough")
    b.press("s")  # accepted, as a Symptom
    assert ("cough", "Symptom") in b.mentions()
    b.click("gout")
    b.press("a")
    b.click("gout")
    b.press("v")  # absent
    b.saved()
    told = outcomes(b, "change")
    assert told["Disease 10"] == "changed"
    assert told["Disease 29"] == "changed"
    assert told["Symptom 0"] == "open"


def test_marking_by_hand_what_was_suggested_accepts_it(bench: Open) -> None:
    b = suggested(bench, "hand")
    b.press("Escape", "s")  # let go of the suggestion; what is selected becomes a Symptom
    b.page.keyboard.down("Alt")
    b.select("Fever", into=(1, 1))
    b.page.keyboard.up("Alt")
    assert b.mentions() == [("Fever", "Symptom")]
    b.saved()
    assert outcomes(b, "hand")["Symptom 0"] == "accepted"
    assert work.of(b.store, b.stored("hand").id).added == 0


def test_accepting_a_relation_takes_its_mentions_along(bench: Open) -> None:
    b = suggested(bench, "along")
    b.page.locator("#annotator .arc text", has_text="treats").click()
    b.press("a")
    assert b.relations() == [("Aspirin", "treats", "gout")]
    assert b.mentions() == [("Aspirin", "Drug"), ("gout", "Disease")]
    b.press("Control+z")
    assert b.mentions() == []


def test_those_above_a_score_are_accepted_in_bulk_and_never_test(bench: Open) -> None:
    b = suggested(bench, "bulk")
    expect(b.page.locator("#annotator .accept-above")).to_have_text("Accept 2")
    b.page.locator("#annotator .threshold").fill("0.8")
    expect(b.page.locator("#annotator .accept-above")).to_have_text("Accept 3")
    b.page.locator("#annotator .accept-above").click()
    assert len(b.mentions()) == 3
    b.page.locator("#annotator .page").focus()
    b.press("Shift+X", "c")
    b.saved()
    told = outcomes(b, "bulk")
    assert (told["Symptom 0"], told["Disease 10"]) == ("bulk", "rejected")
    with pytest.raises(ChartmarkError, match="accepted in bulk"):
        set_split(b.store, [b.keys["bulk"]], "test", "tester")


def test_a_document_of_the_test_set_is_decided_one_by_one(bench: Open) -> None:
    b = suggested(bench, "held")
    set_split(b.store, [b.keys["held"]], "test", "tester")
    b.reload()
    b.press("Shift+A")
    expect(b.page.locator("#annotator .toast")).to_contain_text("decide one by one")
    assert b.mentions() == []
    b.press("a", "c")
    b.page.get_by_role("button", name="Accept the rest in bulk and complete").click()
    assert b.mentions() == [("Fever", "Symptom")]
    b.saved()
    assert b.stored("held").status == "draft"


def test_all_can_be_accepted_and_rejected(bench: Open) -> None:
    b = suggested(bench, "all")
    b.press("Shift+A")
    assert len(b.mentions()) == 4
    assert len(b.relations()) == 2
    b.press("Control+z", "Shift+X")
    assert b.mentions() == []
    expect(b.page.locator("#annotator .seg.is-suggested")).to_have_count(0)


def test_a_draft_comes_back_with_what_was_judged(bench: Open, address: str) -> None:
    b = suggested(bench, "again")
    b.press("a", "x")
    b.saved()
    b.reload()
    expect(b.page.locator("#annotator .seg.is-suggested")).to_have_count(2)
    assert b.mentions() == [("Fever", "Symptom")]
    b.press("Shift+A")
    b.saved()
    told = outcomes(b, "again")
    assert (told["Symptom 0"], told["Disease 10"], told["Drug 17"]) == ("accepted", "rejected", "bulk")


def test_a_queue_is_started_in_the_order_of_doubt(bench: Open) -> None:
    sure, unsure = read("sure"), read("unsure")
    sure = sure.model_copy(update={"entities": sure.entities[:1], "relations": ()})
    notes = [plain(n, f"{TEXT} ({n})") for n in ("sure", "unsure")]
    b = bench(*notes, read={"sure": sure, "unsure": unsure}, blind=False)
    expect(b.page.locator("#annotator .name")).to_have_text("sure")
    b.page.get_by_text("What is in the queue").click()
    b.page.locator("#queue-order input").click()
    b.page.get_by_role("option", name="least certain first").click()
    b.page.locator("#start-queue").click()
    expect(b.page.locator("#annotator .name")).to_have_text("unsure")
    b.reload()  # as it was left
    expect(b.page.locator("#annotator .name")).to_have_text("unsure")


def test_one_in_ten_comes_without(bench: Open) -> None:
    names = [f"tenth{i}" for i in range(1, 30)]
    notes = [plain(n, f"{TEXT} ({n})") for n in names]
    blind = next(n for n in names if is_blind(sha256(f"{TEXT} ({n})")))
    b = bench(*notes, read={n: read(n) for n in names})
    b.ask(f"(a.open({names.index(blind)}), null)")
    expect(b.page.locator("#annotator .name")).to_have_text(blind)
    expect(b.page.locator("#annotator .chips")).to_contain_text("without suggestions")
    expect(b.page.locator("#annotator .seg.is-suggested")).to_have_count(0)
    b.press("ArrowRight", "s", "c")
    expect(b.page.locator("#annotator .name")).not_to_have_text(blind)
    expect(b.page.locator("#annotator .seg.is-suggested")).to_have_count(4)
    b.saved()
    kept = work.of(b.store, b.stored(blind).id)
    assert (kept.blind, kept.model, kept.added) == (True, "", 1)


def test_bulk_acceptance_while_a_relation_is_being_chosen_is_saved(bench: Open) -> None:
    b = suggested(bench, "choosing")
    b.press("r")
    b.page.get_by_role("button", name="Accept all (A)").click()
    assert len(b.mentions()) == 4
    b.saved()
    assert len(b.stored("choosing").document.entities) == 4


def test_a_relation_turned_round_is_a_changed_one(bench: Open) -> None:
    spans = (("1", 0, 5, "Symptom"), ("2", 10, 15, "Disease"))
    entities = tuple(Entity(id=i, start=a, end=z, type=t, score=0.9) for i, a, z, t in spans)
    relations = (Relation(head="1", tail="2", type="causes", score=0.9),)
    d = Document(id="turned", text=f"{TEXT} (turned)", entities=entities, relations=relations)
    b = bench(plain("turned", d.text), read={"turned": d}, blind=False)
    b.press("a", "a", "a")
    b.page.locator("#annotator .arc text", has_text="causes").click()
    b.press("i")
    b.saved()
    assert outcomes(b, "turned")["causes"] == "changed"


def test_annotating_for_some_types_is_kept_in_annotated(bench: Open) -> None:
    b = suggested(bench, "focus", focus=("Drug",))
    expect(b.page.locator("#annotator .type")).to_have_count(1)
    expect(b.page.locator("#annotator .seg.is-suggested")).to_have_count(1)
    b.press("a", "c")
    b.saved()
    sought = b.stored("focus").document.annotated
    assert sought.entities == ("Drug",)
    assert [(r.type, r.head, r.tail) for r in sought.relations] == [("interacts_with", "Drug", "Drug")]
