"""The one-pass network: a backbone read once, then small heads for spans, assertion and relations.

Shapes: B windows, T tokens, N words, W span widths, C entity types, M mentions, P pairs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.extraction.windows import SHAPES

# Words between two mentions, in buckets that grow; the sign says which comes first.
_GAPS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded windows. `first` and `last` (B, N) are each word's token places, `shapes` (B, T) the
    shapes of the words that begin at a token; padding is 0. `words` (B,) counts the words.
    """

    tokens: Tensor
    shapes: Tensor
    mask: Tensor
    first: Tensor
    last: Tensor
    words: Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(getattr(self, f).to(device) for f in self.__slots__))


@dataclass(frozen=True, slots=True)
class States:
    """What the heads read: word states at first and last token, and sums of token states up to each."""

    first: Tensor  # (B, N, H)
    last: Tensor  # (B, N, H)
    sums: Tensor  # (B, T + 1, S)
    batch: Batch

    def mean(self, window: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """Mean projected token state of words start..end (both inclusive) of a window, (..., S).

        Where end < start, as between neighbours, it is zero.
        """
        low = self.batch.first[window, start]
        high = self.batch.last[window, end] + 1
        total = at(self.sums, window, torch.maximum(high, low)) - at(self.sums, window, low)
        return total / (high - low).clamp(min=1).unsqueeze(-1)


def at(states: Tensor, window: Tensor, place: Tensor) -> Tensor:
    """states[window, place]. The gradient of index_select adds in any order, where that of indexing
    sorts the places first: a third of a training step's time on a GPU."""
    return states.flatten(0, 1).index_select(0, window * states.shape[1] + place)


class Heads(nn.Module):
    """Span, attribute and relation scorers over a backbone's states.

    A span's score is a small network over its first word, last word, mean and width, so spans may
    nest. A pair's is one over both mentions, what stands between them, their types and distance.
    """

    gaps: Tensor

    def __init__(
        self,
        hidden: int,
        entity_types: int,
        attributes: tuple[int, ...],
        relation_types: int,
        *,
        size: int,
        max_width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.max_width = max_width
        self.dropout = nn.Dropout(dropout)
        self.shape = nn.Embedding(SHAPES, hidden, padding_idx=0)
        self.inside = nn.Linear(hidden, size)
        self.span_first = nn.Linear(hidden, size)
        self.span_last = nn.Linear(hidden, size)
        self.span_width = nn.Embedding(max_width, size)
        self.span_type = nn.Linear(size, entity_types + 1)  # class 0: no mention
        self.mention = nn.Linear(2 * hidden + size, size)
        self.attributes = nn.ModuleList(nn.Linear(size, n) for n in attributes)
        self.pair_head = nn.Linear(size, size)
        self.pair_tail = nn.Linear(size, size, bias=False)
        self.pair_product = nn.Linear(size, size, bias=False)
        self.pair_between = nn.Linear(size, size, bias=False)
        self.pair_gap = nn.Embedding(2 * len(_GAPS), size)
        self.head_type = nn.Linear(entity_types, size, bias=False)
        self.tail_type = nn.Linear(entity_types, size, bias=False)
        self.pair_type = nn.Linear(size, relation_types)
        self.register_buffer("gaps", torch.tensor(_GAPS), persistent=False)
        with torch.no_grad():  # nearly all spans and pairs are nothing: begin there
            self.span_type.bias[0] = 4.0
            self.pair_type.bias.fill_(-2.0)
            self.shape.weight.zero_()  # the backbone reads what it was made for, and more as it learns

    def states(self, hidden: Tensor, batch: Batch) -> States:
        """Gather the backbone's states (B, T, H) for the heads."""
        hidden = self.dropout(hidden)
        inside = self.inside(hidden).float() * batch.mask.unsqueeze(-1)

        def of_words(places: Tensor) -> Tensor:
            return hidden.gather(1, places.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))

        return States(
            first=of_words(batch.first),
            last=of_words(batch.last),
            sums=F.pad(inside.cumsum(1), (0, 0, 1, 0)),
            batch=batch,
        )

    def spans(self, s: States) -> Tensor:
        """Scores (B, N, W, C + 1) of the span of w + 1 words from each word, W at most `max_width`.

        Where a span would end outside the batch the score is 0.
        """
        n = s.first.shape[1]
        low, high = s.batch.first.unsqueeze(-1), s.batch.last.unsqueeze(-1) + 1
        size = s.sums.shape[-1]
        sum_low, sum_high = (s.sums.gather(1, place.expand(-1, -1, size)) for place in (low, high))
        begin, finish = self.span_first(s.first), self.span_last(s.last)
        scores = []
        # A width at a time: one tensor for all widths would be large enough to leave the cache.
        for w in range(min(self.max_width, n)):
            length = (high[:, w:] - low[:, : n - w]).clamp(min=1)
            x = (sum_high[:, w:] - sum_low[:, : n - w]) / length
            x = x.to(finish.dtype) + finish[:, w:] + begin[:, : n - w] + self.span_width.weight[w]
            x = self.span_type(self.dropout(F.gelu(x)))
            scores.append(F.pad(x, (0, 0, 0, w)))
        return torch.stack(scores, dim=2).float()

    def mentions(self, s: States, window: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """States (M, size) of the mentions from word start to word end (inclusive)."""
        parts = (at(s.first, window, start), at(s.last, window, end), s.mean(window, start, end))
        out: Tensor = self.dropout(F.gelu(self.mention(torch.cat(parts, -1))))
        return out

    def pairs(
        self,
        s: States,
        mentions: Tensor,
        types: Tensor,
        window: Tensor,
        start: Tensor,
        end: Tensor,
        head: Tensor,
        tail: Tensor,
    ) -> Tensor:
        """Relation scores (P, R). `types` (M, C) weighs each mention's types; head, tail index M."""
        left, right = torch.minimum(end[head], end[tail]), torch.maximum(start[head], start[tail])
        gap = torch.bucketize((right - left - 1).clamp(min=0), self.gaps)
        gap = gap.clamp(max=len(_GAPS) - 1) + len(_GAPS) * (start[head] > start[tail])
        last_word = s.first.shape[1] - 1
        between = s.mean(window[head], (left + 1).clamp(max=last_word), (right - 1).clamp(min=0))
        between = between * (right > left + 1).unsqueeze(-1)
        heads, tails = mentions.index_select(0, head), mentions.index_select(0, tail)
        x = (
            (self.pair_head(mentions) + self.head_type(types)).index_select(0, head)
            + (self.pair_tail(mentions) + self.tail_type(types)).index_select(0, tail)
            + self.pair_product(heads * tails)
            + self.pair_between(between)
            + self.pair_gap(gap)
        )
        scores: Tensor = self.pair_type(self.dropout(F.gelu(x)))
        return scores


class OnePass(nn.Module):
    """A backbone with heads. What the heads sum up is fp32 whatever the backbone does.

    A decoder's causal mask is lifted: every token sees the whole window (Li et al. 2023,
    arXiv:2310.01208).
    """

    def __init__(self, backbone: nn.Module, heads: Heads) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = heads
        self.causal = any(getattr(m, "is_causal", False) for m in backbone.modules())

    def states(self, batch: Batch) -> States:
        embedded = self.backbone.get_input_embeddings()(batch.tokens)  # type: ignore[operator]
        embedded = embedded + self.heads.shape(batch.shapes).to(embedded.dtype)
        mask = batch.mask
        if self.causal:  # a mask of four dimensions is taken as it is
            mask = mask[:, None, None, :].bool().expand(-1, -1, mask.shape[1], -1)
        hidden = self.backbone(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        return self.heads.states(hidden.float(), batch)
