"""What a run would read, need and take, before it starts; and whether it can fit."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from core.errors import ChartmarkError
from core.extraction import backbone, device
from core.formats.mapping import corpora
from core.schema import Schema
from core.store import runs
from core.store.connection import existing
from training.data import Mix, of_file
from training.preset import OnePassPreset, Preset

# Characters to a token and to a synthetic note, as measured on the corpora and on 16,000 notes.
_CHARACTERS, _SYNTHETIC = 4.2, 480
# What training reaches of the speed of a plain matrix product (bench/train.py).
_REACHED = 0.35


@dataclass(frozen=True, slots=True)
class Plan:
    """`sources`: documents by where they come from, of which `tokens` are read in an epoch. `memory`
    that is needed and `free`, in bytes, on the device named. `seconds` for all epochs, if it can be
    told."""

    sources: dict[str, int]
    tokens: int
    steps: int
    memory: int
    free: int
    device: str
    seconds: float | None

    @property
    def problem(self) -> str | None:
        """Why it can't be done here, in a sentence; None if it can."""
        if self.memory < self.free:
            return None
        need, free = self.memory / 2**30, self.free / 2**30
        return (
            f"this does not fit: about {need:.1f} GiB are needed and {free:.1f} GiB are free on the "
            f"{self.device}; lower schedule.batch or window"
        )

    def lines(self) -> Iterator[str]:
        """The plan in words."""
        told = ", ".join(f"{n:,} {what}" for what, n in self.sources.items()) or "nothing"
        yield f"Reads {told}: about {self.tokens:,} tokens an epoch, {self.steps:,} steps in all."
        need, free = self.memory / 2**30, self.free / 2**30
        yield f"Needs about {need:.1f} GiB on the {self.device}, of which {free:.1f} GiB are free."
        if self.seconds is not None:
            yield f"Takes about {_minutes(self.seconds)} here, if no epoch stops getting better before."
        else:
            yield "How long it takes is told after the first steps."


def plan(preset: Preset, mix: Mix, schema: Schema) -> Plan:
    """Raises ChartmarkError if the backbone or a source is missing."""
    sources, read, characters = Counter[str](), 0, 0
    folder = next((f for f in mix.files if f.is_dir()), None)
    for name, times in preset.corpora.items() if folder else ():
        if times and name in corpora() and corpora()[name].labels == schema.name and folder:
            n, length = _size(name, folder)
            joined = preset.stitch.get(name, [1])
            sources[f"of {name}"] += n
            read += sum(-(-n // joined[i % len(joined)]) for i in range(times))
            characters += length * times
    for source in mix.files:
        if not source.is_dir():
            labelled, made = of_file(source, folder)
            sources[f"of {source.name}"] += len(labelled) + len(made)
            read += len(labelled) * preset.corrected + len(made)
            characters += sum(len(d.text) for d in labelled) * preset.corrected
            characters += sum(len(d.text) for d in made)
    if mix.database:
        n, length = runs.ahead(existing(mix.database), mix.since)
        sources["notes with gold labels"] = n
        read += n * preset.corrected
        characters += length * preset.corrected
    if mix.synthetic:
        sources["synthetic notes"] = mix.synthetic
        read += mix.synthetic
        characters += mix.synthetic * _SYNTHETIC
    tokens = round(characters / _CHARACTERS)
    s = preset.schedule
    rows = max(read, tokens // preset.window, 1)
    steps = -(-rows // (s.batch * s.accumulate)) * s.epochs
    shape = _Shape.of(preset)
    where = device.pick().type
    operations = tokens * s.epochs * shape.operations
    return Plan(
        sources=dict(sources),
        tokens=tokens,
        steps=steps,
        memory=shape.memory(preset),
        free=device.free(where),
        device="GPU" if where == "cuda" else "CPU",
        seconds=operations / (_speed() * _REACHED) if where == "cpu" else None,
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    """A backbone's parameters, those that training adds, layers, hidden units, heads."""

    parameters: int
    trained: int
    layers: int
    hidden: int
    heads: int

    @classmethod
    def of(cls, preset: Preset) -> "_Shape":
        folder = backbone.find(preset.backbone)
        layers = preset.layers if isinstance(preset, OnePassPreset) else None
        config = backbone.config(folder)
        hidden, longest = config.hidden_size, getattr(config, "max_position_embeddings", None)
        if longest and preset.window > longest:
            raise ChartmarkError(f"the backbone reads {longest} tokens at once; set a smaller window")
        parameters = trained = 0
        for file in sorted(folder.glob("*.safetensors")):
            try:
                with safe_open(file, framework="np") as weights:
                    for name in weights.keys():  # noqa: SIM118
                        if _above(name, layers):
                            continue
                        shape = weights.get_slice(name).get_shape()
                        if weights.get_slice(name).get_dtype() == "U8" and shape[1:] == [1]:
                            # Two weights of 4 bits a byte, in a row: one side of most is as wide as
                            # the model.
                            shape = [hidden, 2 * shape[0] // hidden]
                        parameters += int(np.prod(shape))
                        if len(shape) == 2 and any(f"{t}.weight" in name for t in preset.lora.targets):
                            trained += preset.lora.rank * sum(shape)
            except (SafetensorError, OSError):
                raise ChartmarkError(f"{file} is damaged; fetch the backbone again") from None
        depth = layers or config.num_hidden_layers
        return cls(parameters, trained, depth, hidden, config.num_attention_heads)

    @property
    def operations(self) -> float:
        """For a token of training: 2 a parameter forwards, 2 back through what is frozen, 6 in all for
        what is trained (Kaplan et al. 2020)."""
        return 4.0 * self.parameters + 6.0 * self.trained

    def memory(self, preset: Preset) -> int:
        """Weights, gradients and Adam's two moments of what is trained, and activations by Korthikanti
        et al. 2022 (equation 1, doubled for fp32)."""
        tokens = preset.schedule.batch * preset.window
        scores = 5.0 * self.heads * preset.window / self.hidden
        activations = self.layers * tokens * self.hidden * (34 + scores) * 2
        heads = 0  # what is made for every token beside the backbone's layers
        if isinstance(preset, OnePassPreset):
            heads = preset.heads.max_width * preset.heads.size * 3
        if preset.checkpointing:  # a layer's input is kept, and one layer's inside at a time
            activations = activations / self.layers + self.layers * tokens * self.hidden * 4
        bytes_each = 0.6 if preset.nf4 else 4
        return int(
            bytes_each * self.parameters + 16 * self.trained + activations + 4 * tokens * heads + 2**29
        )


def _above(name: str, layers: int | None) -> bool:
    """Whether a weight is in a layer that a backbone cut to its lowest `layers` doesn't have."""
    found = re.search(r"\blayers?\.(\d+)\.", name)
    return layers is not None and found is not None and int(found[1]) >= layers


@cache
def _size(name: str, folder: Path) -> tuple[int, int]:
    """Documents and characters of a corpus's training split; none where it is not there."""
    if not corpora()[name].there(folder, "train"):
        return 0, 0
    lengths = [len(d.text) for d in corpora()[name].read(folder, "train", Counter())]
    return len(lengths), sum(lengths)


@cache
def _speed() -> float:
    """Operations a second of this machine's CPU: a plain matrix product, measured once."""
    a = np.ones((1024, 1024), dtype=np.float32)
    a @ a
    began = time.perf_counter()
    for _ in range(4):
        a @ a
    return float(4 * 2 * 1024**3 / (time.perf_counter() - began))


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
