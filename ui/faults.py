"""What a user is told when something goes wrong: never any text of a note."""

import sys

from core.errors import ChartmarkError, place


def told(error: Exception) -> str:
    """A user's error in its own words; a fault of ours by its place: its message may hold a note."""
    if isinstance(error, ChartmarkError):
        return str(error)
    print(f"{type(error).__name__} {place(error)}", file=sys.stderr)
    return f"Chartmark failed ({type(error).__name__} {place(error)}); please report this"
