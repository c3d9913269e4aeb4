"""What an answer may be: gold answers are, nothing invalid is, and every answer ends."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import AutoTokenizer

from core.document import Document
from core.extraction import prompt
from core.extraction.writing import BEGIN, BETWEEN, END, Answer, plain
from core.schema import default_schema
from training.synthetic.notes import notes

SCHEMA = default_schema()


@pytest.fixture(scope="module")
def tokens(small_writer: Path) -> LLTokenizer:
    return from_tokenizer(AutoTokenizer.from_pretrained(small_writer))


def written(text: str, *pieces: str) -> Answer:
    answer = Answer(text, SCHEMA)
    for piece in pieces:
        answer = answer.after(piece)
    return answer


def mention(text: str, kind: str, **more: str) -> str:
    return json.dumps({"text": text, "type": kind, **more}, separators=(",", ":"))


def allows(tokens: LLTokenizer, answer: Answer, piece: str) -> bool:
    """Whether the grammar takes the piece, byte by byte, and ends with it."""
    matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(answer.grammar()))
    assert not matcher.is_error(), matcher.get_error()
    ids = tokens.tokenize_str(piece)
    return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()


def test_what_is_written_is_where_it_stands() -> None:
    text = "No fever. Pain, fever and pain."
    answer = written(
        text,
        BEGIN,
        mention("fever", "Symptom", assertion="absent"),
        "," + mention("Pain", "Symptom"),
        "," + mention("fever", "Symptom"),
        "," + mention("pain", "Symptom"),
        BETWEEN,
        END,
    )
    found = answer.annotation()
    assert [(e.start, e.end) for e in found.entities] == [(3, 8), (10, 14), (16, 21), (26, 30)]
    assert [e.attributes["assertion"] for e in found.entities] == ["absent", *["present"] * 3]
    assert not found.unfinished


def test_a_mention_written_once_too_often_is_dropped() -> None:
    answer = written(
        "Fever today.", BEGIN, mention("Fever", "Symptom"), "," + mention("Fever", "Symptom")
    )
    assert len(answer.annotation().entities) == 1
    assert answer.annotation().unfinished


def test_a_mention_inside_another_comes_after_it() -> None:
    text = "Has lithium toxicity."
    answer = written(
        text,
        BEGIN,
        mention("lithium toxicity", "Disease"),
        "," + mention("lithium", "Drug"),
        BETWEEN,
        '[1,"causes",0]',
        END,
    ).annotation()
    assert [(e.start, e.end, e.type) for e in answer.entities] == [(4, 20, "Disease"), (4, 11, "Drug")]
    ((head, tail),) = [(r.head, r.tail) for r in answer.relations]
    assert (head, tail) == ("T2", "T1")


def test_a_word_is_not_found_inside_another() -> None:
    answer = written("Painful, then pain.", BEGIN, mention("pain", "Symptom"))
    assert answer.annotation().entities[0].start == 14


def test_the_grammar_bars_what_the_note_or_the_schema_lacks(tokens: LLTokenizer) -> None:
    answer = written("She takes aspirin for pain.", BEGIN)
    assert allows(tokens, answer, mention("aspirin", "Drug"))
    assert allows(tokens, answer, BETWEEN)
    assert not allows(tokens, answer, mention("ibuprofen", "Drug"))
    assert not allows(tokens, answer, mention("aspirin", "Medicine"))
    assert not allows(tokens, answer, mention("aspirin", "Drug", assertion="maybe"))
    assert not allows(tokens, answer, END)
    answer = answer.after(mention("aspirin", "Drug")).after("," + mention("pain", "Symptom"))
    assert not allows(tokens, answer, "," + mention("She", "Symptom"))  # comes before
    answer = answer.after(BETWEEN)
    assert allows(tokens, answer, '[0,"treats",1]')
    for piece in ('[1,"treats",0]', '[0,"interacts_with",1]', '[0,"treats",2]'):
        assert not allows(tokens, answer, piece)
    answer = answer.after('[0,"causes",1]')
    assert allows(tokens, answer, ',[0,"treats",1]')
    assert not allows(tokens, answer, ',[0,"causes",1]')  # said already
    assert allows(tokens, answer, END)


def test_gold_answers_are_allowed_and_read_back(tokens: LLTokenizer) -> None:
    """Of notes with more than ten mentions, too: 1 begins 10."""
    for d in notes("train", 30, 3, held_out=False):
        check(d, tokens)


def check(d: Document, tokens: LLTokenizer) -> None:
    answer = Answer(d.text, SCHEMA)
    for piece in prompt.answer(d, SCHEMA):
        assert allows(tokens, answer, piece), piece
        answer = answer.after(piece)
    assert answer.whole
    found = answer.annotation()
    gold = {(d.text[e.start : e.end], e.type) for e in d.entities}
    assert {(d.text[e.start : e.end], e.type) for e in found.entities} == gold
    assert len(found.relations) == len(d.relations)


@given(st.text(max_size=60))
def test_a_plain_text_is_as_long_and_needs_no_escapes(text: str) -> None:
    copy = plain(text)
    assert len(copy) == len(text)
    assert json.dumps(copy, ensure_ascii=False) == f'"{copy}"'


@given(st.integers(0, 10**6))
def test_any_way_through_the_grammar_ends_in_a_valid_document(seed: int) -> None:
    chance = random.Random(seed)
    words = ["pain", "fever", "aspirin", "Pain", "the", "\n", '"', "CT"]
    text = " ".join(chance.choice(words) for _ in range(12))
    answer, steps = Answer(text, SCHEMA).after(BEGIN), 0
    while not answer.whole:
        steps += 1
        assert steps < 200
        if answer.stage == "entities":
            left = plain(text[answer.cursor :]).split()
            if not left or chance.random() < 0.2:
                answer = answer.after(BETWEEN)
                continue
            said = mention(chance.choice(left), chance.choice(SCHEMA.entity_names))
            answer = answer.after("," * bool(answer.mentions) + said)
        else:
            answer = answer.after(END)
    found = answer.annotation()
    d = Document(id="n", text=text, entities=found.entities, relations=found.relations)
    SCHEMA.check(d)
    assert len({(e.start, e.end, e.type) for e in d.entities}) == len(d.entities)
