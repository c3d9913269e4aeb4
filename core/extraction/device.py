"""Which device computes, and why not the GPU when there is one. torch is imported when asked for."""

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

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
    """What a backbone reads fastest in on a kind of device ("cpu", "cuda"): bf16 where that is no
    emulation. Processors differ and don't say so portably, so a product of the usual size is timed."""
    import torch

    if kind != "cpu":
        return (
            torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
        )
    seconds = {}
    with torch.inference_mode():
        for dtype in (torch.float32, torch.bfloat16):
            a, b = torch.ones(1024, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)
            times = []
            for _ in range(6):
                began = time.perf_counter()
                a @ b
                times.append(time.perf_counter() - began)
            seconds[dtype] = min(times)
    return torch.bfloat16 if seconds[torch.bfloat16] < 0.8 * seconds[torch.float32] else torch.float32


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
