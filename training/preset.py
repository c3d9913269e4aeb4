"""Presets: a YAML file each, with every value that a run needs; `--set` changes one for a run."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.document import explain
from core.errors import ChartmarkError
from core.extraction.heads import HeadsConfig
from core.files import read_text

PRESETS = Path(__file__).with_name("presets")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(_Part):
    """Low-rank adapter (Hu et al. 2021) on the named linear layers of the backbone."""

    rank: int = Field(gt=0)
    alpha: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    targets: list[str]


class Schedule(_Part):
    """AdamW with linear warm-up and decay, its moments in 8 bits if so asked (Dettmers et al. 2022; on
    a GPU). A step reads `batch` windows `accumulate` times; `warmup` counts steps, or is a share of
    them below 1. After `patience` epochs without a better one, training ends."""

    epochs: int = Field(gt=0)
    patience: int = Field(gt=0)
    batch: int = Field(gt=0)
    accumulate: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    warmup: float = Field(ge=0)
    optimizer: Literal["adamw", "adamw_8bit"]
    seed: int = Field(ge=0, lt=2**32)


class Preset(_Part):
    """`corpora` says how often each is read in an epoch, `corrected` how often other gold is: that of a
    database, passages, JSON Lines that the generator didn't write; read again, a share `renamed` of
    their mentions have other names. `window` and `overlap` count tokens.

    `nf4` keeps the backbone in 4 bits (QLoRA); `checkpointing` computes activations twice where
    memory has no room to keep them. `start` names a model to go on from in place of the bare backbone.
    `stitch` says of which corpora (of single sentences) how many documents are joined into one, each
    time that they are read. `tune` is the share of the training documents kept out to pick the epoch
    and to calibrate.
    """

    backbone: str
    nf4: bool
    checkpointing: bool
    start: str | None
    window: int = Field(ge=32)
    overlap: int = Field(ge=0)
    lora: Lora
    corpora: dict[str, Annotated[int, Field(ge=0, le=1000)]]
    corrected: int = Field(gt=0, le=1000)
    renamed: float = Field(default=0.0, ge=0, le=1)  # runs begun before it was there go on
    stitch: dict[str, list[Annotated[int, Field(gt=0)]]]
    tune: float = Field(gt=0, lt=0.5)
    schedule: Schedule

    @model_validator(mode="after")
    def _goes_forward(self) -> Self:
        if 2 * self.overlap > self.window:  # else nearly every word would begin a window
            raise ValueError("overlap must be at most half of window")
        return self


class OnePassPreset(Preset):
    """One forward pass through the backbone, or its lowest `layers`, then heads of these sizes."""

    family: Literal["one-pass"]
    layers: int | None = Field(default=None, gt=0)
    heads: HeadsConfig
    heads_learning_rate: float = Field(gt=0)


class GenerativePreset(Preset):
    """A language model that writes: a relation's tokens weigh `relation_loss_weight` in the loss where
    others weigh 1."""

    family: Literal["generative"]
    relation_loss_weight: float = Field(gt=0)


AnyPreset = OnePassPreset | GenerativePreset


def names() -> list[str]:
    return sorted(p.stem for p in PRESETS.glob("*.yaml"))


def load(name: str, changes: list[str]) -> AnyPreset:
    """A preset by name, `key.inner=value` changes applied.

    Raises ChartmarkError if the preset, a key or a value is not one.
    """
    path = PRESETS / f"{name}.yaml"
    if name not in names():
        raise ChartmarkError(f"no preset {name!r}: choose from {', '.join(names())}")
    values = yaml.safe_load(read_text(path))
    for change in changes:
        _apply(values, change)
    return _checked(values, f"preset {name}")


def read(values: Any) -> AnyPreset:
    """A preset from what it was written as. Raises ValueError if it is none."""
    return _kind(values).model_validate(values)


def check(text: str, where: str) -> AnyPreset:
    """A preset from YAML that somebody edited. Raises ChartmarkError, saying where, if it is none."""
    try:
        return _checked(yaml.safe_load(text), where)
    except (yaml.YAMLError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise ChartmarkError(f"{where}, line {line}: not YAML") from None


def _checked(values: Any, where: str) -> AnyPreset:
    try:
        return _kind(values).model_validate(values)
    except ValidationError as error:
        raise ChartmarkError(f"{where}: {explain(error)}") from None


def _kind(values: Any) -> type[OnePassPreset] | type[GenerativePreset]:
    generative = isinstance(values, dict) and values.get("family") == "generative"
    return GenerativePreset if generative else OnePassPreset


def _apply(values: dict[str, Any], change: str) -> None:
    key, equals, value = change.partition("=")
    *outer, last = key.split(".")
    for part in outer:
        values = values.get(part, {}) if isinstance(values, dict) else {}
    if (
        not equals
        or not isinstance(values, dict)
        or (last not in values and outer not in (["corpora"], ["stitch"]))
    ):
        raise ChartmarkError(f"--set {change}: expected key=value with a key of the preset")
    try:
        values[last] = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):  # a date that is none, a number of thousands of digits
        raise ChartmarkError(f"--set {change}: {value!r} is not a value") from None
