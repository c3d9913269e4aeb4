"""The order of rows: every row once, like lengths together, the same for the same seed and epoch."""

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
