"""Finding and loading a pretrained backbone: inside an installed package, in a folder, on the hub."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from core.errors import ChartmarkError
from core.extraction import device, gguf, hub
from core.files import sha256

# Its load reports and bars are for people who write models, not for those who read notes.
logging.set_verbosity_error()
logging.disable_progress_bar()
# No code of a stranger's, and nothing fetched behind the user's back.
_HERE: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


def find(source: str) -> Path:
    """The folder of a backbone.

    'package:NAME/FOLDER' is a folder inside an installed Python package; anything else is a folder
    on disk or, when the app may ask the hub, a hub id. One that holds a GGUF file alone is converted
    once. Raises ChartmarkError if there is none.
    """
    folder = _original(source)
    if not (folder / "config.json").is_file() and gguf.holds(folder):
        return gguf.converted(folder)
    if not (folder / "config.json").is_file():
        raise ChartmarkError(f"no backbone at {source}: expected a folder with config.json in it")
    return folder


def _original(source: str) -> Path:
    """Where a backbone lies as it was got."""
    if source.startswith("package:"):
        name, _, inside = source.removeprefix("package:").partition("/")
        # To look for a part of a package would import the package.
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
        places = list(spec.submodule_search_locations or []) if spec else []
        if not places:
            raise ChartmarkError(
                f"the backbone's package {name!r} is not installed; run `make app` again"
            )
        return Path(places[0]) / inside
    if hub.holds(source) and not Path(source).exists():
        return hub.fetch(source)
    return Path(source)


def sums(source: str) -> dict[str, str]:
    """The SHA-256 of what decides how a text is read: a backbone's weights, architecture, tokenizer.

    Of a GGUF file's conversion the tokenizer alone: releases of transformers write config.json in ways
    of their own.
    """
    folder = find(source)
    original = _original(source)
    if folder == original:
        files = [*sorted(folder.glob("*.safetensors")), folder / "config.json"]
    else:
        files = sorted(original.glob("*.gguf"))
    return {path.name: sha256(path) for path in (*files, folder / "tokenizer.json") if path.is_file()}


def check_sums(source: str, expected: dict[str, str]) -> None:
    """Raise ChartmarkError unless a backbone's files are those of `sums`."""
    original, folder = _original(source), find(source)
    for name, digest in expected.items():
        check((original if (original / name).is_file() else folder) / name, digest)


def check(path: Path, expected: str) -> None:
    """Raise ChartmarkError unless the file's SHA-256 is the expected one."""
    if sha256(path) != expected:
        raise ChartmarkError(
            f"{path} is not the file that the model was made with (its sha256 differs); "
            "install it again"
        )


def load(
    source: str, *, nf4: bool = False, writes: bool = False, layers: int | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Backbone (without a pooler; `writes`: with the layer that predicts the next token) and tokenizer;
    of its layers the lowest `layers`, if that is given. Safetensors only, no remote code.

    In fp32, on the CPU; with `nf4` its linear layers are 4-bit NormalFloat, doubly quantised, that
    compute in bf16 (Dettmers et al. 2023), on the device that will read. Weights that are stored
    quantised already stay so.
    """
    folder = find(source)
    kind: dict[str, Any] = {"dtype": torch.float32}
    shape = config(folder)
    # With dropout inside attention a CPU has no fused kernel for it: training on windows of 360 tokens
    # took 2.2 times as long (docs/experiments.md). The adapter and the heads have their own.
    inside = ("attention_probs_dropout_prob", "attention_dropout")
    kind |= {name: 0.0 for name in inside if getattr(shape, name, None)}
    if layers is not None:
        if layers > shape.num_hidden_layers:  # the rest would be made of random numbers
            raise ChartmarkError(
                f"the backbone at {folder} has {shape.num_hidden_layers} layers, not {layers}"
            )
        kind["num_hidden_layers"] = layers
    stored = hasattr(shape, "quantization_config")
    if nf4 or stored:
        kind |= {"dtype": torch.bfloat16, "device_map": {"": device.pick()}}
    if nf4 and not stored:
        kind["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **_HERE)
        family = AutoModelForCausalLM if writes else AutoModel
        model = family.from_pretrained(folder, use_safetensors=True, **kind, **_HERE)
    except ImportError as error:  # bitsandbytes is there, but not for this machine
        raise ChartmarkError(
            f"4-bit weights need bitsandbytes, which can't be used here: {_first_line(error)}"
        ) from None
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, SafetensorError) as error:
        raise ChartmarkError(
            f"the backbone at {folder} can't be loaded: {_first_line(error)}"
        ) from None
    if not tokenizer.is_fast:
        raise ChartmarkError(f"the backbone at {folder} has no fast tokenizer, so no exact offsets")
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # reads one token for the whole text, which nobody here asks for
    return model, tokenizer


def widened(model: PreTrainedModel) -> PreTrainedModel:
    """The weights of a model in 4 bits as fp32 numbers, if half of the free memory holds them; else the
    model as it is. What it computes is the same; an adapter can be merged into it, and it needn't take
    its weights apart again for every batch (docs/experiments.md). The model must not have read yet: on
    a CPU bitsandbytes then packs weights in a way that it can't widen."""
    quantised = getattr(model, "is_quantized", False)
    if not quantised or 4 * model.num_parameters() > device.free(model.device.type) / 2:
        return model
    return model.dequantize().float()


def config(folder: Path) -> PreTrainedConfig:
    """What a backbone is like, under the names that all have; ChartmarkError if that is damaged."""
    try:
        found = AutoConfig.from_pretrained(folder, **_HERE).get_text_config()
        _ = found.hidden_size, found.num_hidden_layers, found.num_attention_heads
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ChartmarkError(
            f"{folder / 'config.json'} is damaged or of no known kind; fetch the backbone again"
        ) from None


def special_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """What the tokenizer puts before and after a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    at = full.index(bare[0])
    return full[:at], full[at + len(bare) :]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
