"""One model of several that began from one another, by the mean of their weights (Wortsman et al. 2022,
arXiv:2203.05482): it reads as fast as each, and often better.

    python -m training.average RUN MODEL [MODEL …] --output FOLDER

RUN is a run's folder: its model is averaged with the others, then calibrated on the run's tuning
documents.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from core.errors import ChartmarkError
from core.extraction import device, hub, model_folder, models
from core.extraction.model_folder import OnePassConfig
from core.extraction.one_pass import OnePassExtractor
from training import one_pass
from training.calibrate import uncalibrated
from training.data import gather
from training.preset import OnePassPreset
from training.run import Config
from training.trainer import trained


def average(run: Path, others: Sequence[Path], output: Path) -> None:
    """Write output/model. Raises ChartmarkError if there is one already, if a model is none of the
    one-pass family, or is built otherwise than the run's."""
    config = Config.load(run)
    if not isinstance(config.values, OnePassPreset):
        raise ChartmarkError(f"{run} is not of the one-pass family; name a run that is")
    if (output / "model").exists():
        raise ChartmarkError(f"{output} has a model already; name another --output")
    own = _read(run / "model")
    network, tokenizer = model_folder.load_network(run / "model", own, trainable=True)
    weights = trained(network)
    for folder in others:
        theirs = _read(folder)
        more = trained(model_folder.load_network(folder, theirs, trainable=True)[0])
        alike = one_pass.built(theirs, theirs.labels) == one_pass.built(own, own.labels)
        if not alike or _shapes(more) != _shapes(weights):
            raise ChartmarkError(f"the model in {folder} is built otherwise than that of {run}")
        weights = {n: w + more[n] for n, w in weights.items()}
    count = 1 + len(others)
    network.load_state_dict({n: w / count for n, w in weights.items()}, strict=False)
    data = gather(config.values, config.mix, config.labels, run.name, config.who)
    reader = OnePassExtractor(
        network.to(device.pick()),
        tokenizer,
        config.labels,
        uncalibrated(config.labels),
        window=config.values.window,
        overlap=config.values.overlap,
    )
    one_pass.keep(reader, config.values, data, output, [run / "model", *others])


def _shapes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: w.shape for name, w in weights.items()}


def _read(folder: Path) -> OnePassConfig:
    config = model_folder.read_config(folder)
    if not isinstance(config, OnePassConfig):
        raise ChartmarkError(f"the model in {folder} is not of the one-pass family; name one that is")
    return config


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("run", type=Path)
    options.add_argument("models", nargs="+", help="names, runs' ids or folders")
    options.add_argument("--output", type=Path, required=True)
    args = options.parse_args()
    hub.settle(allowed=False)
    try:
        average(args.run, [models.folder(m) for m in args.models], args.output)
    except ChartmarkError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
