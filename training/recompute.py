"""Activations computed twice rather than kept (Chen et al. 2016), in as few layers as memory allows.

Recomputing every layer costs a third more arithmetic. Notes differ tenfold in length, so most batches
need none of it: each batch decides for itself how many layers keep what they computed.
"""

from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from core.extraction import device

# Of the memory that a process may have, what is left to fragments and to others.
_SPARE = 0.08


def recompute(model: PeftModel) -> "Recompute":
    """Have the layers of a model, called with `input_ids` or `inputs_embeds` (batch, tokens, …),
    recompute in training what memory has no room for."""
    model.gradient_checkpointing_enable({"use_reentrant": False})
    found = Recompute(model)
    model.register_forward_pre_hook(found, with_kwargs=True)
    return found


class Recompute:
    """Chooses before each batch. The first one, in which every layer but one recomputes, is measured:
    bytes a token that a layer keeps, and that everything else takes. Without a GPU every layer
    recomputes."""

    def __init__(self, model: nn.Module) -> None:
        self.layers = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
        self._tokens = 0
        self._base = 0
        self._layer = 0.0  # bytes a token
        self._rest = 0.0

    def __call__(self, _: nn.Module, __: Any, kwargs: dict[str, Any]) -> None:
        if not torch.is_grad_enabled() or device.pick().type != "cuda":
            return
        given = kwargs["input_ids"] if "input_ids" in kwargs else kwargs["inputs_embeds"]
        tokens = int(given.shape[0] * given.shape[1])
        if not self._tokens:
            self._measure(tokens)
        elif not self._rest:
            peak = torch.cuda.max_memory_allocated() - self._base
            self._rest = max(0.0, peak / self._tokens - self._layer)
        if self._rest:
            self.keep(self.room(tokens))

    def room(self, tokens: int) -> int:
        """How many layers may keep their activations of a batch of so many tokens."""
        share = torch.cuda.get_per_process_memory_fraction()
        free, total = torch.cuda.mem_get_info()
        held = torch.cuda.memory_reserved()
        mine = min(total * share, free + held) - torch.cuda.memory_allocated() - _SPARE * total * share
        return max(0, min(len(self.layers), int((mine / tokens - self._rest) / max(self._layer, 1))))

    def keep(self, layers: int) -> None:
        """Let the last so many layers keep what they computed; the others recompute."""
        for i, layer in enumerate(self.layers):
            layer.gradient_checkpointing = i < len(self.layers) - layers

    def _measure(self, tokens: int) -> None:
        self._tokens = tokens
        self._base = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        self.keep(1)
        last = self.layers[-1]
        before = 0

        def begins(*_: Any) -> None:
            nonlocal before
            before = torch.cuda.memory_allocated()

        def ends(*_: Any) -> None:
            self._layer = (torch.cuda.memory_allocated() - before) / tokens
            for hook in hooks:
                hook.remove()

        hooks = last.register_forward_pre_hook(begins), last.register_forward_hook(ends)
