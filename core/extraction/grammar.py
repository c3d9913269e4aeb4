"""Holding a language model to what an answer may be: llguidance's masks, for transformers' generate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import LogitsProcessor, PreTrainedTokenizerBase

from core.extraction.writing import Answer


@dataclass(slots=True)
class _Piece:
    """A piece being written: the answer before it, where its tokens begin, what may follow in it."""

    answer: Answer
    begin: int
    matcher: LLMatcher


class Held(LogitsProcessor):  # type: ignore[misc]
    """Leaves each row of a batch only the tokens that its answer may go on with.

    A row may come back shorter than it was, as drafts that prompt lookup offered are refused.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, answers: list[Answer], prompt: int) -> None:
        self._grammars = from_tokenizer(tokenizer)
        self._end = tokenizer.eos_token_id
        self._rows = [_Row(self._grammars, tokenizer, a) for a in answers]
        self._prompt = prompt

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        barred = np.ones(scores.shape, dtype=bool)
        for i, (row, ids) in enumerate(
            zip(self._rows, input_ids[:, self._prompt :].tolist(), strict=True)
        ):
            row.follow(ids)
            allowed = row.mask()
            if allowed is None:
                barred[i, self._end] = False
            else:
                barred[i, : len(allowed)] = ~allowed[: scores.shape[1]]
        return scores.masked_fill(torch.from_numpy(barred).to(scores.device), -torch.inf)

    def answers(self, rows: list[list[int]]) -> list[Answer]:
        """What was written in the end, from the generated tokens of each row."""
        for row, ids in zip(self._rows, rows, strict=True):
            row.follow(ids)
        return [row.answer for row in self._rows]


class _Row:
    """One answer, its tokens so far, and its pieces, kept so that tokens can be taken back."""

    def __init__(
        self, grammars: LLTokenizer, tokenizer: PreTrainedTokenizerBase, answer: Answer
    ) -> None:
        self._grammars, self._tokenizer = grammars, tokenizer
        self._tokens: list[int] = []
        self._pieces: list[_Piece] = []
        self.answer = answer
        self._open()

    def follow(self, ids: list[int]) -> None:
        """Be where these tokens lead."""
        same = 0
        for a, b in zip(self._tokens, ids, strict=False):
            if a != b:
                break
            same += 1
        if same < len(self._tokens):
            self._take_back(same)
        for token in ids[same:]:
            if self.answer.whole:
                break  # the end, and padding after it
            self._write(token)

    def mask(self) -> "np.ndarray[Any, np.dtype[np.bool_]] | None":
        """Which tokens may follow; None when only the end may."""
        if self.answer.whole:
            return None
        bits = np.frombuffer(self._pieces[-1].matcher.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(bits, bitorder="little").astype(bool)

    def _write(self, token: int) -> None:
        piece = self._pieces[-1]
        if not piece.matcher.consume_token(token):
            raise ValueError("a token that the grammar bars")  # mask() was not heeded
        self._tokens.append(token)
        if piece.matcher.is_stopped():
            text = self._tokenizer.decode(self._tokens[piece.begin :])
            self.answer = piece.answer.after(text)
            if not self.answer.whole:
                self._open()

    def _open(self) -> None:
        matcher = LLMatcher(self._grammars, LLMatcher.grammar_from_lark(self.answer.grammar()))
        if matcher.is_error():
            # Not llguidance's own words: they hold the grammar, and that the note.
            raise ValueError("the answer's grammar can't be used")
        self._pieces.append(_Piece(self.answer, len(self._tokens), matcher))

    def _take_back(self, keep: int) -> None:
        end = len(self._tokens)
        while self._pieces[-1].begin > keep:
            end = self._pieces.pop().begin
        piece = self._pieces[-1]
        piece.matcher.rollback(end - keep)
        del self._tokens[keep:]
        self.answer = piece.answer
