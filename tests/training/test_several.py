"""Several processes train one model: `accelerate launch` before the command, nothing else changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from core.document import to_json

from .test_run import SCHEMA, note

ROOT = Path(__file__).resolve().parents[2]


def test_two_processes_share_the_notes_and_make_one_model(tmp_path: Path) -> None:
    notes = tmp_path / "notes.jsonl"
    notes.write_text("".join(to_json(note(n)) + "\n" for n in range(48)))
    labels = tmp_path / "labels.json"
    labels.write_text(SCHEMA.model_dump_json())
    done = subprocess.run(
        [
            sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
            "app.py", "train", "--preset", "cpu", "--data", notes, "--schema", labels,
            "--set", "corpora={}", "--set", "corrected=1",
            "--set", "schedule.epochs=2", "--set", "schedule.accumulate=1",
        ],
        cwd=ROOT, env={**os.environ, "CHARTMARK_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (tmp_path / "runs").glob("*-cpu")
    assert (folder / "model" / "model.json").is_file()
    assert json.loads((folder / "status.json").read_text())["state"] == "finished"
    figures = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    evaluated = [f for f in figures if "eval_f1" in f]
    assert len(evaluated) == 2  # once an epoch, not once a process
    kept = int((folder / "data.yaml").read_text().split("train: ")[1].split()[0])
    # Batches of 8 to each of two processes.
    assert evaluated[-1]["of"] == 2 * -(-kept // 16)
