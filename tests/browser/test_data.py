"""The Data tab in a real Chromium: files in, looked at, found again, and out."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.document import Document, Entity, Relation
from core.importing import save as write
from core.store import revisions
from core.store.connection import Store
from core.store.revisions import Save

pytestmark = pytest.mark.browser

PUBTATOR = (
    "7|t|Lithium toxicity.\n7|a|Tremor was seen, <b>not</b> rigor.\n"
    "7\t0\t7\tLithium\tChemical\tD008094\n7\t18\t24\tTremor\tDisease\tD014202\n"
    "7\tCID\tD008094\tD014202\n\n"
    "8|t|Aspirin.\n8|a|It helped.\n8\t0\t7\tAspirin\tChemical\tD001241\n\n"
)


def opened(page: Page, tab: str) -> None:
    page.get_by_role("tab", name="Data", exact=True).click()
    page.get_by_role("tab", name=tab, exact=True).click()


def upload(page: Page, *files: Path) -> None:
    opened(page, "Import")
    page.locator("#upload input[type=file]").set_input_files([str(f) for f in files])


def cell(page: Page, row: int, column: int):
    return page.locator(f"#documents [data-testid=cell-{row}-{column}]")


def choose(page: Page, field: str, option: str) -> None:
    page.locator(f"{field} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def imported(page: Page, *files: Path) -> None:
    upload(page, *files)
    expect(page.locator("#import")).to_be_enabled()
    page.locator("#import").click()
    expect(page.locator("#import-report")).to_contain_text("documents read")


def test_upload_look_map_import_find_export(page: Page, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "cdr.txt").write_text(PUBTATOR)
    opened(page, "Documents")
    expect(page.locator("#data-summary")).to_contain_text("There are no documents yet")
    upload(page, tmp_path / "cdr.txt")
    # What is in it, and how it would look: Chemical has no place in the schema yet.
    expect(page.locator("#import-report")).to_contain_text("PubTator, 2 documents")
    expect(page.locator("#import-preview mark")).to_have_count(1)
    expect(page.locator("#labels")).to_contain_text("Chemical")
    # A ready map knows.
    choose(page, "#import-map", "BioCreative V CDR (Li et al. 2016)")
    expect(page.locator("#import-preview mark")).to_have_count(3)
    expect(page.locator("#import-preview .note b")).to_have_count(0)  # text is text
    assert Store(folder / "annotations.db").rows("SELECT * FROM documents") == []
    choose(page, "#import-split", "train")
    page.locator("#check").click()
    expect(page.locator("#import-report")).to_contain_text("nothing was stored")
    expect(page.locator("#import-report")).to_contain_text("2 documents read: 2 new")
    assert Store(folder / "annotations.db").rows("SELECT * FROM documents") == []
    page.locator("#import").click()
    expect(page.locator("#import-report")).not_to_contain_text("nothing was stored")
    expect(page.locator("#import-report")).to_contain_text("2 documents read: 2 new")
    expect(page.locator("#data-summary")).to_contain_text("2 documents · 2 with gold labels")

    # Find it.
    opened(page, "Documents")
    page.locator("#search textarea, #search input").first.fill("tremor")
    page.locator("#search textarea, #search input").first.press("Enter")
    expect(page.locator("#place")).to_contain_text("1 to 1 of 1")
    expect(cell(page, 0, 0)).to_contain_text("bc5cdr:7")
    cell(page, 0, 0).click()
    expect(page.locator("#document-text mark")).to_have_count(2)
    expect(page.locator("#document-arcs")).to_contain_text("causes")

    # And out: what the list shows.
    page.get_by_text("Export what the list shows").click()
    choose(page, "#export-format", "brat standoff (.txt and .ann)")
    page.locator("#export").click()
    expect(page.locator("#export-report")).to_contain_text("1 documents")
    expect(page.locator("#export-report")).to_contain_text("choice of types, the first kept (1)")
    with page.expect_download() as download:
        page.locator("#exported").click()
    with zipfile.ZipFile(download.value.path()) as z:
        names = [n for n in z.namelist() if n.endswith(".ann")]
        assert len(names) == 1
        assert "causes Arg1:T1 Arg2:T2" in z.read(names[0]).decode()


def test_labels_are_mapped_by_hand(page: Page, tmp_path: Path, folder: Path) -> None:
    d = Document(
        id="own",
        text="Rash after penicillin.",
        entities=(
            Entity(id="a", start=0, end=4, type="Finding"),
            Entity(id="b", start=11, end=21, type="Drug"),
        ),
        relations=(Relation(head="b", tail="a", type="ADE"),),
    )
    write([d], tmp_path / "own.jsonl", "jsonl")
    upload(page, tmp_path / "own.jsonl")
    expect(page.locator("#import-preview mark")).to_have_count(1)
    for row, label in ((0, "Symptom"), (2, "causes")):
        box = page.locator(f"#labels [data-testid=cell-{row}-3]")
        box.dblclick()
        editor = box.locator("input, textarea")
        expect(editor).to_be_focused()  # letters typed before it is would be lost
        editor.fill(label)
        editor.press("Enter")
    expect(page.locator("#import-preview mark")).to_have_count(2)
    expect(page.locator("#import-preview")).to_contain_text("causes")
    page.locator("#import").click()
    expect(page.locator("#import-report")).to_contain_text("1 new")
    gold = {d.id: d for d in revisions.gold(Store(folder / "annotations.db"))}["own"]
    assert [(e.type) for e in gold.entities] == ["Symptom", "Drug"]
    assert [r.type for r in gold.relations] == ["causes"]


def test_a_broken_file_stores_nothing_and_says_where(page: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text('{"id": "x", "text": "Fever."}\n{"id": "y"\n')
    upload(page, tmp_path / "broken.jsonl")
    expect(page.locator("#import-report [role=alert]")).to_contain_text("line 2")
    expect(page.locator("#import")).to_be_disabled()


def test_a_zip_and_loose_standoff_are_understood(page: Page, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as z:
        z.writestr("ward/one.txt", "First zipped note.")
        z.writestr("ward/two.txt", "Second zipped note.")
    imported(page, tmp_path / "notes.zip")
    expect(page.locator("#import-report")).to_contain_text("2 documents read: 2 new")
    (tmp_path / "loose.txt").write_text("No fever here.")
    (tmp_path / "loose.ann").write_text("T1\tSymptom 3 8\tfever\nA1\tassertion T1 absent\n")
    imported(page, tmp_path / "loose.txt", tmp_path / "loose.ann")
    expect(page.locator("#import-report")).to_contain_text("1 documents read: 1 new")


def test_revisions_are_compared_and_brought_back(page: Page, tmp_path: Path, folder: Path) -> None:
    text = "Cough for a week, given codeine."
    first = Document(
        id="rev", text=text, entities=(Entity(id="a", start=0, end=5, type="Symptom"),), relations=()
    )
    second = first.model_copy(
        update={"entities": (*first.entities, Entity(id="b", start=24, end=31, type="Drug"))}
    )
    store = Store(folder / "annotations.db")
    write([first], tmp_path / "rev.jsonl", "jsonl")
    imported(page, tmp_path / "rev.jsonl")
    key = store.rows("SELECT id FROM documents WHERE name = 'rev'")[0]["id"]
    revisions.save(store, Save(key, "ann", second, "complete", "", "s", 1), "ann")
    opened(page, "Documents")
    page.locator("#search textarea, #search input").first.fill("codeine")
    page.locator("#search textarea, #search input").first.press("Enter")
    expect(page.locator("#place")).to_contain_text("1 to 1 of 1")
    cell(page, 0, 0).click()
    expect(page.locator("#document-text mark")).to_have_count(2)
    page.locator("#compared input").click()
    page.locator("#compared").get_by_role("option").filter(has_text="imported 1").click()
    expect(page.locator("#changes")).to_contain_text("+ “codeine” at 24 (Drug)")
    page.locator("#revision input").click()
    page.locator("#revision").get_by_role("option").filter(has_text="imported 1").click()
    expect(page.locator("#document-text mark")).to_have_count(1)
    page.locator("#restore").click()
    for _ in range(100):
        past = [(r.annotator, r.number, r.saved_by) for r in revisions.history(store, key)]
        if len(past) == 3:
            break
        page.wait_for_timeout(100)
    assert past[-1] == ("imported", 2, "local")


def test_a_document_is_opened_in_the_annotator(page: Page, tmp_path: Path) -> None:
    (tmp_path / "hand.txt").write_text("Handed over with a wheeze.")
    imported(page, tmp_path / "hand.txt")
    opened(page, "Documents")
    page.locator("#search textarea, #search input").first.fill("wheeze")
    page.locator("#search textarea, #search input").first.press("Enter")
    expect(page.locator("#place")).to_contain_text("1 to 1 of 1")
    cell(page, 0, 0).click()
    page.locator("#annotate-this").click()
    expect(page.locator("#annotator .name")).to_have_text("hand")
    expect(page.locator("#annotator .lines")).to_contain_text("over with a")
    # A page that loads itself anew, as after a new start of the server, comes back to its tab.
    page.reload()
    expect(page.get_by_role("tab", name="Annotate", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    expect(page.locator("#annotator .page")).to_be_visible()


def test_splits_and_synthetic_notes(page: Page, folder: Path) -> None:
    opened(page, "Synthetic notes")
    count = page.locator("#synthetic-count input")
    expect(count).to_have_value("200")
    page.wait_for_timeout(500)  # a tab's components wake a moment after they show
    count.fill("30")
    count.press("Tab")
    page.locator("#synthetic").click()
    expect(page.locator("#synthetic-report")).to_contain_text("30 documents read: 30 new")
    opened(page, "Splits")
    page.get_by_label("Only documents without a split").uncheck()
    page.locator("#deal").click()
    expect(page.locator("#deal-report")).to_contain_text("dealt:")
    store = Store(folder / "annotations.db")
    counts = {
        r["split"]: r["n"] for r in store.rows("SELECT split, count(*) AS n FROM documents GROUP BY 1")
    }
    assert counts["test"] >= 3
    assert counts["train"] > counts["dev"] >= 3
    # A document of the test set is let go on purpose only.
    name = store.rows("SELECT name FROM documents WHERE split = 'test' LIMIT 1")[0]["name"]
    page.get_by_text("Move one document").click()
    page.locator("#move-id textarea, #move-id input").first.fill(name)
    page.locator("#move").click()
    expect(page.locator("#deal-report [role=alert]")).to_contain_text("kept from training")


def test_nothing_of_a_note_stays_in_the_browser_or_the_cache(page: Page, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("Secretword has a fever.")
    imported(page, tmp_path / "secret.txt")
    stored = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    assert "Secretword" not in stored
    from ui.server import CACHE

    kept = [p for p in CACHE.rglob("*") if p.is_file() and b"Secretword" in p.read_bytes()]
    assert kept == []


def test_it_fits_a_phone(page: Page) -> None:
    for tab in ("Documents", "Import", "Splits", "Synthetic notes"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.wait_for_timeout(700)  # tabs that come back into view push the others aside
        opened(page, tab)
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
