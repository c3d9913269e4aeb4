"""What a user is told when something goes wrong: never any text of a note."""

import sys
import traceback

from core.errors import ChartmarkError


def told(error: Exception) -> str:
    """A user's error in its own words; a fault of ours by its place: its message may hold a note."""
    if isinstance(error, ChartmarkError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    print(f"{type(error).__name__} at {place.filename}:{place.lineno}", file=sys.stderr)
    return f"Chartmark failed ({type(error).__name__} in {place.name}); please report this"
