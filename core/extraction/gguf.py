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
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]
# The number changes with what is written: what an earlier way wrote is left alone.
CACHE = Path(os.environ.get("CHARTMARK_CACHE", ROOT / ".cache")) / "backbones-2"
_CONTROL = 3  # llama.cpp's token type


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
        tokenizer = _tokenizer(file) or AutoTokenizer.from_pretrained(file.parent, **where)
    except (ImportError, OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
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


def _tokenizer(file: Path) -> "PreTrainedTokenizerFast | None":
    """A file's tokenizer, if it is byte-level and cuts texts as SmolLM2's; None if it is another.

    transformers' own conversion differs by release: 5.17's takes the bytes of "é" or a blank for
    letters, and ends at another token.
    """
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    reader = GGUFReader(file)

    def said(key: str) -> Any:
        found = reader.get_field(f"tokenizer.{key}")
        return None if found is None else found.contents()

    if (said("ggml.model"), said("ggml.pre")) != ("gpt2", "smollm"):
        return None
    words = said("ggml.tokens")
    merges = [tuple(pair.split(" ", 1)) for pair in said("ggml.merges")]
    made = Tokenizer(BPE({w: i for i, w in enumerate(words)}, merges))
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=bool(said("ggml.add_space_prefix")))
    digits = pre_tokenizers.Digits(individual_digits=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([digits, bytewise])
    made.decoder = decoders.ByteLevel()
    kinds = said("ggml.token_type") or [0] * len(words)
    control = [w for w, kind in zip(words, kinds, strict=True) if kind == _CONTROL]
    made.add_special_tokens([AddedToken(w, normalized=False, special=True) for w in control])
    roles = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    numbers = {role: said(f"ggml.{name}_token_id") for role, name in roles.items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        chat_template=said("chat_template"),
        clean_up_tokenization_spaces=False,
        **{f"{role}_token": words[n] for role, n in numbers.items() if n is not None},
    )
