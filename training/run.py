"""A training run: a folder that says all of itself, whoever trains in it.

`config.yaml` is all that is needed to repeat it, `data.yaml` what it was trained on, `metrics.jsonl`
the figures as they came, `checkpoints/` where it can go on, `model/` what it made, `comparison.json`
how that does beside the model in use. It is a job (`core.jobs`), so `job.json`, `status.json` and
`log.txt` say how it stands.
"""

import errno
import json
import os
import platform
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import yaml
from filelock import FileLock

from core import jobs
from core.errors import ChartmarkError
from core.extraction import MODEL_FILE
from core.extraction.models import RUNS
from core.files import atomic
from core.jobs import Job
from core.schema import Schema
from core.version import code_version
from training import preset as presets
from training.data import Data, Mix, gather
from training.preset import AnyPreset

KIND = "training"
COMPARISON = "comparison.json"
_LIBRARIES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")


@dataclass(frozen=True, slots=True)
class Config:
    """config.yaml: what a run was asked to do. `who` asked; `against` is the model in use then."""

    preset: str
    values: AnyPreset
    labels: Schema
    mix: Mix
    who: str
    against: str

    def save(self, folder: Path) -> None:
        config = {
            "preset": self.preset,
            "values": self.values.model_dump(mode="json"),
            "schema": self.labels.model_dump(mode="json"),
            "mix": self.mix.as_dict(),
            "who": self.who,
            "against": self.against,
            "code": code_version(),
            "versions": {"python": platform.python_version(), **{n: version(n) for n in _LIBRARIES}},
        }
        with atomic(folder / "config.yaml") as out:
            yaml.safe_dump(config, out, sort_keys=False, allow_unicode=True)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises ChartmarkError if there is no run in the folder, or its configuration is damaged."""
        try:
            c = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
            return cls(
                c["preset"],
                presets.read(c["values"]),
                Schema.model_validate(c["schema"]),
                Mix.of(c["mix"]),
                c["who"],
                c["against"],
            )
        except FileNotFoundError:
            raise ChartmarkError(f"there is no run in {folder}") from None
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            raise ChartmarkError(f"{folder / 'config.yaml'} is damaged; start a new run") from None


def create(config: Config) -> Path:
    """A new run's folder, with its configuration; nothing runs yet."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        RUNS.mkdir(mode=0o700, exist_ok=True)
        for n in range(100):
            folder = RUNS / (f"{stamp}-{config.preset}" + (f"-{n}" if n else ""))
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            config.save(folder)
            return folder
    except OSError as error:
        raise ChartmarkError(f"can't make a run's folder in {RUNS}: {error.strerror}") from None
    raise ChartmarkError("too many runs begun in this second; try again")


def begin(folder: Path, title: str = "") -> Job:
    """Train in a process of its own, or go on where the run stopped; it waits for those begun earlier.

    Raises ChartmarkError if it is running, or has finished.
    """
    with FileLock(RUNS / ".begin.lock"):  # two that resume one run would train in one folder
        if (folder / "job.json").exists():
            job = jobs.job(folder)
            if job.running:
                raise ChartmarkError(f"{job.title} is running already")
            if job.state == "finished":
                raise ChartmarkError(f"{job.title} has finished; start a new run")
            title = title or job.title
        Config.load(folder)
        jobs.launch(folder, KIND, title or folder.name, ["train"])
    return jobs.job(folder)


def work(folder: Path, told: Callable[[int, int], None] = lambda *_: None) -> None:
    """Train in this process; `told` hears of steps done and steps in all.

    Raises ChartmarkError when it can't go on, SystemExit if it was stopped.
    """
    config = Config.load(folder)
    title = jobs.job(folder).title if (folder / "job.json").exists() else folder.name
    jobs.record(folder, KIND, title, os.getpid())
    with jobs.reporting(folder) as progress, _sentences(folder):
        jobs.wait_for_turn(folder)
        from training import several

        with several.first_alone():
            data = gather(config.values, config.mix, config.labels, folder.name, config.who)
        _freeze(folder, data)

        began = time.monotonic() - _spent(folder)
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as out:

            def log(figures: dict[str, Any]) -> None:
                record = {"seconds": round(time.monotonic() - began, 1), **figures}
                out.write(json.dumps(record) + "\n")
                out.flush()
                if of := figures.get("of"):
                    progress(figures["step"], of)
                    told(figures["step"], of)

            _train(folder, config, data, log)
        _compare(folder, config)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def help_with(folder: Path) -> None:
    """Train beside the process that does `work` on the folder, and write nothing."""
    from training import several

    config = Config.load(folder)
    with _sentences(folder):
        with several.first_alone():
            data = gather(config.values, config.mix, config.labels, folder.name, config.who)
        _train(folder, config, data, lambda _: None)


