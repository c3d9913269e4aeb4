"""A trained one-pass model on disk: a PEFT adapter, heads and model.json. Safetensors only."""

import json
from pathlib import Path
from typing import Literal

import torch
from peft import PeftModel
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase

from core.document import explain
from core.errors import ChartmarkError
from core.extraction import MODEL_FILE, backbone
from core.extraction.network import Heads, OnePass
from core.extraction.one_pass import Calibration, OnePassExtractor
from core.files import atomic, read_text
from core.schema import Schema

ADAPTER, HEADS = "adapter_model.safetensors", "heads.safetensors"
FILES = (ADAPTER, HEADS, "adapter_config.json")


class HeadsConfig(BaseModel):
    """Sizes of the heads: their inner width, the longest span in words, dropout in training."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int = Field(gt=0)
    max_width: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)


class ModelConfig(BaseModel):
    """model.json: everything beside the weights. `files` and `backbone_files` hold the SHA-256 of
    the model's own files and of the backbone's, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1] = 1
    family: Literal["one-pass"] = "one-pass"
    backbone: str
    backbone_files: dict[str, str]
    window: int
    overlap: int
    heads: HeadsConfig
    labels: Schema
    calibration: Calibration
    files: dict[str, str] = {}


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


def save(folder: Path, network: OnePass, config: ModelConfig) -> None:
    """Write adapter and heads in half precision (which halves what ships), model.json last."""
    folder.mkdir(parents=True, exist_ok=True)
    adapter = network.backbone
    assert isinstance(adapter, PeftModel)
    # What a model was trained from is in model.json; PEFT would note this machine's path.
    adapter.peft_config["default"].base_model_name_or_path = config.backbone
    adapter.half().save_pretrained(folder, save_embedding_layers=False)
    adapter.float()
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's template; the card is our own
    save_file({k: v.half().cpu() for k, v in network.heads.state_dict().items()}, folder / HEADS)
    files = {name: backbone.sha256(folder / name) for name in FILES}
    with atomic(folder / MODEL_FILE) as out:
        whole = config.model_copy(update={"files": files})
        json.dump(whole.model_dump(mode="json"), out, indent=1)
        out.write("\n")


def read_config(folder: Path) -> ModelConfig:
    """model.json of a folder. Raises ChartmarkError if it is missing or broken."""
    if not (folder / MODEL_FILE).is_file():
        raise ChartmarkError(f"no model in {folder}: {MODEL_FILE} is missing")
    try:
        return ModelConfig.model_validate_json(read_text(folder / MODEL_FILE))
    except ValidationError as error:
        raise ChartmarkError(f"{folder / MODEL_FILE}: {explain(error)}") from None


def load(folder: Path, device: torch.device) -> OnePassExtractor:
    """A model ready to read, its adapter merged into the backbone.

    Every weights file is checked against its sha256 first. Raises ChartmarkError if any part is
    missing, changed or broken.
    """
    config = read_config(folder)
    network, tokenizer = load_network(folder, config)
    merged = network.backbone.merge_and_unload()  # type: ignore[operator]
    return OnePassExtractor(
        OnePass(merged, network.heads).to(device),
        tokenizer,
        config.labels,
        config.calibration,
        window=config.window,
        overlap=config.overlap,
    )


def load_network(
    folder: Path, config: ModelConfig, *, trainable: bool = False
) -> tuple[OnePass, PreTrainedTokenizerBase]:
    """Backbone under its adapter, heads, and tokenizer, checked as `load` says."""
    for name in FILES:
        if not (folder / name).is_file():
            raise ChartmarkError(f"the model in {folder} lacks {name}")
        backbone.check(folder / name, config.files.get(name, ""))
    for name, expected in config.backbone_files.items():
        backbone.check(backbone.find(config.backbone) / name, expected)
    base, tokenizer = backbone.load(config.backbone)
    try:
        heads = build_heads(config.heads, config.labels, base.config.hidden_size)
        adapted = PeftModel.from_pretrained(base, folder, use_safetensors=True, is_trainable=trainable)
        heads.load_state_dict(load_file(folder / HEADS))
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        raise ChartmarkError(
            f"the model in {folder} can't be loaded ({type(error).__name__}); fetch or train it again"
        ) from None
    return OnePass(adapted.float(), heads), tokenizer
