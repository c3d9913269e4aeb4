"""The real app in a process of its own, as a user starts it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT


@contextmanager
def served(*options: str, log: Path) -> Iterator[tuple[str, int]]:
    """Start `python app.py` on a free port; gives its address and port, ends it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Never the annotations and runs of whoever runs the tests.
    database = () if "--db" in options else ("--db", str(log.with_name("annotations.db")))
    scheme = "https" if "--cert" in options else "http"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port), *database, *options],
            cwd=ROOT, stdout=out, stderr=out,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "CHARTMARK_RUNS": str(log.with_name("runs"))},
        )  # fmt: skip
    try:
        for _ in range(600):
            if "Chartmark is at" in log.read_text():
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"{scheme}://127.0.0.1:{port}", port
    finally:
        process.terminate()
        process.wait(20)
