"""A trained model on disk: a PEFT adapter, model.json, a one-pass one's heads. Safetensors only."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from peft import PeftModel, get_peft_model_state_dict
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedTokenizerBase

from core.document import explain
from core.errors import ChartmarkError
from core.extraction import MODEL_FILE, backbone
from core.extraction.device import reading_dtype
from core.extraction.generative import GenerativeExtractor
from core.extraction.heads import HeadsConfig
from core.extraction.network import Heads, OnePass
from core.extraction.one_pass import Calibration, OnePassExtractor
from core.files import atomic, read_text, sha256
from core.schema import Schema

ADAPTER, HEADS = "adapter_model.safetensors", "heads.safetensors"
FILES = (ADAPTER, HEADS, "adapter_config.json")


class ModelConfig(BaseModel):
    """model.json: everything beside the weights. `files` and `backbone_files` hold the SHA-256 of
    the model's own files and of the backbone's, by name. `nf4`: the backbone computes in 4 bits."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1] = 1
    backbone: str
    backbone_files: dict[str, str]
    nf4: bool = False
    window: int
    overlap: int
    labels: Schema
    files: dict[str, str] = {}


class OnePassConfig(ModelConfig):
    """model.json of a one-pass model, which reads with its backbone's lowest `layers`, or with all."""

    family: Literal["one-pass"] = "one-pass"
    layers: int | None = Field(default=None, gt=0)
    heads: HeadsConfig
    calibration: Calibration


class GenerativeConfig(ModelConfig):
    """model.json of a generative one."""

    family: Literal["generative"] = "generative"


def build_heads(config: HeadsConfig, labels: Schema, hidden: int) -> Heads:
    """Heads with fresh weights for a schema over a backbone of `hidden` units."""
    return Heads(
        hidden,
        len(labels.entities),
        tuple(len(a.values) for a in labels.attributes),
        len(labels.relations),
        size=config.size,
        max_width=config.max_width,
        dropout=config.dropout,
    )


def save(folder: Path, network: OnePass, config: OnePassConfig) -> None:
    """Write adapter and heads in half precision (which halves what ships), model.json last."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().cpu() for k, v in network.heads.state_dict().items()}, folder / HEADS)
    save_adapter(folder, network.backbone, config)


def save_adapter(folder: Path, adapter: nn.Module, config: OnePassConfig | GenerativeConfig) -> None:
    """Write a PEFT adapter as PEFT reads it, in half precision, then model.json."""
    folder.mkdir(parents=True, exist_ok=True)
    assert isinstance(adapter, PeftModel)
    # What a model was trained from is in model.json; PEFT would note this machine's path.
    adapter.peft_config["default"].base_model_name_or_path = config.backbone
    adapter.peft_config["default"].save_pretrained(str(folder))
    weights = get_peft_model_state_dict(adapter, save_embedding_layers=False)
    save_file({k: v.half().cpu().contiguous() for k, v in weights.items()}, folder / ADAPTER)
    files = {name: sha256(folder / name) for name in _files(config)}
    with atomic(folder / MODEL_FILE) as out:
        whole = config.model_copy(update={"files": files})
        json.dump(whole.model_dump(mode="json"), out, indent=1)
        out.write("\n")


def _files(config: OnePassConfig | GenerativeConfig) -> tuple[str, ...]:
    return FILES if isinstance(config, OnePassConfig) else (ADAPTER, "adapter_config.json")


def read_config(folder: Path) -> OnePassConfig | GenerativeConfig:
    """model.json of a folder. Raises ChartmarkError if it is missing or broken."""
    if not (folder / MODEL_FILE).is_file():
        raise ChartmarkError(f"no model in {folder}: {MODEL_FILE} is missing")
    try:
        text = read_text(folder / MODEL_FILE)
        return _kind(text).model_validate_json(text)
    except ValidationError as error:
        raise ChartmarkError(f"{folder / MODEL_FILE}: {explain(error)}") from None


def _kind(text: str) -> type[OnePassConfig] | type[GenerativeConfig]:
    """Which family's model.json a text is, as far as that can be told; what checks it says the rest."""
    try:
        written = json.loads(text)
    except ValueError:
        return OnePassConfig
    generative = isinstance(written, dict) and written.get("family") == "generative"
    return GenerativeConfig if generative else OnePassConfig


def load(folder: Path, device: torch.device) -> OnePassExtractor | GenerativeExtractor:
    """A model ready to read, its adapter merged into the backbone, unless that stays in 4 bits.

    Every weights file is checked against its sha256 first. Raises ChartmarkError if any part is
    missing, changed or broken.
    """
    config = read_config(folder)
    reads = {"window": config.window, "overlap": config.overlap}
    if isinstance(config, GenerativeConfig):
        model, tokenizer = load_writer(folder, config)
        # In fp32, so that a note's answer doesn't depend on which notes are read beside it.
        return GenerativeExtractor(_merged(model).to(device), tokenizer, config.labels, **reads)
    network, tokenizer = load_network(folder, config)
    network = OnePass(_merged(network.backbone), network.heads).to(device)
    if not _quantised(network.backbone):
        network.backbone.to(reading_dtype(device.type))
    return OnePassExtractor(network, tokenizer, config.labels, config.calibration, **reads)


def load_network(
    folder: Path, config: OnePassConfig, *, trainable: bool = False
) -> tuple[OnePass, PreTrainedTokenizerBase]:
    """Backbone under its adapter, heads, and tokenizer, checked as `load` says."""
    _check(folder, config)
    base, tokenizer = backbone.load(config.backbone, nf4=config.nf4, layers=config.layers)
    with _told(folder):
        base = base if trainable else backbone.widened(base)
        heads = build_heads(config.heads, config.labels, base.config.hidden_size)
        adapted = PeftModel.from_pretrained(base, folder, use_safetensors=True, is_trainable=trainable)
        heads.load_state_dict(load_file(folder / HEADS))
    return OnePass(adapted, heads), tokenizer


def load_writer(
    folder: Path, config: GenerativeConfig, *, trainable: bool = False
) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    """A language model under its adapter, and tokenizer, checked as `load` says."""
    _check(folder, config)
    base, tokenizer = backbone.load(config.backbone, nf4=config.nf4, writes=True)
    with _told(folder):
        base = base if trainable else backbone.widened(base)
        adapted = PeftModel.from_pretrained(base, folder, use_safetensors=True, is_trainable=trainable)
    return adapted, tokenizer


def _merged(adapter: Any) -> Any:
    """The backbone with the adapter in its weights; one in 4 bits would lose what it adds."""
    return adapter if _quantised(adapter.base_model.model) else adapter.merge_and_unload()


def _quantised(model: Any) -> bool:
    return bool(getattr(model, "is_quantized", False))


def _check(folder: Path, config: OnePassConfig | GenerativeConfig) -> None:
    for name in _files(config):
        if not (folder / name).is_file():
            raise ChartmarkError(f"the model in {folder} lacks {name}")
        backbone.check(folder / name, config.files.get(name, ""))
    backbone.check_sums(config.backbone, config.backbone_files)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What goes wrong with a model's files, in a sentence."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        raise ChartmarkError(
            f"the model in {folder} can't be loaded ({type(error).__name__}); fetch or train it again"
        ) from None
