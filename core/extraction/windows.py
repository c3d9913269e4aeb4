"""From a text to what a backbone reads: words with exact offsets, in windows that overlap."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Mentions begin and end at the edges of these: runs of letters and digits, or a single other sign.
# 99.9% of the mentions of BC5CDR, BioRED, NCBI Disease and MACCROBAT do. The cap keeps a line of
# 50,000 letters from becoming one word that no window holds.
WORD = re.compile(r"[^\W_]{1,64}|\S")

# No mention goes over a blank line or from one column to the next: 2 of the 73,166 in the corpora do.
_BREAK = re.compile(r"\n[ \t\r]*\n|\t|\S {3,}(?=\S)")

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text, as token ids with the backbone's special tokens around it.

    `starts` and `ends` are the words' offsets in the text; `first` and `last` the places in `tokens`
    of each word's first and last token; `block` numbers the stretches between blank lines and
    columns. `shapes` says of each token which word begins there, as `word_shape` has it, 0 where none
    does. Words [own[0], own[1]) are this window's to report: those
    of an overlap belong to the window in which they have more context.
    """

    tokens: list[int]
    shapes: list[int]
    starts: Ints
    ends: Ints
    first: Ints
    last: Ints
    block: Ints
    own: tuple[int, int]

    def words(self, start: int, end: int) -> tuple[int, int]:
        """The first and last word that [start, end) of the text touches; last is before first if it
        does not lie within the window or touches none."""
        if not len(self.starts) or start < self.starts[0] or end > self.ends[-1]:
            return 0, -1
        first = int(self.ends.searchsorted(start, side="right"))
        return first, int(self.starts.searchsorted(end, side="left")) - 1

    @property
    def cost(self) -> int:
        """What padding is reckoned by: tokens or words, whichever are more (a tokenizer may read
        50,000 letters as one token)."""
        return max(len(self.tokens), len(self.starts))


def split_words(text: str) -> tuple[Ints, Ints]:
    """Start and end offsets of the words of a text."""
    spans = np.array([m.span() for m in WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)
    return spans[:, 0], spans[:, 1]


SHAPES = 11


def word_shape(word: str, *, begins_line: bool) -> int:
    """What a tokenizer that drops cases and line ends doesn't tell of a word: 1 to SHAPES - 1.

    Signs, numbers, lower case, Capitalised, CAPITALS or mixed; then the same at a line's beginning.
    """
    if not word[0].isalnum():
        shape = 1
    elif any(c.isdigit() for c in word):
        shape = 2
    elif word.islower():
        shape = 3
    else:
        shape = 4 if word[1:].islower() else 5
    return shape + 5 * begins_line


def split_windows(
    text: str,
    ids: list[int],
    offsets: list[tuple[int, int]],
    special: tuple[list[int], list[int]],
    size: int,
    overlap: int,
) -> Iterator[Window]:
    """Windows of at most `size` tokens, neighbours sharing about `overlap` tokens.

    `ids` and `offsets` are the text's tokens without special ones, which `special` gives (before,
    after). Words that the tokenizer leaves out, such as control characters, are in no window.
    """
    if not ids:
        return
    starts, ends = split_words(text)
    tokens = np.array(offsets, dtype=np.int64)
    first = np.searchsorted(tokens[:, 1], starts, side="right")
    last = np.searchsorted(tokens[:, 0], ends, side="left") - 1
    read = first <= last
    starts, ends, first, last = starts[read], ends[read], first[read], last[read]
    shapes = np.zeros(len(ids), dtype=np.int64)
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        before_it = text[int(ends[i - 1]) if i else 0 : start]
        begins = "\n" in before_it or not i
        shapes[first[i]] = word_shape(text[start:end], begins_line=begins)
    breaks = np.array([m.end() for m in _BREAK.finditer(text)], dtype=np.int64)
    block = np.searchsorted(breaks, starts, side="right")
    before, after = special
    room = size - len(before) - len(after)
    bounds: list[tuple[int, int]] = []  # words [a, b) of each window
    a = 0
    while a < len(starts):
        b = max(int(np.searchsorted(last, first[a] + room)), a + 1)
        bounds.append((a, b))
        if b == len(starts):
            break
        a = max(int(np.searchsorted(first, first[b] - overlap)), a + 1)
    for i, (a, b) in enumerate(bounds):
        left = a if i == 0 else (a + bounds[i - 1][1]) // 2
        right = b if i + 1 == len(bounds) else (bounds[i + 1][0] + b) // 2
        low, high = int(first[a]), min(int(last[b - 1]) + 1, int(first[a]) + room)
        shift = len(before) - low
        yield Window(
            tokens=[*before, *ids[low:high], *after],
            shapes=[*[0] * len(before), *shapes[low:high].tolist(), *[0] * len(after)],
            starts=starts[a:b],
            ends=ends[a:b],
            first=first[a:b] + shift,
            last=np.minimum(last[a:b], high - 1) + shift,
            block=block[a:b],
            own=(left - a, right - a),
        )
