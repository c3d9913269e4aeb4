"""Every format that this folder has: put a module with a FORMAT into it, and it is one of them."""

import csv
import pkgutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import core.formats
from core.document import Document
from core.errors import ChartmarkError
from core.files import open_bytes
from core.formats.format import Format

_HEAD = 65_536  # bytes that a format is told by


@cache
def formats() -> dict[str, Format]:
    """All formats by name."""
    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(core.formats.__path__)):
        known = getattr(import_module(f"core.formats.{module}"), "FORMAT", None)
        if isinstance(known, Format):
            found[known.name] = known
    return found


def get(name: str, *, writing: bool = False) -> Format:
    """A format by name. Raises ChartmarkError if there is none that reads, or writes."""
    able = [f.name for f in formats().values() if (f.write if writing else f.read)]
    if name not in able:
        verb = "writes" if writing else "reads"
        known = ", ".join(able)
        raise ChartmarkError(f"no format {name!r} that Chartmark {verb}: choose from {known}")
    return formats()[name]


def read(name: str, path: Path, dropped: Counter[str]) -> Iterator[Document]:
    """The documents of a file or folder, in order.

    Raises ChartmarkError if there is no such format, or at a broken file, also one that is broken in a
    way that its reader did not think of.
    """
    reader = get(name).read
    assert reader is not None
    number = 0
    try:
        for d in reader(path, dropped):
            yield d
            number += 1
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise _broken(path, number, error) from None
    except (RecursionError, OSError, csv.Error) as error:
        raise _broken(path, number, error) from None


def _broken(path: Path, number: int, error: Exception) -> ChartmarkError:
    return ChartmarkError(f"{path}, after document {number}: can't be read ({type(error).__name__})")


def guess(path: Path) -> Format | None:
    """The format of a file or folder by its name and beginning, or None."""
    if not path.exists():
        raise ChartmarkError(f"{path} is not there")
    head = b""
    if path.is_file():
        with open_bytes(path) as file:
            head = file.read(_HEAD)
    # A name as Chartmark writes it says more than the first bytes.
    order = sorted(formats().values(), key=lambda f: not (f.suffix and path.name.endswith(f.suffix)))
    return next((f for f in order if f.read and f.recognises(path, head)), None)
