"""The order of rows: every row once, like lengths together, the same for the same seed and epoch."""

from itertools import pairwise

import pytest

from training.batches import ByLength

LENGTHS = [(n * 37) % 200 + 5 for n in range(400)]


def test_every_row_once_and_another_order_each_epoch() -> None:
    order = ByLength(LENGTHS, 8, seed=3)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    assert sorted(first) == sorted(second) == list(range(400))
    assert first != second
    order.set_epoch(0)
    assert list(order) == first
    assert list(ByLength(LENGTHS, 8, seed=4)) != first


def test_batches_hold_like_lengths() -> None:
    order = list(ByLength(LENGTHS, 8, seed=3))
    spread = [
        max(LENGTHS[i] for i in batch) - min(LENGTHS[i] for i in batch)
        for batch in (order[at : at + 8] for at in range(0, 400, 8))
    ]
    assert sum(spread) / len(spread) < 20  # of 200


def test_the_longest_comes_first_and_the_rest_in_any_order() -> None:
    """In sweeps from long to short, each sweep would end on texts of one kind."""
    order = list(ByLength(LENGTHS, 8, seed=3))
    assert LENGTHS[order[0]] == max(LENGTHS)
    means = [sum(LENGTHS[i] for i in order[at : at + 8]) / 8 for at in range(0, 400, 8)]
    longer = sum(b > a for a, b in pairwise(means))
    assert 15 < longer < 34  # of 49; three where they come in sweeps


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 16, 17, 403])
def test_a_batch_that_is_not_full_comes_last(rows: int) -> None:
    """Else every batch after it would be of two lengths."""
    lengths = [LENGTHS[n % 400] for n in range(rows)]
    order = list(ByLength(lengths, 8, seed=3))
    assert sorted(order) == list(range(rows))
    if rows == 403:
        grouped = [order[at : at + 8] for at in range(0, 400, 8)]
        spread = [max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in grouped]
        assert sum(spread) / len(spread) < 20
