"""Sentences for display: only the lines that are needed, and never the square of their length."""

from core.sentences import sentences

NOTE = "Dr. Lee saw him. BP 120/80.\r\nNo fever. No cough.\nLast line"


def found(text: str, *needed: int) -> list[str]:
    return [text[a:b] for a, b in sentences(text, set(needed))]


def test_only_needed_lines_are_split() -> None:
    assert found(NOTE, NOTE.index("fever")) == ["No fever.", "No cough."]
    assert found(NOTE, 0, NOTE.index("Last")) == ["Dr. Lee saw him.", "BP 120/80.", "Last line"]
    assert found(NOTE) == []


def test_a_long_line_of_signs_is_split_at_stops_alone() -> None:
    line = "(" * 50_000 + " fever. And cough!"
    assert [s[-10:] for s in found(line, len(line) - 1)] == ["((( fever.", "And cough!"]


def test_every_needed_place_is_in_a_sentence() -> None:
    for line in ("fever", "a" * 3000, "x. " * 2000 + "y", "." * 3000):
        for place in (0, len(line) - 1):
            assert any(a <= place < b for a, b in sentences(line, {place}))
