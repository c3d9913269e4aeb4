"""Paired bootstrap: sure where one model is always better, unsure where they differ by chance."""

import pytest

from core.scoring.compare import compare


def counts(tp: int, fp: int, fn: int) -> dict[str, list[int]]:
    return {"Drug": [tp, fp, fn]}


def test_the_same_model_does_not_differ_from_itself() -> None:
    rows = [counts(i, 1, 2) for i in range(20)]
    found = compare(rows, rows, [str(i) for i in range(20)])
    assert (found.f1, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_always_better_is_significant() -> None:
    one, other = [counts(9, 1, 1)] * 30, [counts(8, 2, 2)] * 30
    found = compare(one, other, [str(i) for i in range(30)])
    assert found.f1 == pytest.approx(0.9 - 0.8)
    assert found.significant
    assert 0 < found.p < 0.001
    turned = compare(other, one, [str(i) for i in range(30)])
    assert (turned.f1, turned.p) == (pytest.approx(-found.f1), pytest.approx(found.p))


def test_one_lucky_document_is_not() -> None:
    one = [counts(5, 5, 5)] * 19 + [counts(10, 0, 0)]
    other = [counts(5, 5, 5)] * 20
    assert not compare(one, other, [str(i) for i in range(20)]).significant


def test_documents_of_one_group_are_drawn_together() -> None:
    one = [counts(9, 1, 1), counts(5, 5, 5)] * 15
    other = [counts(5, 5, 5)] * 30
    alone, together = (compare(one, other, g) for g in ([str(i) for i in range(30)], ["a", "b"] * 15))
    assert alone.significant
    assert not together.significant  # two groups are too few, however many documents they have
    assert compare([], [], []).p == 1
