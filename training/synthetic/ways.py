"""Ways of saying a relation, and of saying none: a line of text with slots, and what it relates.

In a line `{G1}` is a slot for a drug, `{DS1:absent}` one for a disease or symptom that is absent, `{v}`
the value of the test before it, `[D1|{G1} toxicity]` a mention that holds another, `<was|has been>` one
wording or another; `=> G1>D1` says that the text relates the two. The file's name is the relation;
lines that begin with // are comments.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import ChartmarkError
from core.files import read_text
from core.formats.mapping import position
from training.synthetic.lexicon import HELD_OUT

FOLDER = Path(__file__).with_name("ways")
UNRELATED = "unrelated"
TYPES = {"D": "Disease", "S": "Symptom", "G": "Drug", "L": "Lab_Test", "P": "Procedure"}
_PART = re.compile(
    r"\{(?P<slot>[DSGLP]+\d)(?::(?P<assertion>\w+))?\}|\{(?P<value>v)\}"
    r"|\[(?P<open>[DSGLP]\d)\||(?P<close>\])|<(?P<wordings>[^<>{}\[\]]*)>"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A mention to fill: its key, the types that fit, its assertion."""

    key: str
    types: tuple[str, ...]
    assertion: str


@dataclass(frozen=True, slots=True)
class Open:
    """The beginning of a mention that holds others."""

    key: str
    type: str


class Close:
    """Its end."""


class Value:
    """A value of the test before it."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Words of which any will do."""

    choices: tuple[str, ...]


Part = str | Slot | Open | Close | Value | Wording


@dataclass(frozen=True, slots=True)
class Way:
    """One way of saying: `relation` is None where nothing is related."""

    line: str
    relation: str | None
    parts: tuple[Part, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def held_out(self) -> bool:
        """Whether only test notes may use it."""
        return position("way:" + self.line) < HELD_OUT


@cache
def ways() -> tuple[Way, ...]:
    """Every way that ships. Raises ChartmarkError with file and line at a line that can't be read."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        relation = None if path.stem == UNRELATED else path.stem
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if line.strip() and not line.startswith("//"):
                found.append(_way(line, relation, f"{path.name}, line {number}"))
    return tuple(found)


def _way(line: str, relation: str | None, where: str) -> Way:
    text, _, related = line.partition(" => ")
    parts = tuple(_parts(text.replace("\\n", "\n")))
    keys = [p.key for p in parts if isinstance(p, Slot | Open)]
    pairs = []
    for pair in filter(None, (p.strip() for p in related.split(";"))):
        head, _, tail = pair.partition(">")
        if head not in keys or tail not in keys:
            raise ChartmarkError(f"{where}: {pair!r} relates a slot that the line does not have")
        pairs.append((head, tail))
    if len(set(keys)) < len(keys) or bool(pairs) != bool(relation):
        raise ChartmarkError(f"{where}: slots need names of their own, and a relation needs pairs")
    return Way(line, relation, parts, tuple(pairs))


def _parts(text: str) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for match in _PART.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
        at = match.end()
        if match["slot"]:
            types = tuple(TYPES[c] for c in match["slot"][:-1])
            parts.append(Slot(match["slot"], types, match["assertion"] or "present"))
        elif match["wordings"] is not None:
            parts.append(Wording(tuple(match["wordings"].split("|"))))
        elif match["open"]:
            parts.append(Open(match["open"], TYPES[match["open"][0]]))
        else:
            parts.append(Value() if match["value"] else Close())
    if at < len(text):
        parts.append(text[at:])
    return parts
