"""Processes that train one model together, as `accelerate launch` starts them.

To a process that trains alone each of these says what it would say itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, reduce

from core.extraction import device

T = TypeVar("T")


def _state() -> PartialState:
    # Without a GPU, processes find each other only if the first to ask says that there is none.
    return PartialState(cpu=device.pick().type == "cpu")


def first() -> bool:
    """Whether this is the process that writes: figures, checkpoints, the model."""
    return bool(_state().is_main_process)


def told(value: T) -> T:
    """What the first process says, in all of them."""
    _state()
    return broadcast_object_list([value])[0]  # type: ignore[no-any-return]


def any_of(asked: bool) -> bool:
    """Whether one of them was asked, in all of them: who goes on alone waits for ever."""
    state = _state()
    if state.num_processes == 1:
        return asked
    return bool(reduce(torch.tensor(int(asked), device=state.device), "sum").item())


@contextmanager
def first_alone() -> Iterator[None]:
    """What the first does before the others do it, such as putting down what they then find."""
    with _state().main_process_first():
        yield
