"""Labels without their texts: the exchange format with the text's SHA-256 and length in its place.

For those who may share labels and not notes. Only written: who has the texts finds them by the hash.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from core.document import Document, to_json
from core.files import atomic
from core.formats.format import PARTS, Format


def write(documents: Iterable[Document], path: Path, _: Counter[str]) -> None:
    with atomic(path) as out:
        for d in documents:
            record = json.loads(to_json(d))
            text = record.pop("text")
            record["text_sha256"] = hashlib.sha256(text.encode()).hexdigest()
            record["text_length"] = len(text)
            out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


FORMAT = Format(
    name="standoff",
    title="labels without texts (JSON Lines)",
    recognises=lambda *_: False,
    write=write,
    holds=PARTS,
    suffix=".standoff.jsonl",
)
