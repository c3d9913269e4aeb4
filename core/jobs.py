"""Long work in processes of their own: it outlives a reload of the page and the server itself.

A job is a folder: `job.json` (what runs), `status.json` (how far it is, replaced whole), `log.txt`. The
folder is the truth: who wants to know reads it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from core.errors import ChartmarkError
from core.files import atomic
from core.version import ROOT

_LOG, _JOB, _STATUS = "log.txt", "job.json", "status.json"
_LIVING = ("running", "waiting")
KEPT = 50  # folders of jobs that ended
_STARTING = 30.0  # seconds in which a process is surely started


@dataclass(frozen=True, slots=True)
class Job:
    """How a job stands. `state`: waiting (for another to end), running, finished, failed, stopped, or
    interrupted (killed)."""

    folder: Path
    kind: str
    title: str
    state: str
    done: int
    of: int
    message: str
    begun: float

    @property
    def running(self) -> bool:
        """Whether its process lives: at work, or waiting for its turn."""
        return self.state in _LIVING


def home(database: Path) -> Path:
    """Where the jobs of those who work with a database are: a folder beside it."""
    return database.with_name(f"{database.name}.jobs")


def start(place: Path, kind: str, title: str, words: Sequence[str]) -> Job:
    """Run `python app.py WORDS --job FOLDER` by itself, the folder in `place`, one of a kind at a time.

    Raises ChartmarkError if one is running.
    """
    place.mkdir(mode=0o700, exist_ok=True)
    try:
        with FileLock(place / ".start.lock", timeout=10):
            running = next((j for j in jobs(place, kind) if j.running), None)
            if running:
                raise ChartmarkError(f"{running.title} is still running; wait for it, or stop it")
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
            folder = place / f"{stamp}-{kind}"
            folder.mkdir(mode=0o700)
            launch(folder, kind, title, words)
    except Timeout:
        raise ChartmarkError("another job is being started; try again") from None
    _forget(place)
    return job(folder)


def launch(folder: Path, kind: str, title: str, words: Sequence[str]) -> None:
    """Run `python app.py WORDS --job FOLDER` by itself; the folder is there already."""
    _set(folder, state="waiting", done=0, of=0, message="")
    with (folder / _LOG).open("a") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "app.py", *words, "--job", str(folder)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    record(folder, kind, title, process.pid)
    # So that it leaves no zombie behind, whose pid would pass for a living one.
    _children.append(process)


def record(folder: Path, kind: str, title: str, pid: int) -> None:
    """Say which process does a job."""
    begun = _begun(psutil.Process(pid))
    with atomic(folder / _JOB) as out:
        json.dump({"kind": kind, "title": title, "pid": pid, "begun": begun}, out)


def rename(folder: Path, title: str) -> None:
    """Give a job another title."""
    written = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    with atomic(folder / _JOB) as out:
        json.dump({**written, "title": title}, out)


_children: list["subprocess.Popen[bytes]"] = []


def jobs(place: Path, kind: str = "") -> list[Job]:
    """All jobs (of a kind), the newest first."""
    folders = sorted((p.parent for p in place.glob(f"*/{_STATUS}")), reverse=True)
    return [j for j in map(job, folders) if kind in ("", j.kind)]


def job(folder: Path) -> Job:
    """How a job stands. Raises ChartmarkError if there is none."""
    for child in list(_children):
        if child.poll() is not None:
            _children.remove(child)
    try:
        status = json.loads((folder / _STATUS).read_text(encoding="utf-8"))
        # Not there yet for an instant, while it is being started.
        written = (folder / _JOB).read_text(encoding="utf-8") if (folder / _JOB).exists() else "{}"
        told = json.loads(written)
    except (OSError, ValueError):
        raise ChartmarkError(f"there is no job in {folder}") from None
    state = status["state"]
    if state in _LIVING and not told and time.time() - (folder / _STATUS).stat().st_mtime > _STARTING:
        state = "interrupted"  # whoever started it came no further
    if state in _LIVING and told and not _alive(told["pid"], told["begun"]):
        # It may have ended between the two readings.
        state = json.loads((folder / _STATUS).read_text(encoding="utf-8"))["state"]
        if state in _LIVING:  # one that was ended before it could say so
            state = "stopped" if told.get("stop") else "interrupted"
    return Job(
        folder, told.get("kind", ""), told.get("title", ""), state,
        status["done"], status["of"], status["message"], told.get("begun", 0.0),
    )  # fmt: skip


def stop(folder: Path) -> None:
    """End a job: SIGTERM to its process, which ends those that it started. What it had finished is
    kept."""
    told = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    if _alive(told["pid"], told["begun"]):
        try:
            # For one that ends before it can say how: Python may not have begun yet.
            with atomic(folder / _JOB) as out:
                json.dump({**told, "stop": True}, out)
        finally:  # on a full disk, too
            with suppress(ProcessLookupError):
                os.kill(told["pid"], signal.SIGTERM)


def wait_for_turn(folder: Path) -> None:
    """Within a job's process: wait until no job of its place is at work, nor waits since before."""
    mine = _begun(psutil.Process()), folder.name
    while True:
        with FileLock(folder.parent / ".turn.lock"):
            others = [j for j in jobs(folder.parent) if j.running and j.folder != folder]
            if not any(j.state == "running" or (j.begun, j.folder.name) < mine for j in others):
                _set(folder, state="running", done=0, of=0, message="")
                return
            _set(folder, state="waiting", done=0, of=0, message="")
        time.sleep(1)


@contextmanager
def reporting(folder: Path | None) -> Iterator[Callable[[int, int], None]]:
    """Within the job's process: tells its folder how far it is, and how it ended."""
    last = [0.0]

    def progress(done: int, of: int) -> None:
        if folder and (time.monotonic() - last[0] > 0.2 or done == of):
            last[0] = time.monotonic()
            _set(folder, state="running", done=done, of=of, message="")

    try:
        yield progress
    except BaseException as error:
        if folder:
            known = str(error) if isinstance(error, ChartmarkError) else type(error).__name__
            ended = isinstance(error, SystemExit | KeyboardInterrupt)
            state, message = ("stopped", "") if ended else ("failed", known)
            _set(folder, state=state, done=0, of=0, message=message)
        raise
    if folder:
        _set(folder, state="finished", done=1, of=1, message="")


def _set(folder: Path, **status: object) -> None:
    with atomic(folder / _STATUS) as out:
        json.dump(status, out)


def _alive(pid: int, begun: float) -> bool:
    """Whether that very process lives: pids are used again."""
    try:
        process = psutil.Process(pid)
        same = abs(_begun(process) - begun) < 0.02
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _begun(process: psutil.Process) -> float:
    """Seconds from the machine's start to the process's: a clock that is set changes neither."""
    return float(process.create_time() - psutil.boot_time())


def _forget(place: Path) -> None:
    """Remove the folders of the oldest jobs that ended."""
    for old in [j for j in jobs(place) if not j.running][KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
