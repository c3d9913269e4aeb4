"""`kill -9` in the middle of saves: what was acknowledged is there, nothing is there by half."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.store import revisions
from core.store.connection import Store
from tests.conftest import ROOT

# Saves revision after revision and says so after each: what a page does, but without a pause.
SAVER = """
import sys
from pathlib import Path
from core.store import revisions
from core.store.connection import Store
from core.store.revisions import Save
from tests.core.store.conftest import added, note
store = Store(Path(sys.argv[1]))
key = added(store, note())
with store.reading() as db:
    last = revisions.newest(db, key, "ann")
number, base = (last.number, last.token) if last else (0, "")
print("ready", flush=True)
while True:
    d = note().model_copy(update={"revision": number + 1})
    made = revisions.save(store, Save(key, "ann", d, "complete", base, "s", number + 1), "ann")
    number, base = made.number, made.token
    print(number, flush=True)
"""


def killed_again_and_again(path: Path, times: int) -> None:
    chance = random.Random(0)
    acknowledged = 0
    for _ in range(times):
        saver = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert saver.stdout is not None
        assert saver.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.03))
        saver.send_signal(signal.SIGKILL)
        said = saver.stdout.read().split("\n")
        saver.wait()
        whole = [int(line) for line in said[:-1]]
        acknowledged = max([acknowledged, *whole])

        store = Store(path)
        assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found = revisions.history(store, 1)
        numbers = [r.number for r in found]
        assert numbers == list(range(1, len(numbers) + 1))
        # One more may be on the disk than was heard of.
        assert acknowledged <= len(numbers) <= acknowledged + 1
        acknowledged = len(numbers)
        assert [r.document.model_extra["revision"] for r in found] == numbers
        if found:
            rows = store.rows("SELECT DISTINCT revision FROM entities")
            assert rows == [{"revision": found[-1].id}]
            assert store.rows("SELECT gold FROM documents") == [{"gold": found[-1].id}]
        store.close()
    assert acknowledged > times  # it did save between the kills


@pytest.mark.timeout(120)
def test_killed_10_times(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path / "annotations.db", 10)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_killed_200_times(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path / "annotations.db", 200)
