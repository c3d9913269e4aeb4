"""transformers' Trainer as both families need it: light checkpoints, a stop that keeps what was
learned, evaluation by extraction, figures as they come."""

import math
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psutil
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from core import scoring
from core.document import Document
from core.errors import ChartmarkError
from core.extraction import Extractor, device
from training import several
from training.batches import ByLength
from training.preset import Preset

Log = Callable[[dict[str, Any]], None]
CHECKPOINT = "trained.safetensors"


class Stopped(BaseException):
    """The run was asked to stop; its last checkpoint is kept."""


A = TypeVar("A", bound=TrainingArguments)


def arguments(kind: type[A], preset: Preset, folder: Path, **more: Any) -> A:
    """TrainingArguments, or SFTConfig, from a preset."""
    s = preset.schedule
    values = {
        "output_dir": str(folder / "checkpoints"),
        "num_train_epochs": s.epochs,
        "per_device_train_batch_size": s.batch,
        "gradient_accumulation_steps": s.accumulate,
        "learning_rate": s.learning_rate,
        "warmup_steps": s.warmup,
        "weight_decay": s.weight_decay,
        "seed": s.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "save_total_limit": 1,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_f1",
        "logging_steps": 10,
        "logging_nan_inf_filter": False,  # loss that is no number is to be seen
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_pin_memory": False,
        # Where a CPU has it, too: fp32 takes half as long again (bench/steps.py).
        "bf16": device.reading_dtype(device.pick().type) == torch.bfloat16,
        "use_cpu": device.pick().type == "cpu",
    }
    found: A = kind(**values, **more)
    # A process has one GPU. Where it sees several, Trainer would copy the model to each, step by step;
    # `accelerate launch` gives each a process of its own.
    if found.device.type == "cuda":
        found._n_gpu = 1
    return found


class ByExtraction:
    """Mixed into a Trainer: batches of like length, checkpoints of what is trained, and evaluation by
    reading the tuning documents: what counts is F1, not loss."""

    reader: Extractor
    tune: Sequence[Document]
    lengths: Sequence[int]

    def _get_train_sampler(self: Any, *_: Any, **__: Any) -> ByLength:
        return ByLength(self.lengths, self.args.train_batch_size, self.args.seed)

    def _save(self: Any, output_dir: str | None = None, **_: Any) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(trained(self.model), folder / CHECKPOINT)

    def _load_from_checkpoint(self: Any, resume_from_checkpoint: str, model: Any = None) -> None:
        restore(model or self.model, Path(resume_from_checkpoint))

    def _load_best_model(self: Any) -> None:
        restore(self.model, Path(self.state.best_model_checkpoint))

    def evaluate(self: Any, *_: Any, **__: Any) -> dict[str, float]:
        # One reads for all: what decides when to end must be the same for each.
        metrics: dict[str, float] = several.told(self._read() if several.first() else {})
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _read(self: Any) -> dict[str, float]:
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
        # Relations alone are at nothing for the first epochs of a small run, and would end it there.
        metrics["eval_f1"] = sum(scores.values()) / len(scores)
        return metrics


def trained(model: nn.Module) -> dict[str, torch.Tensor]:
    """What training changes, by name: adapters and heads, not the backbone beneath."""
    return {
        name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad
    }


def restore(model: nn.Module, checkpoint: Path) -> None:
    """Put a checkpoint's weights back. Raises ChartmarkError if they are not this model's."""
    kept = load_file(checkpoint / CHECKPOINT)
    if set(kept) != {name for name, p in model.named_parameters() if p.requires_grad}:
        raise ChartmarkError(f"{checkpoint} is of another model; start a new run")
    model.load_state_dict(kept, strict=False)


def fit(trainer: Trainer, folder: Path) -> None:
    """Train to the end, from the last checkpoint if the run's folder has one, and load the best epoch.

    Raises Stopped if the process was asked to end (SIGTERM), with a checkpoint kept.
    """
    asked = threading.Event()
    trainer.add_callback(_StopsWhen(asked))
    trainer.remove_callback(PrinterCallback)  # figures go to the log alone
    ours = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set()) if ours else None
    kept = sorted(folder.glob("checkpoints/checkpoint-*"), key=lambda p: int(p.name.split("-")[1]))
    whole = [p for p in kept if (p / "trainer_state.json").is_file()]
    try:
        trainer.train(resume_from_checkpoint=str(whole[-1]) if whole else None)
    finally:
        if ours:
            signal.signal(signal.SIGTERM, before)
    if asked.is_set():
        raise Stopped


def callbacks(log: Log, tokens: int, patience: int) -> list[TrainerCallback]:
    """Figures to the log (of `tokens` an epoch), an end at loss that is no number, early stopping."""
    return [_Logged(log, tokens), EarlyStoppingCallback(early_stopping_patience=patience)]


class _Logged(TrainerCallback):  # type: ignore[misc]
    """Every figure that Trainer logs goes to the run's log, with tokens a second and memory in GiB."""

    def __init__(self, log: Log, tokens: int) -> None:
        self._log, self._tokens = log, tokens
        self._last = time.monotonic(), 0.0

    def on_train_begin(self, _: Any, state: Any, __: Any, **___: Any) -> None:
        self._last = time.monotonic(), state.epoch or 0.0

    def on_evaluate(self, _: Any, state: Any, __: Any, *___: Any, **____: Any) -> None:
        self._last = time.monotonic(), state.epoch or 0.0  # reading is no training

    def on_log(self, _: Any, state: Any, __: Any, logs: Any = None, **___: Any) -> None:
        logs = dict(logs or {})
        if "loss" in logs:
            now = time.monotonic(), state.epoch or 0.0
            took = max(now[0] - self._last[0], 1e-6)
            logs["tokens_per_second"] = round(self._tokens * (now[1] - self._last[1]) / took)
            logs["memory"] = round(_memory() / 2**30, 2)
            self._last = now
        self._log({"step": state.global_step, "of": state.max_steps, **logs})
        if not math.isfinite(logs.get("loss", 0.0)):
            raise ChartmarkError(
                f"the loss was no number any more at step {state.global_step}; "
                "start again with a lower schedule.learning_rate"
            )


def _memory() -> int:
    """Bytes in use at the most: of the GPU where it trains, else of this process."""
    if device.pick().type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


class _StopsWhen(TrainerCallback):  # type: ignore[misc]
    def __init__(self, asked: threading.Event) -> None:
        self._asked = asked

    def on_step_end(self, _: Any, __: Any, control: Any, **___: Any) -> Any:
        if several.any_of(self._asked.is_set()):
            self._asked.set()
            control.should_save = control.should_training_stop = True
        return control
