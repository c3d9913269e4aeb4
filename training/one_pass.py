"""Training the one-pass family: transformers' Trainer over a PEFT adapter and the heads."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Trainer, TrainingArguments

from core.document import Document
from core.errors import ChartmarkError
from core.extraction import backbone, device, model_folder, models
from core.extraction.model_folder import OnePassConfig, build_heads, save
from core.extraction.network import Batch, OnePass
from core.extraction.one_pass import OnePassExtractor
from core.overlap import Trained
from core.schema import Schema
from training import dataset, several
from training.calibrate import calibrate, uncalibrated
from training.data import Data
from training.examples import Labels, batch, examples
from training.loss import loss
from training.preset import OnePassPreset
from training.recompute import recompute
from training.trainer import ByExtraction, Log, arguments, callbacks, fit


def train(preset: OnePassPreset, data: Data, schema: Schema, folder: Path, log: Log) -> None:
    """Train, from folder's last checkpoint if it has one, keep the best epoch by F1 on the tuning
    documents, calibrate, and save in folder/model.

    `log` receives every figure as it comes. Raises Stopped if the process is asked to end meanwhile.
    """
    torch.manual_seed(preset.schedule.seed)
    network, tokenizer = _continued(preset, schema) if preset.start else _fresh(preset, schema)
    if preset.checkpointing:
        recompute(network.backbone)
    network.to(device.pick())
    reader = OnePassExtractor(
        network, tokenizer, schema, uncalibrated(schema), window=preset.window, overlap=preset.overlap
    )
    training = dataset.windows(data.train, reader)
    lengths = [len(tokens) for tokens in training["tokens"]]
    gpu = device.pick().type == "cuda"
    trainer = _Trainer(
        reader=reader,
        tune=data.tune,
        lengths=lengths,
        model=_WithLoss(network),
        args=arguments(
            TrainingArguments,
            preset,
            folder,
            label_names=["labels"],
            # Rows become batches in Python: beside a GPU that takes longer than the step itself.
            dataloader_num_workers=min(8, os.cpu_count() or 1) if gpu else 0,
        ),
        train_dataset=training,
        data_collator=_Collator(schema, tokenizer.pad_token_id),
        optimizers=(_optimizer(network, preset), None),
        callbacks=callbacks(log, sum(lengths), preset.schedule.patience),
    )
    fit(trainer, folder)
    if not several.first():
        return
    network.eval()
    keep(reader, preset, data, folder, [models.folder(preset.start)] if preset.start else [])


def keep(
    reader: OnePassExtractor, preset: OnePassPreset, data: Data, folder: Path, before: Sequence[Path]
) -> None:
    """Calibrate what reads with an adapted network on the tuning documents, and save it in
    folder/model; it was trained on what the models in `before` were trained on, too."""
    tuning = [e for d in data.tune for e in examples(d, reader)]
    config = OnePassConfig(
        backbone=preset.backbone,
        backbone_files=backbone.sums(preset.backbone),
        nf4=preset.nf4,
        layers=preset.layers,
        window=preset.window,
        overlap=preset.overlap,
        heads=preset.heads,
        labels=reader.schema,
        calibration=calibrate(reader, tuning, data.tune, support(data.train)),
    )
    trained = Trained.of([*data.train, *data.tune])
    for other in before:
        trained = trained.with_that_of(other)
    trained.save(folder / "model")  # first: a model counts as one when all else is there
    save(folder / "model", reader.network, config)


def _fresh(preset: OnePassPreset, schema: Schema) -> tuple[OnePass, PreTrainedTokenizerBase]:
    base, tokenizer = backbone.load(preset.backbone, nf4=preset.nf4, layers=preset.layers)
    adapter = LoraConfig(
        r=preset.lora.rank,
        lora_alpha=preset.lora.alpha,
        lora_dropout=preset.lora.dropout,
        target_modules=preset.lora.targets,
    )
    heads = build_heads(preset.heads, schema, base.config.hidden_size)
    return OnePass(get_peft_model(base, adapter), heads), tokenizer


def _continued(preset: OnePassPreset, schema: Schema) -> tuple[OnePass, PreTrainedTokenizerBase]:
    folder = models.folder(preset.start or "")
    config = model_folder.read_config(folder)
    if not isinstance(config, OnePassConfig):
        raise ChartmarkError(f"can't go on from {preset.start}: it is of the {config.family} family")
    if built(config, config.labels) != built(preset, schema):
        raise ChartmarkError(
            f"can't go on from {preset.start}: its backbone, heads or labels differ from the preset's"
        )
    return model_folder.load_network(folder, config, trainable=True)


def built(how: OnePassConfig | OnePassPreset, labels: Schema) -> tuple[object, ...]:
    """What weights depend on beside the adapter: backbone, heads, the labels' names and their order,
    not colours or help."""
    attributes = tuple((a.name, a.values) for a in labels.attributes)
    heads = how.heads.size, how.heads.max_width
    whole = how.backbone, how.layers, how.nf4
    return *whole, heads, labels.entity_names, labels.relation_names, attributes


def support(documents: Sequence[Document]) -> Counter[str]:
    """How many gold labels there are of each entity type, relation type and attribute.

    An attribute counts where it was looked for and differs from its default by being written down;
    a mention of an ambiguous type counts for each type.
    """
    counts: Counter[str] = Counter()
    for d in {d.id: d for d in documents}.values():
        counts.update(t for e in d.entities for t in e.types or (e.type,))
        counts.update(r.type for r in d.relations)
        counts.update(a for e in d.entities for a in e.attributes)
    return counts


class _WithLoss(nn.Module):
    """The network as Trainer wants it: forward gives the loss."""

    def __init__(self, network: OnePass) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch, labels: Labels) -> dict[str, Tensor]:
        where = next(self.parameters()).device
        return {"loss": loss(self.network, batch.to(where), labels.to(where))}


@dataclass(frozen=True, slots=True)
class _Collator:
    schema: Schema
    pad: int | None

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        read, labels = batch([dataset.example(row) for row in rows], self.schema, self.pad)
        return {"batch": read, "labels": labels}


def _optimizer(network: OnePass, preset: OnePassPreset) -> torch.optim.Optimizer:
    s = preset.schedule
    kind: Any = torch.optim.AdamW
    if s.optimizer == "adamw_8bit" and device.pick().type == "cuda":
        kind = bitsandbytes.optim.AdamW8bit
    optimizer: torch.optim.Optimizer = kind(
        [
            {
                "params": [p for p in network.backbone.parameters() if p.requires_grad],
                "lr": s.learning_rate,
            },
            {"params": list(network.heads.parameters()), "lr": preset.heads_learning_rate},
        ],
        weight_decay=s.weight_decay,
    )
    return optimizer


class _Trainer(ByExtraction, Trainer):  # type: ignore[misc]
    """Trainer over rows that become batches of windows."""

    def __init__(
        self, *, reader: OnePassExtractor, tune: Sequence[Document], lengths: Sequence[int], **rest: Any
    ) -> None:
        super().__init__(eval_dataset=tune, **rest)
        self.reader, self.tune, self.lengths = reader, tune, lengths
