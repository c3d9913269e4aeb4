"""Training steps of the one-pass family on this CPU: what bf16 and undropped attention bring.

    python bench/steps.py [--rounds 3]

Forward, backward and update over batches of like length of the generator's notes, short ones and
several joined into long ones; all ways in turns, in one run. Tokens a second are useful ones, without
padding.
"""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.extraction import hub

hub.settle(allowed=False)

import torch  # noqa: E402

from core.extraction import model_folder, models  # noqa: E402
from core.extraction.model_folder import OnePassConfig  # noqa: E402
from core.extraction.one_pass import OnePassExtractor  # noqa: E402
from training import dataset  # noqa: E402
from training.calibrate import uncalibrated  # noqa: E402
from training.examples import batch  # noqa: E402
from training.loss import loss  # noqa: E402
from training.synthetic.notes import notes  # noqa: E402
from training.weak import stitched  # noqa: E402

BATCH, BATCHES = 16, 4
# Rows: computes in, probability of dropping attention (BERT's own is 0.1).
WAYS = {
    "fp32, attention dropped": (torch.float32, 0.1),
    "fp32": (torch.float32, 0.0),
    "bf16, attention dropped": (torch.bfloat16, 0.1),
    "bf16 (ours, where it is no emulation)": (torch.bfloat16, 0.0),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    folder = models.folder("starter")
    config = model_folder.read_config(folder)
    assert isinstance(config, OnePassConfig)
    network, tokenizer = model_folder.load_network(folder, config, trainable=True)
    reader = OnePassExtractor(
        network, tokenizer, config.labels, uncalibrated(config.labels), window=512, overlap=128
    )
    network.train()
    weights = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-5)

    def step(rows: list[dict[str, object]], dtype: torch.dtype) -> None:
        read, labels = batch(
            [dataset.example(row) for row in rows], config.labels, tokenizer.pad_token_id
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            found = loss(network, read, labels)
        found.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    made = list(notes("train", BATCH * BATCHES * 3, 1, held_out=False))
    for title, documents in (("short", made), ("long", stitched(made, 3, 0))):
        rows = list(dataset.windows(documents, reader))
        rows.sort(key=lambda row: len(row["tokens"]))
        batches = [rows[i : i + BATCH] for i in range(0, len(rows) - BATCH + 1, BATCH)]
        batches = random.Random(0).sample(batches, min(BATCHES, len(batches)))
        tokens = sum(len(row["tokens"]) for b in batches for row in b)
        speeds: dict[str, list[float]] = {way: [] for way in WAYS}
        for turn in range(args.rounds + 1):
            for way, (dtype, dropped) in WAYS.items():
                for module in network.backbone.modules():
                    if type(module).__name__.endswith("SelfAttention"):
                        module.dropout.p = dropped  # type: ignore[union-attr]
                began = time.perf_counter()
                for b in batches:
                    step(b, dtype)
                if turn:  # the first warms up
                    speeds[way].append(tokens / (time.perf_counter() - began))
        first = statistics.median(speeds[next(iter(WAYS))])
        print(f"{title}: {tokens / len(batches) / BATCH:.0f} tokens a window, batches of {BATCH}")
        for way, found in speeds.items():
            speed = statistics.median(found)
            print(f"  {way:40}{speed:7.0f} tokens/s{speed / first:7.2f}")


if __name__ == "__main__":
    main()
