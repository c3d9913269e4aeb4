"""Presets are checked before anything is read: what can't be trained says why."""

import pytest

from core.errors import ChartmarkError
from training import preset


@pytest.mark.parametrize("name", preset.names())
def test_every_preset_that_ships_is_one(name: str) -> None:
    preset.load(name, [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("window=128", "overlap must be at most half of window"),  # a window for nearly every word
        ("schedule.seed=-1", "schedule.seed"),
        ("schedule.seed=4294967296", "schedule.seed"),
        ("corpora.bc5cdr=1000000000", "corpora.bc5cdr"),
        ("corrected=1000000000", "corrected"),
        ("schedule.seed=2024-13-45", "is not a value"),
        ("schedule.epochs=" + "9" * 5000, "is not a value"),
        ("nothing=1", "a key of the preset"),
    ],
)
def test_a_value_that_can_t_be_is_refused(change: str, why: str) -> None:
    with pytest.raises(ChartmarkError, match=why):
        preset.load("cpu", [change])


def test_values_that_somebody_edited_are_checked_too() -> None:
    with pytest.raises(ChartmarkError, match="Advanced, line 1: not YAML"):
        preset.check("window: 2024-13-45", "Advanced")
