"""What reading in half precision costs: strict F1 of a one-pass model as it reads here, and in fp32.

    python bench/precision.py CORPORA [--model starter]

On the judge's half of the real notes, BC5CDR, MACCROBAT and PHEE dev, and 300 unseen synthetic notes:
entities / relations end-to-end, micro.
"""

import argparse
import copy
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.extraction import hub

hub.settle(allowed=False)

from core import scoring  # noqa: E402
from core.document import Document  # noqa: E402
from core.extraction import models  # noqa: E402
from core.extraction.one_pass import OnePassExtractor  # noqa: E402
from core.formats import passages  # noqa: E402
from core.formats.mapping import corpora  # noqa: E402
from training.synthetic.generate import HELD_OUT  # noqa: E402
from training.synthetic.notes import notes  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
JUDGE = ROOT / "tests" / "data" / "real_notes" / "judge.passages.jsonl"


def f1(reader: OnePassExtractor, documents: list[Document]) -> str:
    pairs = list(zip(documents, reader.extract([d.text for d in documents]), strict=True))
    entity = [scoring.entity_counts(d, a) for d, a in pairs]
    relation = [scoring.relation_counts(d, a, reader.schema.symmetric) for d, a in pairs]
    both = (scoring.summarise(c, samples=1)[scoring.MICRO].f1 for c in (entity, relation))
    return " / ".join(f"{x:.4f}" for x in both)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("corpora", type=Path)
    options.add_argument("--model", default="starter")
    args = options.parse_args()
    own = models.load(args.model)
    if not isinstance(own, OnePassExtractor):
        options.error("it measures one-pass models")
    plain = OnePassExtractor(
        copy.deepcopy(own.network).float(),
        own.tokenizer,
        own.schema,
        own.calibration,
        window=own.window,
        overlap=own.overlap,
    )
    sets = {"judge": list(passages.read(JUDGE, args.corpora))}
    for name in ("bc5cdr", "maccrobat2020", "phee"):
        sets[f"{name}/dev"] = list(corpora()[name].read(args.corpora, "dev", Counter()))
    sets["synthetic test"] = list(notes("test", 300, 0, held_out=HELD_OUT["test"]))
    dtype = str(next(own.network.backbone.parameters()).dtype).removeprefix("torch.")
    print(f"{'':18}{dtype:>18}{'float32':>18}")
    for name, documents in sets.items():
        print(f"{name:18}{f1(own, documents):>18}{f1(plain, documents):>18}", flush=True)


if __name__ == "__main__":
    main()
