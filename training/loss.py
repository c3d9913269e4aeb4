"""The one-pass network's loss: the joint negative log-likelihood of spans, attributes and relations,
per word. What nobody looked for gives no gradient."""

import torch
from torch import Tensor
from torch.nn import functional as F

from core.extraction.network import Batch, OnePass, States
from training.examples import Labels


def loss(network: OnePass, batch: Batch, labels: Labels) -> Tensor:
    """A scalar, in nats a word."""
    states = network.states(batch)
    total = span_loss(network.heads.spans(states), batch, labels)
    if len(labels.window):
        vectors = network.heads.mentions(states, labels.window, labels.start, labels.end)
        for i, head in enumerate(network.heads.attributes):
            total = total + F.cross_entropy(
                head(vectors), labels.attributes[:, i], ignore_index=-1, reduction="sum"
            )
        if len(labels.head):
            total = total + pair_loss(pair_scores(network, states, vectors, labels), labels)
    return total / batch.words.sum()


def pair_scores(network: OnePass, states: States, vectors: Tensor, labels: Labels) -> Tensor:
    """Relation scores (P, R) of the labelled pairs; a mention of several types weighs them alike."""
    types = labels.candidates[:, 1:].float()
    types = types / types.sum(1, keepdim=True)
    places = labels.window, labels.start, labels.end, labels.head, labels.tail
    return network.heads.pairs(states, vectors, types, *places)


def pair_loss(scores: Tensor, labels: Labels) -> Tensor:
    """Sum over pairs and relation types of the binary cross-entropy, where the answer is known."""
    known = labels.values >= 0
    return F.binary_cross_entropy_with_logits(
        scores[known], labels.values[known].float(), reduction="sum"
    )


def span_loss(scores: Tensor, batch: Batch, labels: Labels) -> Tensor:
    """Sum over spans of -log P(one of the types it may have | the types that are known).

    A type that is unknown in a document is taken out of its softmax, not held to be absent
    (unless a mention there has it all the same); a mention that may be of several types is any.
    """
    n, width = scores.shape[1:3]
    right = torch.zeros_like(scores, dtype=torch.bool)
    right[..., 0] = True
    place = labels.window, labels.start, labels.end - labels.start
    right[place] = labels.candidates
    allowed = labels.known[:, None, None, :] | right
    reach = torch.arange(n, device=scores.device)[:, None] + torch.arange(width, device=scores.device)
    real = reach < batch.words[:, None, None]
    scores, right, allowed = scores[real], right[real], allowed[real]
    whole = scores.masked_fill(~allowed, -torch.inf).logsumexp(-1)
    part = scores.masked_fill(~right, -torch.inf).logsumexp(-1)
    return (whole - part).sum()
