"""Training the generative family: TRL's SFTTrainer over a PEFT adapter, loss on the answers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer
from trl.trainer.utils import add_fused_lm_head

from core.document import Document
from core.errors import ChartmarkError
from core.extraction import backbone, device, model_folder, models, prompt
from core.extraction.generative import GenerativeExtractor, room, stretches
from core.extraction.model_folder import GenerativeConfig, save_adapter
from core.extraction.writing import BETWEEN
from core.overlap import Trained
from core.schema import Schema
from training import dataset, several
from training.data import Data
from training.preset import GenerativePreset
from training.recompute import recompute
from training.trainer import ByExtraction, Log, arguments, callbacks, fit

# Writing is slow: of the tuning documents so many, spread over all sources, are read after each epoch.
TUNING = 120
IGNORED = -100


def train(preset: GenerativePreset, data: Data, schema: Schema, folder: Path, log: Log) -> None:
    """Train, from folder's last checkpoint if it has one, keep the best epoch by F1 on tuning
    documents, and save in folder/model.

    Documents in which not everything was looked for teach nothing here: an answer can't say "unknown".
    Raises Stopped if the process is asked to end meanwhile, ChartmarkError if no document is left.
    """
    for name in {a.name for a in schema.attributes} & {"text", "type"}:
        raise ChartmarkError(f"an attribute is called {name!r}, as a part of each answer is; rename it")
    torch.manual_seed(preset.schedule.seed)
    model, tokenizer = _continued(preset, schema) if preset.start else _fresh(preset)
    model.to(device.pick())
    if preset.checkpointing:
        recompute(model)
    train, tune = ([d for d in part if d.annotated is None] for part in (data.train, data.tune))
    if not train or not tune:
        raise ChartmarkError(
            "nothing that the generative family can learn from: it needs documents in which every "
            "label was looked for, such as synthetic notes (--synthetic) or corrected ones"
        )
    tune = tune[:: -(-len(tune) // TUNING)]
    rows = answers(train, preset, schema, tokenizer)
    if not len(rows):
        raise ChartmarkError("every note's answer is longer than one may be; add other notes")
    reader = GenerativeExtractor(model, tokenizer, schema, window=preset.window, overlap=preset.overlap)
    fit(AnswerTrainer(reader, rows, tune, preset, folder, log), folder)
    if not several.first():
        return
    config = GenerativeConfig(
        backbone=preset.backbone,
        backbone_files=backbone.sums(preset.backbone),
        nf4=preset.nf4,
        window=preset.window,
        overlap=preset.overlap,
        labels=schema,
    )
    trained = Trained.of([*data.train, *data.tune])
    if preset.start:
        trained = trained.with_that_of(models.folder(preset.start))
    trained.save(folder / "model")  # first: a model counts as one when all else is there
    save_adapter(folder / "model", model, config)


def _fresh(preset: GenerativePreset) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    base, tokenizer = backbone.load(preset.backbone, nf4=preset.nf4, writes=True)
    adapter = LoraConfig(
        task_type="CAUSAL_LM",
        r=preset.lora.rank,
        lora_alpha=preset.lora.alpha,
        lora_dropout=preset.lora.dropout,
        target_modules=preset.lora.targets,
    )
    add_fused_lm_head(base)  # before PEFT wraps it; SFTTrainer asks for it
    return get_peft_model(base, adapter), tokenizer


def _continued(preset: GenerativePreset, schema: Schema) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    folder = models.folder(preset.start or "")
    config = model_folder.read_config(folder)
    if (
        not isinstance(config, GenerativeConfig)
        or (config.backbone, config.nf4) != (preset.backbone, preset.nf4)
        or config.labels != schema
    ):
        raise ChartmarkError(
            f"can't go on from {preset.start}: its family, backbone or labels differ from the preset's"
        )
    return model_folder.load_writer(folder, config, trainable=True)


def _optimizer(preset: GenerativePreset) -> str:
    eight = preset.schedule.optimizer == "adamw_8bit" and device.pick().type == "cuda"
    return "adamw_8bit" if eight else "adamw_torch"


def answers(
    documents: Sequence[Document],
    preset: GenerativePreset,
    schema: Schema,
    tokenizer: PreTrainedTokenizerBase,
) -> Dataset:
    """A row a stretch of a document, as it will be read: tokens, what to learn of them (the answer),
    and how much each weighs. Answers that are longer than they may be when they are written are left
    out: cut, they would teach to stop early."""
    documents = [
        d.part(s.start, s.start + len(s.text))
        for d in documents
        for s in stretches(d.text, tokenizer, preset.window, preset.overlap)
    ]

    rows: dict[str, list[Any]] = {"input_ids": [], "labels": [], "weights": []}
    for d, pair in zip(documents, dataset.conversations(documents, schema, tokenizer), strict=True):
        read = prompt.tokens(d.text, schema, tokenizer)
        tokens, labels, weights = [*read], [IGNORED] * len(read), [0.0] * len(read)
        weight = 1.0
        written = [prompt.plain_tokens(piece, tokenizer) for piece in pair["pieces"][:-1]]
        for piece, more in zip(pair["pieces"], [*written, [tokenizer.eos_token_id]], strict=True):
            tokens += more
            labels += more
            weights += [weight] * len(more)
            weight = preset.relation_loss_weight if piece == BETWEEN else weight
        if len(tokens) - len(read) <= room(len(prompt.plain_tokens(d.text, tokenizer))):
            for name, value in zip(rows, (tokens, labels, weights), strict=True):
                rows[name].append(value)
    return Dataset.from_dict(rows)


@dataclass(frozen=True, slots=True)
class _Collator:
    pad: int

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        width = max(len(r["input_ids"]) for r in rows)

        def padded(name: str, value: float) -> Tensor:
            return torch.tensor([[*r[name], *[value] * (width - len(r[name]))] for r in rows])

        tokens = padded("input_ids", self.pad)
        lengths = torch.tensor([len(r["input_ids"]) for r in rows])
        return {
            "input_ids": tokens,
            "attention_mask": (torch.arange(width) < lengths[:, None]).long(),
            "labels": padded("labels", IGNORED),
            "weights": padded("weights", 0.0),
        }


class AnswerTrainer(ByExtraction, SFTTrainer):
    """SFTTrainer over rows of `answers`, whose tokens weigh differently."""

    def __init__(
        self,
        reader: GenerativeExtractor,
        rows: Dataset,
        tune: Sequence[Document],
        preset: GenerativePreset,
        folder: Path,
        log: Log,
    ) -> None:
        self.reader, self.tune = reader, tune
        self.lengths = [len(row["input_ids"]) for row in rows]
        super().__init__(
            model=reader.model,
            args=arguments(
                SFTConfig,
                preset,
                folder,
                max_length=None,
                dataset_kwargs={"skip_prepare_dataset": True},
                gradient_checkpointing=False,  # ours decides for each batch
                optim=_optimizer(preset),
            ),
            train_dataset=rows,
            eval_dataset=rows,
            processing_class=reader.tokenizer,
            data_collator=_Collator(reader.tokenizer.eos_token_id),
            callbacks=callbacks(log, sum(self.lengths), preset.schedule.patience),
        )
        # Trainer takes it that a model that takes what any model takes has divided its loss by the
        # tokens of all batches of a step: ours is the mean of each, to be divided by their number.
        self.model_accepts_loss_kwargs: bool = False

    def compute_loss(
        self,
        model: Any,
        inputs: Any,
        return_outputs: Any = False,
        num_items_in_batch: Any = None,  # noqa: ARG002
    ) -> Any:
        """The mean negative log-likelihood of the answers' tokens by weight, without ever holding the
        scores of all words at once."""
        weights = inputs.pop("weights")[:, 1:]
        out = model(**inputs, use_cache=False, fused_lm_head=True)
        loss = -(out.log_probs * weights).sum() / weights.sum().clamp(min=1)
        return (loss, out) if return_outputs else loss
