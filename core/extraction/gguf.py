"""Backbones that come as a GGUF file (llama.cpp's format): converted once, into a cache.

A GGUF's quantisation is its own: nothing here computes with it, so the weights are widened to bf16.
"""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ChartmarkError
from core.files import sha256

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CHARTMARK_CACHE", ROOT / ".cache")) / "backbones"


def holds(folder: Path) -> bool:
    """Whether a folder has exactly one GGUF file."""
    return folder.is_dir() and len(list(folder.glob("*.gguf"))) == 1


def converted(folder: Path) -> Path:
    """A folder with what the GGUF file of this one holds: config.json, model.safetensors, tokenizer.

    Raises ChartmarkError if the file is damaged or the cache can't be written.
    """
    (file,) = folder.glob("*.gguf")
    place = CACHE / f"{file.stem}-{sha256(file)[:16]}"
    if place.is_dir():
        return place
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            _write(file, Path(made) / "backbone")
            try:
                os.rename(Path(made) / "backbone", place)
            except OSError:
                if not place.is_dir():  # unless another process was faster
                    raise
    except OSError as error:
        raise ChartmarkError(f"can't convert {file} into {CACHE}: {error.strerror}") from None
    return place


def _write(file: Path, out: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where: dict[str, Any] = {
        "gguf_file": file.name,
        "local_files_only": True,
        "trust_remote_code": False,
    }
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            file.parent, dtype=torch.bfloat16, **where
        )
        tokenizer = AutoTokenizer.from_pretrained(file.parent, **where)
    except (ImportError, OSError, ValueError, RuntimeError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ChartmarkError(f"{file} can't be read: {reason}") from None
    out.mkdir()
    weights = {k: v.bfloat16().contiguous() for k, v in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        weights.pop("lm_head.weight", None)
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    del model.config.quantization_config  # what is written is not quantised
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(out)
    tokenizer.save_pretrained(out)
