"""Names of diseases, symptoms, drugs, tests and procedures, and which of them go together.

The files in lexicon/ hold a name a line; a link may use any of a name's forms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import ChartmarkError
from core.files import read_text
from core.formats.mapping import position

FOLDER = Path(__file__).with_name("lexicon")
# The share of each type's names that only test notes use.
HELD_OUT = 0.35
_FILES = {
    "Disease": "diseases.txt",
    "Drug": "drugs.txt",
    "Lab_Test": "lab_tests.txt",
    "Procedure": "procedures.txt",
    "Symptom": "symptoms.txt",
}
# What the columns behind name and other names hold: a relation, and whether the line is its tail.
_COLUMNS = {
    "Disease": (("treats", True), ("causes", False), ("indicates", True), ("prevents", True)),
    "Drug": (("causes", False), ("interacts_with", False)),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A thing with every form of its name, the full one first.

    `values` is what a test shows in notes: lowest, highest, unit.
    """

    type: str
    forms: tuple[str, ...]
    values: tuple[float, float, str] | None = None

    @property
    def held_out(self) -> bool:
        """Whether only test notes may use it: by hash of its full form, for ever the same."""
        return position("lexicon:" + self.forms[0]) < HELD_OUT


@dataclass(frozen=True, slots=True)
class Link:
    """A fact, such as a drug that treats a disease. It makes notes plausible, never gold."""

    head: Name
    type: str
    tail: Name


@dataclass(frozen=True, slots=True)
class Lexicon:
    names: tuple[Name, ...]
    links: tuple[Link, ...]

    def of(self, *types: str) -> tuple[Name, ...]:
        """The names of these types, in the order of the files."""
        return tuple(n for n in self.names if n.type in types)


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships. Raises ChartmarkError with file and line at a name in use or unknown."""
    known: dict[str, Name] = {}
    lines: list[tuple[str, Name, list[str]]] = []
    for kind, file in _FILES.items():
        for where, fields in _rows(FOLDER / file):
            name = Name(kind, (fields[0], *_list(fields[1], ";")), _values(kind, fields))
            for form in name.forms:
                if form.lower() in known:
                    raise ChartmarkError(
                        f"{where}: {form!r} names {known[form.lower()].forms[0]!r} already"
                    )
                known[form.lower()] = name
            lines.append((where, name, fields[2:]))
    links: dict[Link, None] = {}
    for where, name, fields in lines:
        columns = _COLUMNS.get(name.type, ())
        for (relation, is_tail), field in zip(columns, fields[: len(columns)], strict=True):
            for form in _list(field, ","):
                other = known.get(form.lower())
                if other is None:
                    raise ChartmarkError(f"{where}: {form!r} is no name in the lexicon")
                links[Link(other, relation, name) if is_tail else Link(name, relation, other)] = None
    return Lexicon(tuple(dict.fromkeys(known.values())), tuple(links))


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield f"{path.name}, line {number}", line.split(" | ")


def _list(field: str, separator: str) -> list[str]:
    return [part.strip() for part in field.split(separator) if part.strip() not in ("", "-")]


def _values(kind: str, fields: list[str]) -> tuple[float, float, str] | None:
    if kind != "Lab_Test" or fields[2] == "-":
        return None
    low, high, unit = fields[2].split()
    return float(low), float(high), "" if unit == "-" else unit
