"""Sentences of a note: spaCy's rule-based splitter, line by line, since notes break lines where
prose would end a sentence."""

import re
from collections.abc import Iterator
from functools import cache

import spacy
from spacy.language import Language

_LINE = re.compile(r"[^\r\n]+")


@cache
def _splitter() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def sentences(text: str, needed: set[int]) -> Iterator[tuple[int, int]]:
    """[start, end) of the sentences of every line that holds one of the `needed` places."""
    for line in _LINE.finditer(text):
        if any(line.start() <= place < line.end() for place in needed):
            for sentence in _splitter()(line.group()).sents:
                yield line.start() + sentence.start_char, line.start() + sentence.end_char
