"""Presets: a YAML file each, with every value that a run needs; `--set` changes one for a run."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.document import explain
from core.errors import ChartmarkError
from core.extraction.model_folder import HeadsConfig
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
    """AdamW with linear warm-up and decay. A step reads `batch` windows `accumulate` times;
    `warmup` is a share of the steps."""

    epochs: int = Field(gt=0)
    batch: int = Field(gt=0)
    accumulate: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    heads_learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    warmup: float = Field(ge=0, lt=1)
    seed: int


class Preset(_Part):
    """`corpora` says how often each is read in an epoch. `window` and `overlap` count tokens.

    `start` names a model to go on from in place of the bare backbone. `stitch` says of which corpora
    (of single sentences) how many documents are joined into one. `tune` is the share of the
    training documents kept out to pick the epoch and to calibrate.
    """

    family: Literal["one-pass"]
    backbone: str
    start: str | None
    window: int = Field(ge=32)
    overlap: int = Field(ge=0)
    lora: Lora
    heads: HeadsConfig
    corpora: dict[str, int]
    stitch: dict[str, int]
    tune: float = Field(gt=0, lt=0.5)
    schedule: Schedule


def names() -> list[str]:
    return sorted(p.stem for p in PRESETS.glob("*.yaml"))


def load(name: str, changes: list[str]) -> Preset:
    """A preset by name, `key.inner=value` changes applied.

    Raises ChartmarkError if the preset, a key or a value is not one.
    """
    path = PRESETS / f"{name}.yaml"
    if name not in names():
        raise ChartmarkError(f"no preset {name!r}: choose from {', '.join(names())}")
    values = yaml.safe_load(read_text(path))
    for change in changes:
        _apply(values, change)
    try:
        return Preset.model_validate(values)
    except ValidationError as error:
        raise ChartmarkError(f"preset {name}: {explain(error)}") from None


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
    except yaml.YAMLError:
        raise ChartmarkError(f"--set {change}: {value!r} is not a value") from None