def _train(folder: Path, config: Config, data: Data, log: Callable[[dict[str, Any]], None]) -> None:
    """Train, unless the run has its model: then it was ended while that was compared."""
    from training import families
    from training.trainer import Stopped

    if (folder / "model" / MODEL_FILE).exists():
        return
    try:
        families.train(config.values, data, config.labels, folder, log)
    except Stopped:
        raise SystemExit(143) from None


def _freeze(folder: Path, data: Data) -> None:
    """Put down what the run trains on. Raises ChartmarkError if it began with other data."""
    path, digest = folder / "data.yaml", data.fingerprint()
    if path.exists():
        if yaml.safe_load(path.read_text(encoding="utf-8"))["train_sha256"] != digest:
            raise ChartmarkError("the data have changed since this run began; start a new run")
        return
    frozen = {
        "train": len({d.id for d in data.train}),
        "tune": len(data.tune),
        "train_sha256": digest,
        "gold revisions": data.revisions,
        "not used": dict(sorted(data.report.items())),
    }
    with atomic(path) as out:
        yaml.safe_dump(frozen, out, sort_keys=False, allow_unicode=True)


def _spent(folder: Path) -> float:
    """Seconds that the run has trained for already."""
    return max((m["seconds"] for m in metrics(folder)), default=0.0)


def _compare(folder: Path, config: Config) -> None:
    """Score the new model and the one in use on the corrected notes that no run trains on."""
    from core.evaluation.evaluate import evaluate
    from core.evaluation.versus import versus
    from core.store import evaluations
    from core.store.connection import existing

    db = config.mix.database
    if db is None:
        return
    try:
        reports = [
            evaluate(model, "dev", None, db, allow_overlap=True)
            for model in dict.fromkeys((config.against, folder.name))
        ]
        for report in reports:
            evaluations.add(existing(db), report, config.who)
    except ChartmarkError as error:
        found: dict[str, Any] = {"lines": [f"not compared with the model in use: {error}"]}
    else:
        old, new = reports[0], reports[-1]
        found = {
            "against": old.model,
            "documents": new.documents,
            "new": {k: asdict(s) for k, s in new.micro.items()},
            "old": {k: asdict(s) for k, s in old.micro.items()},
            "lines": list(versus(old, new).lines()),
        }
    with atomic(folder / COMPARISON) as out:
        json.dump(found, out)


class _sentences:
    """What can go wrong anywhere in training, as a sentence that says what to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None or isinstance(error, ChartmarkError):
            return
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ChartmarkError(
                f"the disk of {self.folder} is full; free some space, then resume the run"
            ) from None
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            raise ChartmarkError(
                "the memory was not enough; start again with a smaller schedule.batch and a larger "
                "schedule.accumulate, or a smaller window"
            ) from None
        if isinstance(error, RuntimeError) and "not enough memory" in str(error):
            raise ChartmarkError(
                "the memory was not enough; start again with a smaller batch"
            ) from None


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The figures of a run so far; a line that is being written is left out."""
    try:
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def comparison(folder: Path) -> dict[str, Any] | None:
    """How the run's model does beside the one that was in use, when that is known."""
    try:
        found: dict[str, Any] = json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found


def find(name: str) -> Path:
    """A run's folder by its id. Raises ChartmarkError if there is none."""
    folder = RUNS / name
    if Path(name).name != name or name == ".." or not (folder / "config.yaml").is_file():
        known = ", ".join(j.folder.name for j in runs()[:5]) or "none yet"
        raise ChartmarkError(f"no run of this name; the newest are: {known}")
    return folder


def runs() -> list[Job]:
    """Every run, the newest first."""
    return [j for j in jobs.jobs(RUNS) if (j.folder / "config.yaml").is_file()]


def active() -> Job | None:
    """The run that is training now, or that waits to, if there is one."""
    living = [j for j in runs() if j.running]
    return min(living, key=lambda j: j.begun, default=None)


def delete(name: str) -> None:
    """Remove a run and the model that it made. Raises ChartmarkError while it runs."""
    folder = find(name)
    if jobs.job(folder).running:
        raise ChartmarkError("stop the run before you delete it")
    shutil.rmtree(folder)


def export(name: str, target: Path) -> None:
    """A run as a zip: configuration, figures, model; no text of any note is in them."""
    folder = find(name)
    if not (folder / "model" / "model.json").is_file():
        raise ChartmarkError("this run has made no model yet")
    with tempfile.TemporaryDirectory(dir=target.parent) as partial:
        with zipfile.ZipFile(Path(partial) / target.name, "w", zipfile.ZIP_DEFLATED) as out:
            for path in _exported(folder):
                out.write(path, path.relative_to(folder))
        os.replace(Path(partial) / target.name, target)


def _exported(folder: Path) -> Iterator[Path]:
    for name in ("config.yaml", "data.yaml", "metrics.jsonl", COMPARISON):
        if (folder / name).exists():
            yield folder / name
    yield from sorted(p for p in (folder / "model").iterdir() if p.is_file())
