"""The order in which rows are read: like lengths together, another order each epoch."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class ByLength(Sampler[int]):
    """Places of rows, `batch` of like length side by side, the longest first, the rest in any order.
    Seed and epoch alone decide it, so that a run that is resumed goes on with what it had not read."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self.lengths, self.batch, self.seed = list(lengths), batch, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Trainer says which epoch begins."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        # Far enough apart that the epochs of one seed are not those of the next.
        chance = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        order = get_length_grouped_indices(self.lengths, self.batch, generator=chance)
        batches = [order[at : at + self.batch] for at in range(0, len(order), self.batch)]
        # They come in sweeps from long to short, and texts of one length are often of one kind: each
        # sweep would end by unlearning what its long notes taught. The first stays, for want of memory
        # to show at once, and the last, which may not be full.
        inner = [1 + i for i in torch.randperm(max(len(batches) - 2, 0), generator=chance).tolist()]
        for place in (0, *inner, len(batches) - 1)[: len(batches)]:
            yield from batches[place]

    def __len__(self) -> int:
        return len(self.lengths)
