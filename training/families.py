"""Which module trains which family."""

from pathlib import Path

from core.schema import Schema
from training import generative, one_pass
from training.data import Data
from training.preset import AnyPreset, OnePassPreset
from training.trainer import Log


def train(preset: AnyPreset, data: Data, schema: Schema, folder: Path, log: Log) -> None:
    """Train what the preset says, and save it in folder/model. Raises Stopped if asked to end."""
    if isinstance(preset, OnePassPreset):
        one_pass.train(preset, data, schema, folder, log)
    else:
        generative.train(preset, data, schema, folder, log)
