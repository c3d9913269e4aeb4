"""Jobs: seen from their folder alone, whoever asks; killed ones are told from running ones."""

import json
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from core import jobs
from core.errors import ChartmarkError

SENTENCES = Path(__file__).parents[1] / "data" / "clinical_sentences.jsonl"


def wait(folder: Path, seconds: float = 60) -> jobs.Job:
    for _ in range(int(seconds * 10)):
        found = jobs.job(folder)
        if not found.running:
            return found
        time.sleep(0.1)
    raise AssertionError("it never ended")


def start(place: Path, data: str) -> jobs.Job:
    words = ["evaluate", "--model", "starter", "--data", data, "--db", str(place / "none.db")]
    return jobs.start(place / "jobs", "evaluation", "a try", words)


def test_a_job_runs_to_its_end_by_itself(tmp_path: Path) -> None:
    begun = start(tmp_path, str(SENTENCES))
    assert begun.running
    with pytest.raises(ChartmarkError, match="still running"):
        start(tmp_path, str(SENTENCES))
    ended = wait(begun.folder)
    assert (ended.state, ended.title, ended.kind) == ("finished", "a try", "evaluation")
    assert begun.folder.stat().st_mode & 0o077 == 0
    assert [j.folder for j in jobs.jobs(tmp_path / "jobs")] == [begun.folder]


def test_a_failure_is_told_in_its_own_words(tmp_path: Path) -> None:
    ended = wait(start(tmp_path, "/nowhere.jsonl").folder)
    assert ended.state == "failed"
    assert "/nowhere.jsonl" in ended.message


def test_a_killed_job_is_interrupted_and_a_stopped_one_stopped(tmp_path: Path) -> None:
    killed = start(tmp_path, str(SENTENCES))
    os.kill(json.loads((killed.folder / "job.json").read_text())["pid"], signal.SIGKILL)
    assert wait(killed.folder, 10).state == "interrupted"
    stopped = start(tmp_path, str(SENTENCES))
    time.sleep(2)
    jobs.stop(stopped.folder)
    assert wait(stopped.folder, 20).state == "stopped"


def test_a_job_that_is_stopped_before_it_can_hear_of_it_is_stopped(tmp_path: Path) -> None:
    begun = start(tmp_path, str(SENTENCES))
    jobs.stop(begun.folder)  # Python has not begun yet: the signal ends it where it stands
    assert wait(begun.folder, 20).state == "stopped"


def test_a_full_disk_keeps_no_job_from_being_stopped(tmp_path: Path) -> None:
    begun = start(tmp_path, str(SENTENCES))
    told = json.loads((begun.folder / "job.json").read_text())
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, unlimited[1]))  # every write fails (EFBIG)
    try:
        with pytest.raises((OSError, ChartmarkError)):
            jobs.stop(begun.folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert wait(begun.folder, 20).state in ("interrupted", "stopped")  # not: finished
    assert json.loads((begun.folder / "job.json").read_text()) == told


def test_another_process_of_the_same_number_is_not_it(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "x"
    folder.mkdir(parents=True)
    status = {"state": "running", "done": 0, "of": 0, "message": ""}
    (folder / "status.json").write_text(json.dumps(status))
    (folder / "job.json").write_text(
        json.dumps({"kind": "k", "title": "t", "pid": os.getpid(), "begun": 1.0})
    )
    assert jobs.job(folder).state == "interrupted"


def test_a_clock_that_is_set_makes_no_job_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process's beginning is told by the clock, which moves with it."""
    begun = start(tmp_path, str(SENTENCES))
    moved = jobs.psutil.boot_time() + 3600
    monkeypatch.setattr(jobs.psutil._pslinux, "boot_time", lambda: moved)
    monkeypatch.setattr(jobs.psutil, "boot_time", lambda: moved)
    assert jobs.job(begun.folder).running
    jobs.stop(begun.folder)
    assert wait(begun.folder, 20).state == "stopped"


def test_a_job_that_never_came_to_start_is_interrupted(tmp_path: Path) -> None:
    """It waited for ever, and all others for it."""
    folder = tmp_path / "run"
    folder.mkdir()
    status = folder / "status.json"
    status.write_text('{"state": "waiting", "done": 0, "of": 0, "message": ""}')
    assert jobs.job(folder).running  # it may be about to
    os.utime(status, (time.time() - 60,) * 2)
    assert jobs.job(folder).state == "interrupted"


def test_there_is_no_such_job(tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match="there is no job"):
        jobs.job(tmp_path)
    assert jobs.jobs(tmp_path / "none") == []
