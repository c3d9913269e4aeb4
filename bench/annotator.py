"""How long the annotator takes to draw, in Chromium.

    python bench/annotator.py

A note of 34,000 characters, 400 mentions and 200 relations. Opening is from the server's answer to the
first frame after everything is drawn, an edit from the key to the frame after its redraw. A frame with
nothing done is printed beside them: no figure can be below it.
"""

import random
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from core.document import Document, Entity, Relation  # noqa: E402
from tests.browser.annotate.conftest import Bench, opened  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402

TIMES = 20
WORDS = """patient with known severe fever cough aspirin given daily for pain in the left knee since
morning no signs of infection potassium and creatinine as before discharged on insulin"""


def large() -> Document:
    """Words of a ward note over and over, mentions of up to three words, relations of neighbours."""
    chance = random.Random(0)
    text = ""
    words: list[tuple[int, int]] = []
    while len(text) < 34_000:
        word = chance.choice(WORDS.split())
        words.append((len(text), len(text) + len(word)))
        text += word + ("\n" if chance.random() < 0.06 else " ")
    entities = [
        Entity(
            id=f"T{i}", start=words[at][0], end=words[at + chance.randrange(3)][1],
            type=("Drug", "Disease", "Symptom")[i % 3],
        )
        for i, at in enumerate(sorted(chance.sample(range(0, len(words) - 3, 4), 400)))
    ]  # fmt: skip
    near = [
        Relation(head=a.id, tail=b.id, type="treats")
        for i, a in enumerate(entities)
        for b in entities[max(i - 2, 0) : i + 3]
        if a.type == "Drug" and b.type != "Drug"
    ]
    relations = tuple(chance.sample(near, 200))
    return Document(id="large", text=text, entities=tuple(entities), relations=relations)


_FRAME = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
_TIMED = """async () => {
    const a = document.querySelector("#annotator .annotator").annotator;
    const d = a.desk;
    const times = [];
    for (let i = 0; i < TIMES; i++) {
        FRAME
        const m = d.labels.mentions[200 + i];
        const began = performance.now();
        SCRIPT;
        FRAME
        times.push(performance.now() - began);
    }
    return times;
}"""
_EDITS = {
    "a frame, nothing done": "",
    "open": "d.load(a.sheet.string, a.sheet.first)",
    "select a mention": "d.select(m.id)",
    "change an assertion": "(d.select(m.id), d.setAttribute('assertion', i % 2 ? 'absent' : 'family'))",
    "add a mention": "d.add(a.sheet.text.starts[2 * i], a.sheet.text.ends[2 * i], 'Procedure')",
    "delete a mention with its relations": "(d.select(m.id), d.remove())",
    "undo": "d.undo()",
}


def drawing(b: Bench) -> None:
    """Print the times of opening and editing."""
    size, mentions, relations = b.ask(
        "[a.sheet.string.length, d.labels.mentions.length, d.labels.relations.length]"
    )
    print(f"{size:,} characters, {mentions} mentions, {relations} relations")
    print(f"{'milliseconds of ' + str(TIMES):<40}{'median':>8}{'longest':>10}")
    for name, script in _EDITS.items():
        timed = _TIMED.replace("FRAME", _FRAME).replace("SCRIPT", script).replace("TIMES", str(TIMES))
        times = b.page.evaluate(timed)
        print(f"{name:<40}{statistics.median(times):8.1f}{max(times):10.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        with opened(browser, Path(place), [large()], "") as b:
            drawing(b)
        browser.close()


if __name__ == "__main__":
    main()
