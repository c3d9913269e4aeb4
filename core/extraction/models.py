"""Models by id: what there is, and the one in memory, loaded on first use and shared by all.

torch and transformers take seconds to import: they are, when the first model is loaded.
"""

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ChartmarkError
from core.extraction import MODEL_FILE, device, hub

if TYPE_CHECKING:
    import torch

    from core.extraction import Extractor

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models"
# Runs hold notes' labels and grow: a site may want them on another disk.
RUNS = Path(os.environ.get("CHARTMARK_RUNS", ROOT / "runs"))
LONGEST_ID = 200


def available() -> list[str]:
    """Ids of the models that ship and of those that runs made, newest run first."""
    shipped = sorted(p.parent.name for p in SHIPPED.glob(f"*/{MODEL_FILE}"))
    runs = sorted((p.parent.parent for p in RUNS.glob(f"*/model/{MODEL_FILE}")), reverse=True)
    return [*shipped, *(run.name for run in runs)]


def folder(model: str) -> Path:
    """Where a model is, by the name of one that ships, of a run, or by its folder.

    With the hub allowed (`--allow-hub`), a hub id such as 'group/model' is fetched.
    Raises ChartmarkError if there is none of these.
    """
    # What is pasted into the wrong box may be a note: it must not come back in an error.
    if not model or not model.isprintable() or len(model) > LONGEST_ID:
        raise ChartmarkError("no model chosen; pick one from the list")
    for place in (SHIPPED / model, RUNS / model / "model", Path(model)):
        try:
            if (place / MODEL_FILE).is_file():
                return place
        except OSError:
            raise ChartmarkError("that model's folder can't be read; pick another") from None
    if hub.holds(model):
        place = hub.fetch(model)
        if (place / MODEL_FILE).is_file():
            return place
    known = ", ".join(available()) or "none yet"
    raise ChartmarkError(f"no model {model!r}: expected a folder with model.json, or one of: {known}")


def load(model: str, where: "torch.device | None" = None) -> "Extractor":
    """A model by id, on the device that this machine has, or on another."""
    from core.extraction import model_folder

    return model_folder.load(folder(model), where or device.pick())


class Shelf:
    """Room for one loaded model: asked for again it is there at once, another takes its place.

    While `busy`, somebody else has the GPU: the model is on the CPU.
    """

    def __init__(self, busy: Callable[[], bool] = lambda: False) -> None:
        self._lock = threading.Lock()
        self._busy = busy
        self._key: tuple[Path, int, str] | None = None
        self._extractor: Extractor | None = None

    def take(self, model: str) -> "Extractor":
        """The loaded model. A model whose files have changed is loaded again."""
        from core.extraction import model_folder

        place = folder(model).resolve()
        with self._lock:
            where = device.cpu() if self._busy() else device.pick()
            key = place, (place / MODEL_FILE).stat().st_mtime_ns, where.type
            if self._extractor is None or self._key != key:
                self._forget()
                self._extractor = model_folder.load(place, where)
                self._key = key
            return self._extractor

    def release(self) -> None:
        """Forget the model, so that its memory can be used for another; one that is being loaded is
        waited for."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._extractor = self._key = None
        gc.collect()
        device.empty_cache()
