"""Larger word lists for synthetic notes, from open vocabularies in a folder that the user names.

Read are the Disease Ontology's HumanDO.tsv, the Symptom Ontology's symp.obo, DrugBank's
drugbank_vocabulary.csv, MAxO's maxo-base.obo and the Clinical Measurement Ontology's
clinical_measurement.obo, wherever in the folder they are.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import obonet

from core.errors import ChartmarkError
from core.files import read_text
from training.synthetic.lexicon import Name, lexicon

# What a note would hold: up to five words of letters, no formulas, no codes, no commentary.
_WRITABLE = re.compile(r"[A-Za-z][A-Za-z'-]{2,}( [A-Za-z'-]{2,}){0,4}")
_SYNONYM = re.compile(r'"(?P<text>[^"]+)" EXACT')
_FORMS = 3


def read(folder: Path) -> tuple[Name, ...]:
    """Every name that notes can use and that the lexicon does not have, sorted by type and name.

    Raises ChartmarkError if the folder has none of the files or one of them is broken.
    """
    files = [path for name in _READERS for path in sorted(folder.rglob(name))]
    if not files:
        raise ChartmarkError(f"{folder} has no vocabulary: expected {', '.join(_READERS)}")
    taken = {form.lower() for n in lexicon().names for form in n.forms}
    found = []
    for path in files:
        kind, entries = _READERS[path.name]
        try:
            for forms in entries(read_text(path)):
                usable = [f for f in forms if _WRITABLE.fullmatch(f) and f.lower() not in taken]
                unique = tuple({f.lower(): f for f in usable}.values())[:_FORMS]
                taken |= {f.lower() for f in unique}
                if unique and forms[0] in unique:
                    found.append(Name(kind, unique))
        except (ValueError, KeyError, StopIteration, csv.Error) as error:
            raise ChartmarkError(
                f"can't read {path} ({type(error).__name__}); fetch it again"
            ) from None
    return tuple(sorted(found, key=lambda n: (n.type, n.forms)))


def sha256(names: tuple[Name, ...]) -> str:
    """One hash over the names, for a manifest."""
    return hashlib.sha256(
        "\n".join(f"{n.type}\t{';'.join(n.forms)}" for n in names).encode()
    ).hexdigest()


def _diseases(text: str) -> Iterator[list[str]]:
    for row in csv.DictReader(StringIO(text), delimiter="\t"):
        yield [row["label"]]


def _drugs(text: str) -> Iterator[list[str]]:
    for row in csv.DictReader(StringIO(text)):
        synonyms = row["Synonyms"].split(" | ") if row["Synonyms"] else []
        yield [row["Common name"].lower(), *(s.lower() for s in synonyms)]


def _terms(text: str) -> Iterator[list[str]]:
    graph = obonet.read_obo(StringIO(text))
    for _, term in graph.nodes(data=True):
        # A term without parents is a heading such as "symptom".
        if "name" in term and "is_a" in term:
            synonyms = (_SYNONYM.match(s) for s in term.get("synonym", []))
            yield [term["name"], *(s["text"] for s in synonyms if s)]


_READERS: dict[str, tuple[str, Callable[[str], Iterator[list[str]]]]] = {
    "HumanDO.tsv": ("Disease", _diseases),
    "symp.obo": ("Symptom", _terms),
    "drugbank_vocabulary.csv": ("Drug", _drugs),
    "maxo-base.obo": ("Procedure", _terms),
    "clinical_measurement.obo": ("Lab_Test", _terms),
}
