"""Five hundred random edits, undo and redo among them, against a model of them kept in Python."""

import random
from dataclasses import dataclass, field

import pytest

from core.schema import default_schema
from tests.browser.annotate.conftest import Open, plain

pytestmark = pytest.mark.browser

TEXT = "🧪 Fever and cough 👩\u200d⚕️ aspirin\r\nfor gout;\tno rash 🤒 but ECG and fe\u0301vre. " * 3
VALUES = default_schema().attributes[0].values


@dataclass
class Model:
    """Labels in code points: id → (start, end, type, assertion), and relations."""

    mentions: dict[str, tuple[int, int, str, str]] = field(default_factory=dict)
    relations: tuple[tuple[str, str, str], ...] = ()

    def fresh(self) -> str:
        return f"T{max((int(k[1:]) for k in self.mentions), default=0) + 1}"

    def fits(self, r: tuple[str, str, str]) -> bool:
        return r[1] in default_schema().allowed(self.mentions[r[0]][2], self.mentions[r[2]][2])

    def with_mention(self, key: str, value: tuple[int, int, str, str]) -> "Model | None":
        same = (m[:3] for k, m in self.mentions.items() if k != key)
        return None if value[:3] in same else Model({**self.mentions, key: value}, self.relations)


def test_the_store_equals_a_model_kept_in_python(bench: Open) -> None:
    b = bench(plain("random", TEXT))
    chance = random.Random(5)
    past, at = [Model()], 0
    units = [len(TEXT[:i].encode("utf-16-le")) // 2 for i in range(len(TEXT) + 1)]
    words = b.ask(
        "Array.from(a.sheet.text.starts, (s, i) =>"
        " [s, a.sheet.text.ends[i]].map((unit) => a.sheet.text.toPoints(unit)))"
    )
    types = default_schema().entity_names
    done: dict[str, int] = {}
    for _ in range(500):
        now = past[at]
        what = chance.choices(
            ["add", "retype", "resize", "assert", "relate", "delete", "unrelate", "undo", "redo"],
            [22, 8, 8, 8, 16, 6, 4, 16, 12],
        )[0]
        new: Model | None = None
        ids = sorted(now.mentions)
        one = chance.choice(ids) if ids else None
        if what == "add":
            i = chance.randrange(len(words) - 2)
            start, end, kind = words[i][0], words[i + chance.randrange(3)][1], chance.choice(types)
            b.ask(f"d.add({units[start]}, {units[end]}, {kind!r})")
            new = now.with_mention(now.fresh(), (start, end, kind, "present"))
        elif what in ("undo", "redo"):
            b.ask(f"d.{what}()")
            at = min(max(at + (1 if what == "redo" else -1), 0), len(past) - 1)
        elif one is None:
            continue
        elif what == "retype":
            kind = chance.choice(types)
            changed = Model(
                {**now.mentions, one: (*now.mentions[one][:2], kind, now.mentions[one][3])},
                now.relations,
            )
            kept = tuple(r for r in now.relations if changed.fits(r))
            b.ask(f"(d.select({one!r}), d.useType({kind!r}))")
            refused = now.with_mention(one, changed.mentions[one]) is None
            if len(kept) < len(now.relations) and not refused:
                b.page.locator("#annotator .menu").wait_for()
                b.press("1")
                b.page.locator("#annotator .menu").wait_for(state="detached")
            new = None if refused or kind == now.mentions[one][2] else Model(changed.mentions, kept)
        elif what == "resize":
            i = chance.randrange(len(words) - 3)
            start, end = words[i][0], words[i + chance.randrange(4)][1]
            b.ask(f"d.resized({one!r}, {units[start]}, {units[end]})")
            if (start, end) != now.mentions[one][:2]:
                new = now.with_mention(one, (start, end, *now.mentions[one][2:]))
        elif what == "assert":
            value = chance.choice(VALUES)
            b.ask(f"(d.select({one!r}), d.setAttribute('assertion', {value!r}))")
            new = Model({**now.mentions, one: (*now.mentions[one][:3], value)}, now.relations)
        elif what == "relate":
            other = chance.choice(ids)
            kind = chance.choice(default_schema().relation_names)
            triple = (one, kind, other)
            if other == one or not now.fits(triple):
                continue
            b.ask(f"d.relate({one!r}, {other!r}, {kind!r})")
            turned = (other, kind, one) if kind in default_schema().symmetric else triple
            if triple not in now.relations and turned not in now.relations:
                new = Model(now.mentions, (*now.relations, triple))
        elif what == "delete":
            b.ask(f"(d.select({one!r}), d.remove())")
            rest = {k: m for k, m in now.mentions.items() if k != one}
            new = Model(rest, tuple(r for r in now.relations if one not in (r[0], r[2])))
        elif what == "unrelate" and now.relations:
            head, kind, tail = chance.choice(now.relations)
            b.ask(f"(d.pickArc(JSON.stringify([{head!r}, {kind!r}, {tail!r}])), d.remove())")
            new = Model(now.mentions, tuple(r for r in now.relations if r != (head, kind, tail)))
        done[what] = done.get(what, 0) + 1
        if new is not None:
            past[at + 1 :] = [new]
            at += 1
    b.saved()
    now = past[at]
    stored = b.stored("random").document
    assert {
        e.id: (e.start, e.end, e.type, e.attributes["assertion"]) for e in stored.entities
    } == now.mentions
    assert {(r.head, r.type, r.tail) for r in stored.relations} == set(now.relations)
    assert b.count("random") == 1
    assert min(done.values()) > 5, done
    # All the way back is where it began.
    while b.ask("d.history.at > 0"):
        b.ask("d.undo()")
    assert b.mentions() == []
    b.saved()
    assert b.stored("random").document.entities == ()
