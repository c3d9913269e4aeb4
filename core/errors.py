"""The one error that users see, and what is told of all others."""

import traceback
from pathlib import Path


class ChartmarkError(Exception):
    """One sentence for the user: what is wrong and what to do.

    The command line prints it on stderr and exits with 1; the app shows it in place of a result.
    It never holds text from a note.
    """


def place(error: Exception) -> str:
    """Where a fault of ours lies: what may be told of it, where its message may hold a note."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"in {last.name}, {Path(last.filename).name}:{last.lineno}"
