"""What bringing notes to gold costs an annotator: keys, gestures of the mouse, and seconds.

    python bench/annotating.py

Ten synthetic test notes (seed 0), brought to their gold labels by a script that presses the keys that
an annotator would, always the fewest: from nothing and from the starter's suggestions, by keys alone
and with a mouse for selecting and relating. The seconds are the script's, not a person's: what they
compare is the page's work.
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from core.document import Document, Entity, Relation  # noqa: E402
from core.formats import jsonl  # noqa: E402
from core.schema import default_schema  # noqa: E402
from tests.browser.annotate.conftest import Bench, opened  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402
from training.synthetic import generate  # noqa: E402

WAYS = (
    ("from nothing, keys alone", "", False),
    ("from nothing, mouse to select and relate", "", True),
    ("from suggestions, keys alone", "starter", False),
    ("from suggestions, mouse as well", "starter", True),
)
Place = tuple[int, int]


def unit(text: str, point: int) -> int:
    """The UTF-16 offset of a code point's."""
    return len(text[:point].encode("utf-16-le")) // 2


class Hands:
    """Presses what an annotator would to bring one document to gold, and counts it."""

    def __init__(self, b: Bench, *, mouse: bool) -> None:
        self.b, self.mouse, self.keys, self.gestures = b, mouse, 0, 0

    def press(self, *keys: str) -> None:
        self.b.press(*keys)
        self.keys += len(keys)

    def bring(self, gold: Document) -> None:
        places = {e.id: (unit(gold.text, e.start), unit(gold.text, e.end)) for e in gold.entities}
        stated = {(places[r.head], r.type, places[r.tail]) for r in gold.relations}
        self.judge({places[e.id]: e for e in gold.entities}, stated)
        there = self.b.ask("d.labels.mentions.map((m) => [m.start, m.end, m.type])")
        for e in gold.entities:
            if [*places[e.id], e.type] not in there:
                self.mark(e, places[e.id])
        for r in gold.relations:
            if (places[r.head], r.type, places[r.tail]) not in self.related():
                ends = {e.id: e for e in gold.entities}
                self.relate(r, [(places[k], ends[k].type) for k in (r.head, r.tail)])
        self.press("c")

    def related(self) -> set[tuple[Place, str, Place]]:
        found = self.b.ask(
            "d.labels.relations.map((r) => {"
            " const place = (id) => { const m = d.labels.mentions.find((x) => x.id === id);"
            " return [m.start, m.end] }; return [place(r.head), r.type, place(r.tail)] })"
        )
        return {((h[0], h[1]), kind, (t[0], t[1])) for h, kind, t in found}

    def judge(self, gold: dict[Place, Entity], stated: set[tuple[Place, str, Place]]) -> None:
        """Accept what is right, correct what only has the wrong type or assertion, reject the rest."""
        while self.b.ask("d.openCount"):
            now = self.b.ask("d.selectedSuggestion ?? null")
            if now is None:
                self.press("n")
            elif "start" in now:
                e = gold.get((now["start"], now["end"]))
                if e is None:
                    self.press("x")
                elif assertion(e) == now["attributes"].get("assertion", "present"):
                    self.press("a" if e.type == now["type"] else type_key(e.type))
                else:
                    if e.type != now["type"]:
                        self.press(type_key(e.type))
                    self.set_assertion(e)
            else:
                ends = self.b.ask(
                    f"[{now['head']!r}, {now['tail']!r}].map((k) => {{ const s ="
                    " d.labels.suggestedMentions.find((x) => x.key === k); return [s.start, s.end] })"
                )
                right = (tuple(ends[0]), now["type"], tuple(ends[1])) in stated
                self.press("a" if right else "x")

    def mark(self, e: Entity, place: Place) -> None:
        start, end = place
        if self.mouse:
            self.b.ask(f"d.selectionChosen({start}, {end}, true)")
            self.gestures += 1
            if self.b.ask("d.selectedItem?.type") != e.type:
                self.press(type_key(e.type))
        else:
            first, last = self.b.ask(f"[{start}, {end} - 1].map((u) => a.sheet.text.wordAt(u))")
            here = self.b.ask("d.place ? a.sheet.text.wordAt(d.place[1] - 1) : -1")
            self.press(*self.way(here, first), *["Shift+ArrowRight"] * (last - first), type_key(e.type))
            edge = self.b.ask("d.selectedMention?.end")
            self.press(*["Alt+Shift+ArrowLeft"] * max(0, (edge or end) - end))
        self.set_assertion(e)

    def way(self, here: int, to: int) -> list[str]:
        """The shortest keys from one word to another: arrows, or the first letters that find it."""
        arrows = ["ArrowRight" if to > here else "ArrowLeft"] * abs(to - here)
        word = self.b.ask(f"a.sheet.string.slice(a.sheet.text.starts[{to}], a.sheet.text.ends[{to}])")
        for n in range(1, min(len(word), len(arrows) - 2) + 1):
            if self.b.ask(f"a.sheet.text.wordFrom({here + 1}, {word[:n]!r})") == to:
                return ["/", *word[:n], "Enter"]
        return arrows

    def set_assertion(self, e: Entity) -> None:
        values = default_schema().attributes[0].values
        now = self.b.ask("d.selectedItem?.attributes?.assertion ?? 'present'")
        on = (values.index(assertion(e)) - values.index(now)) % len(values)
        self.press(*(["v"] * on if on <= len(values) - on else ["Shift+V"] * (len(values) - on)))

    def relate(self, r: Relation, ends: list[tuple[Place, str]]) -> None:
        head, tail = (
            self.b.ask(
                f"d.labels.mentions.find((m) => m.start === {start} && m.end === {end}"
                f" && m.type === {kind!r})?.id"
            )
            for (start, end), kind in ends
        )
        if self.mouse:
            self.b.ask(f"void d.related({head!r}, {tail!r})")
            self.gestures += 1
        else:
            order = self.b.ask("d.inOrder().map((i) => i.id)")
            selected = self.b.ask("d.selected?.id ?? null")
            here = order.index(selected) if selected in order else -1
            on = (order.index(head) - here) % len(order)
            self.press(*(["j"] * on if on <= len(order) // 2 else ["k"] * (len(order) - on)), "r")
            self.press(*self.b.ask(f"[...d.relating.hints].find(([, id]) => id === {tail!r})[0]"))
        menu = self.b.page.locator("#annotator .menu button")
        if menu.count():
            names = [t.split(" ", 1)[1].strip() for t in menu.all_inner_texts()]
            self.press(str(names.index(r.type) + 1))


def assertion(e: Entity) -> str:
    return e.attributes.get("assertion", "present")


def type_key(name: str) -> str:
    return next(t.shortcut for t in default_schema().entities if t.name == name)


def run(browser: Browser, folder: Path, notes: list[Document], model: str, *, mouse: bool) -> str:
    """Bring every note to gold; the counts, as a line."""
    bare = [n.model_copy(update={"entities": (), "relations": ()}) for n in notes]
    with opened(browser, folder, bare, model) as b:
        hands = Hands(b, mouse=mouse)
        began = time.perf_counter()
        for gold in notes:
            b.page.locator("#annotator .name", has_text=gold.id).wait_for()
            b.page.wait_for_function(
                "name => document.querySelector('#annotator .annotator').annotator.sheet.name === name",
                arg=gold.id,
            )
            hands.bring(gold)
        b.saved()
        seconds = time.perf_counter() - began
        right = sum(same(b.stored(n.id).document, n) for n in notes)
    return f"{hands.keys:6}{hands.gestures:10}{seconds:10.1f}{right:8} of {len(notes)}"


def same(one: Document, other: Document) -> bool:
    def said(d: Document) -> object:
        places = {e.id: (e.start, e.end, e.type) for e in d.entities}
        mentions = {(*places[e.id], assertion(e)) for e in d.entities}
        return mentions, {(places[r.head], r.type, places[r.tail]) for r in d.relations}

    return said(one) == said(other)


def main() -> None:
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        written = Path(place) / "notes"
        generate.generate(written, {"train": 1, "dev": 1, "test": 10, "test_seen": 1}, 0, None)
        notes = list(jsonl.read(written / "test.jsonl"))
        mentions, relations = (
            sum(len(getattr(n, k)) for n in notes) for k in ("entities", "relations")
        )
        print(f"ten synthetic notes, {mentions} mentions, {relations} relations, brought to gold")
        print(f"{'':44}{'keys':>6}{'gestures':>10}{'seconds':>10}{'exact':>8}")
        for i, (name, model, mouse) in enumerate(WAYS):
            told = run(browser, Path(place) / f"app{i}", notes, model, mouse=mouse)
            print(f"{name:<44}{told}")
        browser.close()


if __name__ == "__main__":
    main()
