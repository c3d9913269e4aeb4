"""Notes made of ways of saying: which mentions they hold, and the relations that their text states.

Slots are filled alike whether a way relates them or not, from a note's theme (a few diseases and what
goes with them) or from anywhere, so that names tell nothing about what is related.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from core.document import Document, Entity, Relation
from core.files import read_text
from training.synthetic.lexicon import Lexicon, Name, lexicon
from training.synthetic.ways import Close, Open, Slot, Value, Way, Wording, ways

# What their meta says they come from.
SOURCE = "synthetic"
# The share of sentences that relate something, of notes that relate nothing, and of slots that
# are filled from the theme.
RELATING, SILENT, THEMED = 0.35, 0.16, 0.6
_TYPO = 0.01  # of words
# The share of slots filled with a name that the note has used, of sentences that run on from the one
# before, and of mentions with a dose behind them or a degree before them (neither is part of the name).
_REPEATED, _RUN_ON, _DOSED, _GRADED = 0.12, 0.12, 0.25, 0.1
# The share of sentences with words around them that change nothing, and of notes that are no more than
# a few sentences without a heading, as a search or a message would bring.
_ASIDE, _SHORT = 0.15, 0.33
_DOSES = (
    "5 mg daily", "10 mg BID", "20 mg qhs", "40 mg", "81 mg", "100 mg PO", "250 mg q6h", "500 mg TID",
    "1 g IV q24h", "2 puffs prn", "12.5 mg/day", "0.5 mL", "IV", "po", "b.i.d.", "30 mg x 5 days",
    "at 75 mcg",
)  # fmt: skip
_DOSABLE = re.compile(r"[,;]| (for|and|was|given|since|before) |\.?$")
_DEGREES = (
    "mild",
    "moderate",
    "severe",
    "worsening",
    "persistent",
    "intermittent",
    "occasional",
    "new",
)
_MOMENTS = ("Today", "This morning", "On 3/14", "HD#2", "Overnight", "12/02", "At 0400", "Since Monday")


@dataclass(frozen=True, slots=True)
class Pool:
    """What notes may use: names by type, ways by relation (None: nothing related), neighbours.

    `more` has the names of a vocabulary; half of the names that aren't the theme's come from there.
    """

    names: dict[str, tuple[Name, ...]]
    more: dict[str, tuple[Name, ...]]
    ways: dict[str | None, tuple[Way, ...]]
    linked: dict[Name, tuple[Name, ...]]


@cache
def pool(vocabulary: tuple[Name, ...] = (), *, held_out: bool) -> Pool:
    """The names and ways of training notes, or those held out for testing."""
    whole: Lexicon = lexicon()
    by_relation: dict[str | None, list[Way]] = defaultdict(list)
    for w in ways():
        if w.held_out == held_out:
            by_relation[w.relation].append(w)
    linked: dict[Name, list[Name]] = defaultdict(list)
    for x in whole.links:
        if x.head.held_out == x.tail.held_out == held_out:
            linked[x.head].append(x.tail)
            linked[x.tail].append(x.head)
    return Pool(
        _by_type(whole.names, held_out),
        _by_type(vocabulary, held_out),
        {k: tuple(v) for k, v in by_relation.items()},
        {k: tuple(dict.fromkeys(v)) for k, v in linked.items()},
    )


def _by_type(names: Sequence[Name], held_out: bool) -> dict[str, tuple[Name, ...]]:
    kinds: dict[str, list[Name]] = defaultdict(list)
    for n in names:
        if n.held_out == held_out:
            kinds[n.type].append(n)
    return {k: tuple(v) for k, v in kinds.items()}


@dataclass(slots=True)
class _Draft:
    """A note as it is written."""

    chance: random.Random
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    said: list[Name] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)

    def mention(self, start: int, kind: str, assertion: str) -> str:
        key = f"T{len(self.entities) + 1}"
        self.entities.append(
            Entity(
                id=key,
                start=start,
                end=len(self.text),
                type=kind,
                attributes={"assertion": assertion},
            )
        )
        return key


def notes(
    split: str, count: int, seed: int, *, held_out: bool, vocabulary: tuple[Name, ...] = ()
) -> Iterator[Document]:
    """`count` notes. The same split, seed and number give the same note on any machine."""
    material = pool(vocabulary, held_out=held_out)
    for n in range(count):
        # A seed of text is hashed with SHA-512, so it doesn't depend on the machine.
        chance = random.Random(f"{seed}/{split}/{n}")  # noqa: S311
        yield _note(f"{split}-{seed}-{n}", material, chance)


def _note(name: str, material: Pool, chance: random.Random) -> Document:
    draft = _Draft(chance)
    kind, sections = chance.choice(_kinds())
    theme = _theme(material, chance)
    relating = 0.0 if chance.random() < SILENT else RELATING
    longest = chance.choice((2, 4, 7))
    if chance.random() < _SHORT:
        sections, longest = [("", "s")], 3
    for heading, style in _some(sections, chance):
        draft.text += ("\n" if draft.text else "") + _heading(heading, chance)
        for i in range(chance.randint(1, longest)):
            way = _choose(material, relating, chance)
            runs_on = style == "s" and i > 0 and chance.random() < _RUN_ON
            if runs_on:
                _run_on(draft)
            elif i or style == "l":
                draft.text += ("\n- ", f"\n{i + 1}. ", "\n")[len(heading) % 3] if style == "l" else " "
            _say(draft, way, material, theme, begins=not runs_on)
        draft.text += "\n"
    order = sorted(draft.entities, key=lambda e: (e.start, -e.end))
    ids = {e.id: f"T{i}" for i, e in enumerate(order, start=1)}
    return Document(
        id=name,
        text=draft.text,
        entities=tuple(e.model_copy(update={"id": ids[e.id]}) for e in order),
        relations=tuple(
            r.model_copy(update={"head": ids[r.head], "tail": ids[r.tail]}) for r in draft.relations
        ),
        meta={"source": SOURCE, "kind": kind},
    )


def _some(sections: Sequence[tuple[str, str]], chance: random.Random) -> list[tuple[str, str]]:
    """All sections or all but one, in any order."""
    fewer = len(sections) - chance.randrange(2)
    return chance.sample(sections, min(max(2, fewer), len(sections)))


def _choose(material: Pool, relating: float, chance: random.Random) -> Way:
    if chance.random() >= relating:
        return chance.choice(material.ways[None])
    return chance.choice(material.ways[chance.choice([r for r in material.ways if r])])


def _theme(material: Pool, chance: random.Random) -> tuple[Name, ...]:
    """A disease or two with all that goes with them."""
    chosen = chance.sample(material.names["Disease"], chance.randint(1, 2))
    near = [n for d in chosen for n in material.linked.get(d, ())]
    return (*chosen, *near, *(n for d in near for n in material.linked.get(d, ())[:2]))


def _run_on(draft: _Draft) -> None:
    """Let the next sentence go on where the last one stopped."""
    if draft.text.endswith(".") and all(e.end < len(draft.text) for e in draft.entities):
        draft.text = draft.text[:-1]
    draft.text += draft.chance.choice((", ", "; ", " and ", " - ", ", also "))


def _say(draft: _Draft, way: Way, material: Pool, theme: Sequence[Name], *, begins: bool) -> None:
    """Write one way, its slots filled, and what it relates."""
    chance = draft.chance
    keys: dict[str, str] = {}
    used: set[Name] = set()
    opened: list[tuple[Open, int]] = []
    last: Name | None = None
    before, after_all = _asides()
    aside = chance.random() if begins else 1.0
    if aside < _ASIDE / 2:
        draft.text += chance.choice(before)
        begins = False
    elif begins and chance.random() < 0.06:
        draft.text += chance.choice(_MOMENTS) + chance.choice((": ", ", "))
    for i, part in enumerate(way.parts):
        if isinstance(part, str | Wording):
            words = part if isinstance(part, str) else chance.choice(part.choices)
            draft.text += _typed(words if begins or i else words[:1].lower() + words[1:], chance)
        elif isinstance(part, Value):
            draft.text += _value(last, chance)
        elif isinstance(part, Open):
            opened.append((part, len(draft.text)))
        elif isinstance(part, Close):
            mention, start = opened.pop()
            keys[mention.key] = draft.mention(start, mention.type, "present")
        elif isinstance(part, Slot):
            last = _fill(part, material, theme, draft.said, used, chance)
            if not opened and last.type in ("Disease", "Symptom") and chance.random() < _GRADED:
                draft.text += chance.choice(_DEGREES) + " "
            start = len(draft.text)
            draft.text += _form(last, chance, begins=begins)
            keys[part.key] = draft.mention(start, last.type, part.assertion)
            draft.said.append(last)
            after = way.parts[i + 1] if i + 1 < len(way.parts) else ""
            if (
                last.type == "Drug"
                and isinstance(after, str)
                and _DOSABLE.match(after)
                and chance.random() < _DOSED
            ):
                draft.text += " " + chance.choice(_DOSES)
        begins = False
    if _ASIDE / 2 <= aside < _ASIDE and draft.text.endswith("."):
        draft.text = draft.text[:-1] + chance.choice(after_all) + "."
    for head, tail in way.pairs:
        draft.relations.append(Relation(head=keys[head], tail=keys[tail], type=way.relation or ""))


def _fill(
    slot: Slot,
    material: Pool,
    theme: Sequence[Name],
    said: Sequence[Name],
    used: set[Name],
    chance: random.Random,
) -> Name:
    kind = chance.choice(slot.types)
    again = chance.random() < _REPEATED
    near = [n for n in (said if again else theme) if n.type == kind and n not in used]
    more = material.more.get(kind)
    anywhere = more if more and chance.random() < 0.5 else material.names[kind]
    name = chance.choice(near) if near and chance.random() < THEMED else chance.choice(anywhere)
    while name in used:
        name = chance.choice(anywhere)
    used.add(name)
    return name


def _form(name: Name, chance: random.Random, *, begins: bool) -> str:
    form = name.forms[0] if chance.random() < 0.6 else chance.choice(name.forms)
    if begins and chance.random() < 0.7:
        form = form[0].upper() + form[1:]
    return _misspelt(form, chance) if chance.random() < 0.02 else form


def _value(name: Name | None, chance: random.Random) -> str:
    if name is None or name.values is None:
        return chance.choice(("abnormal", "elevated", "high", "low", "borderline"))
    low, high, unit = name.values
    number = low + (high - low) * chance.random()
    written = f"{number:.1f}" if high < 20 else f"{number:.0f}"
    return f"{written} {unit}".rstrip() if chance.random() < 0.7 else written


def _typed(text: str, chance: random.Random) -> str:
    """Words as typed: now and then one is misspelt, or the stop at the end is missing."""
    words = [
        _misspelt(w, chance) if len(w) > 4 and chance.random() < _TYPO else w for w in text.split(" ")
    ]
    typed = " ".join(words)
    return typed.removesuffix(".") if typed.endswith(".") and chance.random() < 0.08 else typed


def _misspelt(word: str, chance: random.Random) -> str:
    """Two letters swapped, one doubled or one left out."""
    if len(word) < 5:
        return word
    i = chance.randrange(1, len(word) - 2)
    if not word[i : i + 2].isalpha():
        return word
    swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return chance.choice((swapped, word[:i] + word[i] + word[i:], word[:i] + word[i + 1 :]))


def _heading(heading: str, chance: random.Random) -> str:
    if not heading:
        return ""
    return f"{heading}: " if chance.random() < 0.6 else f"{heading}:\n"


@cache
def _asides() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What may stand before a sentence, and what before its full stop."""
    lines = read_text(Path(__file__).with_name("asides.txt")).splitlines()
    before = tuple(line.removesuffix(">") for line in lines if line.endswith(">"))
    return before, tuple(line[1:] for line in lines if line.startswith("<"))


@cache
def _kinds() -> list[tuple[str, list[tuple[str, str]]]]:
    """Kinds of note with their (heading, style) sections."""
    kinds = []
    for line in read_text(Path(__file__).with_name("note_kinds.txt")).splitlines():
        if line.strip() and not line.startswith("//"):
            name, _, rest = line.partition(" | ")
            sections = [s.strip().rpartition(":") for s in rest.split(";")]
            kinds.append((name, [(heading, style) for heading, _, style in sections]))
    return kinds
