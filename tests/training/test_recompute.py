"""Layers that recompute their activations: fewer or more of them, the gradients stay the same."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from training.recompute import recompute


def test_gradients_are_the_same_however_many_layers_keep(small_writer: Path) -> None:
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(small_writer, dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj"]))
    ids = torch.randint(0, 1000, (2, 12))
    # Layers recompute only in training.
    found = recompute(model.train())
    assert len(found.layers) == 2
    gradients, kept = [], []
    for layers in (0, 1, 2):
        found.keep(layers)
        size = 0

        def pack(t: torch.Tensor) -> torch.Tensor:
            nonlocal size
            size += t.numel()
            return t

        model.zero_grad()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            loss = model(input_ids=ids, labels=ids).loss
        kept.append(size)
        loss.backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert gradients[0]
    for other in gradients[1:]:
        for a, b in zip(gradients[0], other, strict=True):
            assert torch.allclose(a, b, atol=1e-6)
    # Fewer layers that recompute hold more.
    assert kept[0] < kept[1] < kept[2]


@pytest.mark.gpu
def test_a_batch_takes_the_memory_that_is_there(small_writer: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(small_writer, dtype=torch.bfloat16).cuda()
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj"]))
    found = recompute(model.train())
    ids = torch.randint(0, 1000, (2, 64), device="cuda")
    for _ in range(2):
        model(input_ids=ids, labels=ids).loss.backward()
    assert found.room(128) == 2
    assert found.room(10**12) == 0
