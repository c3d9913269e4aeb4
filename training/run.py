"""A training run: a folder with config.yaml, metrics.jsonl, status.json and, in the end, model/."""

import json
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from core.errors import ChartmarkError
from core.extraction.model_folder import ModelConfig
from core.extraction.models import RUNS
from core.files import atomic
from core.schema import Schema
from core.store.connection import existing
from core.store.revisions import LOCAL
from core.store.runs import record_run
from training.data import Data, gather
from training.preset import Preset


def start(name: str, preset: Preset, sources: Sequence[Path], schema: Schema) -> Path:
    """Train in this process and return the run's folder.

    Raises ChartmarkError, with the run marked failed, when it can't go on.
    """
    folder = _new_folder(name)
    _status(folder, "running")
    try:
        data = gather(preset, sources, schema)
        _write_config(folder, name, preset, sources, data, schema)
        for source in (s for s in sources if s.suffix == ".db"):
            names = [d.id for d in (*data.train, *data.tune)]
            record_run(existing(source), folder.name, name, names, LOCAL)
        _train(preset, data, schema, folder)
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        known = isinstance(error, ChartmarkError)
        reason = str(error) if known else type(error).__name__
        _status(folder, "stopped" if stopped else "failed", reason)
        raise
    _status(folder, "finished")
    return folder


def _train(preset: Preset, data: Data, schema: Schema, folder: Path) -> ModelConfig:
    from training import one_pass  # imports torch, which reading the data can do without

    began = time.monotonic()
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as out:

        def log(figures: dict[str, Any]) -> None:
            record = {"seconds": round(time.monotonic() - began, 1), **figures}
            out.write(json.dumps(record) + "\n")
            out.flush()

        return one_pass.train(preset, data, schema, folder, log)


def _new_folder(name: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = RUNS / f"{stamp}-{name}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ChartmarkError(f"can't make the run's folder {folder}: {error.strerror}") from None
    return folder


def _status(folder: Path, state: str, message: str = "") -> None:
    with atomic(folder / "status.json") as out:
        json.dump({"state": state, "message": message, "at": datetime.now(UTC).isoformat()}, out)


def _write_config(
    folder: Path, name: str, preset: Preset, sources: Sequence[Path], data: Data, schema: Schema
) -> None:
    libraries = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")
    config = {
        "preset": name,
        "values": preset.model_dump(mode="json"),
        "schema": schema.model_dump(mode="json"),
        "data": [str(s) for s in sources],
        "documents": {
            "train": len({d.id for d in data.train}),
            "tune": len(data.tune),
            "train_sha256": data.fingerprint(),
        },
        "not used": dict(sorted(data.report.items())),
        "versions": {"python": platform.python_version(), **{n: version(n) for n in libraries}},
    }
    with atomic(folder / "config.yaml") as out:
        yaml.safe_dump(config, out, sort_keys=False, allow_unicode=True)
