"""Documents as `datasets` objects, for both families, made once for each content.

They are kept by the SHA-256 of the documents and of all that shapes the rows. They hold the notes,
so they lie with the runs, which only this user can read, and `clear` removes them.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, List, Value, disable_progress_bars, load_from_disk
from datasets.exceptions import DatasetGenerationError
from transformers import PreTrainedTokenizerBase

from core.document import Document, to_json
from core.errors import ChartmarkError
from core.extraction import prompt
from core.extraction.models import RUNS
from core.extraction.one_pass import OnePassExtractor
from core.extraction.windows import Window
from core.schema import Schema
from training import several
from training.examples import Example, Mention, examples

VERSION = 3
CACHE = RUNS / ".datasets"

_INTS = List(Value("int32"))
_WINDOWS = Features(
    {
        **dict.fromkeys(
            ("tokens", "shapes", "starts", "ends", "first", "last", "block", "own", "known"), _INTS
        ),
        **dict.fromkeys(("mention_start", "mention_end", "head", "tail"), _INTS),
        **dict.fromkeys(("mention_types", "mention_attributes", "pair_values"), List(_INTS)),
    }
)
_PAIRS = Features({"prompt": Value("string"), "pieces": List(Value("string"))})


def windows(documents: Sequence[Document], reader: OnePassExtractor) -> Dataset:
    """One-pass targets: a row for each window of each document. `example` reads a row."""
    settings = [reader.window, reader.overlap, reader.network.heads.max_width, _schema(reader.schema)]

    def rows() -> Iterator[dict[str, Any]]:
        for d in documents:
            yield from map(_row, examples(d, reader))

    return _cached("windows", documents, [*settings, _identity(reader.tokenizer)], rows, _WINDOWS)


def conversations(
    documents: Sequence[Document], schema: Schema, tokenizer: PreTrainedTokenizerBase
) -> Dataset:
    """Generative pairs: columns prompt and pieces, those of the answer and the tokenizer's end mark.

    Documents in which not everything was looked for are left out: an answer can't say "unknown".
    """
    documents = [d for d in documents if d.annotated is None]

    def rows() -> Iterator[dict[str, Any]]:
        for d in documents:
            yield {
                "prompt": prompt.prompt(d.text, schema, tokenizer),
                "pieces": [*prompt.answer(d, schema), tokenizer.eos_token or ""],
            }

    settings = [prompt.instruction(schema), _schema(schema), _identity(tokenizer)]
    return _cached("conversations", documents, settings, rows, _PAIRS)


def example(row: dict[str, Any]) -> Example:
    """A row of `windows` as the network's Example."""

    def ints(name: str) -> Any:
        return np.array(row[name], dtype=np.int64)

    mentions = (row[f"mention_{k}"] for k in ("start", "end", "types", "attributes"))
    return Example(
        window=Window(
            tokens=list(row["tokens"]),
            shapes=list(row["shapes"]),
            own=tuple(row["own"]),
            **{name: ints(name) for name in ("starts", "ends", "first", "last", "block")},
        ),
        known=tuple(row["known"]),
        mentions=tuple(Mention(s, e, tuple(t), tuple(a)) for s, e, t, a in zip(*mentions, strict=True)),
        pairs=tuple(
            (h, t, tuple(v))
            for h, t, v in zip(row["head"], row["tail"], row["pair_values"], strict=True)
        ),
    )


def clear() -> None:
    """Remove every dataset that was kept."""
    shutil.rmtree(CACHE, ignore_errors=True)


def _row(e: Example) -> dict[str, Any]:
    w = e.window
    return {
        "tokens": w.tokens,
        "shapes": w.shapes,
        **{name: getattr(w, name) for name in ("starts", "ends", "first", "last", "block")},
        "own": list(w.own),
        "known": list(e.known),
        "mention_start": [m.start for m in e.mentions],
        "mention_end": [m.end for m in e.mentions],
        "mention_types": [list(m.types) for m in e.mentions],
        "mention_attributes": [list(m.attributes) for m in e.mentions],
        "head": [h for h, _, _ in e.pairs],
        "tail": [t for _, t, _ in e.pairs],
        "pair_values": [list(v) for _, _, v in e.pairs],
    }


def _cached(
    kind: str,
    documents: Sequence[Document],
    settings: list[Any],
    rows: Callable[[], Iterator[dict[str, Any]]],
    features: Features,
) -> Dataset:
    digest = hashlib.sha256(json.dumps([VERSION, kind, settings], sort_keys=True).encode())
    for d in documents:
        digest.update(b"\n" + to_json(d).encode())
    key = digest.hexdigest()
    folder = CACHE / key
    with several.first_alone():
        _make(folder, rows, features, key)
    return load_from_disk(str(folder))


def _make(
    folder: Path, rows: Callable[[], Iterator[dict[str, Any]]], features: Features, key: str
) -> None:
    if not folder.exists():
        disable_progress_bars()
        try:
            CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as made:
                work = Path(made)
                new = Dataset.from_generator(
                    rows, features=features, cache_dir=str(work / "arrow"), fingerprint=key[:16]
                )
                new.save_to_disk(str(work / "whole"))
                if not folder.exists():  # another run may have made it meanwhile: the same rows
                    os.replace(work / "whole", folder)
        except (OSError, DatasetGenerationError) as error:
            # datasets says that something went wrong; what, is its cause.
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError):
                raise cause or error from None
            raise ChartmarkError(f"can't keep the dataset in {CACHE}: {cause.strerror}") from None


def _schema(schema: Schema) -> Any:
    return schema.model_dump(mode="json")


def _identity(tokenizer: PreTrainedTokenizerBase) -> str:
    """What decides how a text becomes tokens: vocabulary, merges, normaliser, chat template."""
    backend = tokenizer.backend_tokenizer.to_str()
    return hashlib.sha256(
        f"{backend}{tokenizer.chat_template}{tokenizer.eos_token}".encode()
    ).hexdigest()
