"""Holding a language model to what an answer may be: llguidance's masks, for transformers' generate."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from llguidance import LLExecutor, LLMatcher, LLParserLimits, LLTokenizer
from llguidance.hf import from_tokenizer
from llguidance.torch import allocate_token_bitmask, fill_next_token_bitmask_par
from torch import Tensor
from torch.nn import functional as F
from transformers import LogitsProcessor, PreTrainedTokenizerBase

from core.errors import ChartmarkError
from core.extraction.writing import Answer

# llguidance's own; its errors would show grammars, and so notes, if they were verbose.
LIMITS = LLParserLimits(verbose_errors=False)
_SAMPLE = "é b"


@lru_cache(maxsize=1)
def _words(tokenizer: PreTrainedTokenizerBase) -> LLTokenizer:
    """A tokenizer as llguidance reads it: a third of a second's work, and the same for every batch."""
    words = from_tokenizer(tokenizer)
    # Where a release of transformers converts a tokenizer wrongly, answers would be spoilt in silence.
    ids = tokenizer(_SAMPLE, add_special_tokens=False)["input_ids"]
    if words.decode_bytes(ids) != _SAMPLE.encode():
        raise ChartmarkError(
            "the backbone's tokenizer can't hold a model to the labels: install the transformers of "
            "requirements.txt, or use a one-pass model"
        )
    return words


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
        self._grammars = _words(tokenizer)
        self._executor = LLExecutor()
        self._bits = allocate_token_bitmask(len(answers), self._grammars.vocab_size)
        words = torch.zeros(self._bits.shape[1] * 4, dtype=torch.uint8)
        words[tokenizer.eos_token_id // 8] = 1 << tokenizer.eos_token_id % 8
        self._only_end = words.view(torch.int32)
        self._rows = [_Row(self._grammars, tokenizer, a) for a in answers]
        self._prompt = prompt

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        for row, ids in zip(self._rows, input_ids[:, self._prompt :].tolist(), strict=True):
            row.follow(ids)
        matchers = [(row.matcher, i) for i, row in enumerate(self._rows) if not row.over]
        if matchers:
            fill_next_token_bitmask_par(self._executor, matchers, self._bits)
        for i, row in enumerate(self._rows):
            if row.over or row.gives_up():
                self._bits[i] = self._only_end
        # Bits travel, not numbers: a 32nd of it.
        allowed = (
            self._bits.to(scores.device).unsqueeze(-1) >> torch.arange(32, device=scores.device) & 1
        )
        barred = allowed.flatten(1)[:, : scores.shape[1]] == 0
        extra = scores.shape[1] - barred.shape[1]  # a model may have more scores than words
        return scores.masked_fill(F.pad(barred, (0, extra), value=True), -torch.inf)

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
        self._given_up = False
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
            if self.over:
                break  # the end, and padding after it
            self._write(token)

    @property
    def matcher(self) -> LLMatcher:
        return self._pieces[-1].matcher

    @property
    def over(self) -> bool:
        """Whether only the end may follow."""
        return self.answer.whole or self._given_up

    def gives_up(self) -> bool:
        """After what may follow was asked for: whether it is too much for llguidance, which sets itself
        limits. The answer then ends where it is, and says so."""
        self._given_up = self._given_up or self.matcher.is_error()
        return self._given_up

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
        grammar = LLMatcher.grammar_from_lark(self.answer.grammar())
        # Quiet: what it would print has pieces of the note.
        matcher = LLMatcher(self._grammars, grammar, log_level=0, limits=LIMITS)
        if matcher.is_error():
            # Not llguidance's own words: they hold the grammar, and that the note.
            raise ValueError("the answer's grammar can't be used")
        self._pieces.append(_Piece(self.answer, len(self._tokens), matcher))

    def _take_back(self, keep: int) -> None:
        self._given_up = False  # that was further on
        end = len(self._tokens)
        while self._pieces[-1].begin > keep:
            end = self._pieces.pop().begin
        piece = self._pieces[-1]
        if piece.matcher.is_error():  # it stays so: begin the piece anew
            self._pieces.pop()
            self.answer = piece.answer
            told = self._tokens[piece.begin : keep]
            del self._tokens[piece.begin :]
            self._open()
            for token in told:
                self._write(token)
            return
        piece.matcher.rollback(end - keep)
        del self._tokens[keep:]
        self.answer = piece.answer
