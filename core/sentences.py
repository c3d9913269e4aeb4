"""Sentences of a note: spaCy's rule-based splitter, line by line, since notes break lines where
prose would end a sentence."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

_LINE = re.compile(r"[^\r\n]+")
# spaCy's tokenizer takes the square of a run of signs: a line this long is split by stops alone.
_LONGEST_LINE = 2000
_PLAIN = re.compile(r"\S(?:.*?[.!?](?=\s|$)|.*$)")


@cache
def _splitter() -> "Language":
    import spacy  # it brings torch along, which takes seconds

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def sentences(text: str, needed: set[int] | None = None) -> Iterator[tuple[int, int]]:
    """[start, end) of the sentences of every line, or of those that hold one of the `needed` places."""
    for line in _LINE.finditer(text):
        if needed is None or any(line.start() <= place < line.end() for place in needed):
            for start, end in _split(line.group()):
                yield line.start() + start, line.start() + end


def _split(line: str) -> Iterator[tuple[int, int]]:
    if len(line) <= _LONGEST_LINE:
        for sentence in _splitter()(line).sents:
            yield sentence.start_char, sentence.end_char
    else:
        for match in _PLAIN.finditer(line):
            yield match.span()
