"""Which device computes, and why not the GPU when there is one. torch is imported when asked for."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

# The oldest Linux driver for each major CUDA: NVIDIA's CUDA compatibility table.
_OLDEST_DRIVER = {"12": "525.60.13", "13": "580.65.06"}
_DRIVER = Path("/proc/driver/nvidia/version")


@cache
def pick() -> "torch.device":
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@cache
def reading_dtype(kind: str) -> "torch.dtype":
    """What a backbone reads in on a kind of device ("cpu", "cuda"): bf16 where that is no emulation.

    Asked of the processor, not timed: the same machine must read the same note the same way.
    """
    import torch

    if kind == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        able = any(v and k.endswith("bf16") for k, v in torch.cpu.get_capabilities().items())
    return torch.bfloat16 if able else torch.float32


def free(kind: str) -> int:
    """Bytes of memory that nobody uses on a kind of device ("cpu", "cuda")."""
    if kind == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)


def cpu() -> "torch.device":
    """Where a model is while the GPU is somebody else's."""
    import torch

    return torch.device("cpu")


def empty_cache() -> None:
    """Give the GPU's unused memory back, if there is a GPU in use."""
    if pick().type == "cuda":
        import torch

        torch.cuda.empty_cache()


def unusable_gpu(driver: Path = _DRIVER) -> str | None:
    """Why an NVIDIA GPU of this machine stays idle, in a sentence; None if none does."""
    if not driver.exists():
        return None
    import torch

    if torch.cuda.is_available():
        return None
    first = driver.read_text(errors="replace").splitlines()[:1]
    installed = next((w for line in first for w in line.split() if w[:1].isdigit()), "unknown")
    if torch.version.cuda is None:
        return (
            f"This machine has an NVIDIA GPU (driver {installed}), but the torch installed here is "
            "a CPU build; the CPU is used. Install torch's CUDA build to use the GPU."
        )
    needed = _OLDEST_DRIVER.get(torch.version.cuda.partition(".")[0], "a newer one")
    return (
        f"This machine's NVIDIA GPU can't be used: its driver is {installed}, and CUDA "
        f"{torch.version.cuda} needs {needed} or newer. The CPU is used."
    )
