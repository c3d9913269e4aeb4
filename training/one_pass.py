"""Training the one-pass family: transformers' Trainer over a PEFT adapter and the heads."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler

from core import scoring
from core.document import Document
from core.errors import ChartmarkError
from core.extraction import backbone, device, model_folder, models
from core.extraction.model_folder import ModelConfig, build_heads, save
from core.extraction.network import Batch, OnePass
from core.extraction.one_pass import OnePassExtractor
from core.overlap import Trained
from core.schema import Schema
from training import dataset
from training.calibrate import calibrate, uncalibrated
from training.data import Data
from training.examples import Labels, batch, examples
from training.loss import loss
from training.preset import Preset

Log = Callable[[dict[str, Any]], None]


def train(preset: Preset, data: Data, schema: Schema, folder: Path, log: Log) -> ModelConfig:
    """Train, keep the best epoch by F1 on the tuning documents, calibrate, and save in folder/model.

    `log` receives every figure as it comes. Returns what was saved as model.json.
    """
    torch.manual_seed(preset.schedule.seed)
    network, tokenizer = _continued(preset, schema) if preset.start else _fresh(preset, schema)
    network.to(device.pick())
    reader = OnePassExtractor(
        network, tokenizer, schema, uncalibrated(schema), window=preset.window, overlap=preset.overlap
    )
    training = dataset.windows(data.train, reader)
    trainer = _Trainer(
        reader=reader,
        tune=data.tune,
        model=_WithLoss(network),
        args=_arguments(preset, folder),
        train_dataset=training,
        data_collator=lambda items: _collate(items, schema, tokenizer.pad_token_id),
        optimizers=(_optimizer(network, preset), None),
        callbacks=[_Logged(log)],
    )
    trainer.train()
    network.eval()
    tuning = [e for d in data.tune for e in examples(d, reader)]
    calibration = calibrate(reader, tuning, data.tune, support(data.train))
    config = ModelConfig(
        backbone=preset.backbone,
        backbone_files=backbone.sums(preset.backbone),
        window=preset.window,
        overlap=preset.overlap,
        heads=preset.heads,
        labels=schema,
        calibration=calibration,
    )
    save(folder / "model", network, config)
    Trained.of([*data.train, *data.tune]).save(folder / "model")
    return config


def _fresh(preset: Preset, schema: Schema) -> tuple[OnePass, PreTrainedTokenizerBase]:
    base, tokenizer = backbone.load(preset.backbone)
    adapter = LoraConfig(
        r=preset.lora.rank,
        lora_alpha=preset.lora.alpha,
        lora_dropout=preset.lora.dropout,
        target_modules=preset.lora.targets,
    )
    heads = build_heads(preset.heads, schema, base.config.hidden_size)
    return OnePass(get_peft_model(base, adapter), heads), tokenizer


def _continued(preset: Preset, schema: Schema) -> tuple[OnePass, PreTrainedTokenizerBase]:
    folder = models.folder(preset.start or "")
    config = model_folder.read_config(folder)
    theirs = config.backbone, config.heads.size, config.heads.max_width, _layout(config.labels)
    if theirs != (preset.backbone, preset.heads.size, preset.heads.max_width, _layout(schema)):
        raise ChartmarkError(
            f"can't go on from {preset.start}: its backbone, heads or labels differ from the preset's"
        )
    return model_folder.load_network(folder, config, trainable=True)


def _layout(schema: Schema) -> tuple[object, ...]:
    """What weights depend on: names and their order, not colours or help."""
    attributes = tuple((a.name, a.values) for a in schema.attributes)
    return schema.entity_names, schema.relation_names, attributes


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


def _collate(rows: list[dict[str, Any]], schema: Schema, pad: int | None) -> dict[str, Any]:
    read, labels = batch([dataset.example(row) for row in rows], schema, pad)
    return {"batch": read, "labels": labels}


def _optimizer(network: OnePass, preset: Preset) -> torch.optim.Optimizer:
    s = preset.schedule
    return torch.optim.AdamW(
        [
            {
                "params": [p for p in network.backbone.parameters() if p.requires_grad],
                "lr": s.learning_rate,
            },
            {"params": list(network.heads.parameters()), "lr": s.heads_learning_rate},
        ],
        weight_decay=s.weight_decay,
    )


def _arguments(preset: Preset, folder: Path) -> TrainingArguments:
    s = preset.schedule
    return TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=s.epochs,
        per_device_train_batch_size=s.batch,
        gradient_accumulation_steps=s.accumulate,
        learning_rate=s.learning_rate,
        warmup_steps=s.warmup,
        weight_decay=s.weight_decay,
        seed=s.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="eval_f1",
        logging_steps=20,
        report_to=[],
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=False,
    )


class _Trainer(Trainer):  # type: ignore[misc]
    """Batches of like length, and evaluation by extraction: what counts is F1, not loss."""

    def __init__(self, *, reader: OnePassExtractor, tune: Sequence[Document], **rest: Any) -> None:
        super().__init__(eval_dataset=tune, **rest)
        self.reader, self.tune = reader, tune

    def _get_train_sampler(self, *_: Any, **__: Any) -> LengthGroupedSampler:
        return LengthGroupedSampler(
            self.args.train_batch_size,
            lengths=[len(tokens) for tokens in self.train_dataset["tokens"]],
            generator=torch.Generator().manual_seed(self.args.seed),
        )

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        was = self.model.training
        self.model.eval()
        found = self.reader.extract([d.text for d in self.tune])
        self.model.train(was)
        pairs = list(zip(self.tune, found, strict=True))
        symmetric = self.reader.schema.symmetric
        counts = {
            "entity": [scoring.entity_counts(d, a) for d, a in pairs],
            "relation": [scoring.relation_counts(d, a, symmetric) for d, a in pairs],
        }
        scores = {kind: scoring.summarise(c, samples=1)[scoring.MICRO].f1 for kind, c in counts.items()}
        metrics = {f"eval_{kind}_f1": f1 for kind, f1 in scores.items()}
        metrics["eval_f1"] = sum(scores.values()) / len(scores)
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


class _Logged(TrainerCallback):  # type: ignore[misc]
    """Every figure that Trainer logs goes to the run's log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def on_log(self, _: Any, state: Any, __: Any, logs: Any = None, **___: Any) -> None:
        self._log({"step": state.global_step, **(logs or {})})
