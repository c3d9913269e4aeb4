"""The one error that users see."""


class ChartmarkError(Exception):
    """One sentence for the user: what is wrong and what to do.

    The command line prints it on stderr and exits with 1; the app shows it in place of a result.
    It never holds text from a note.
    """
