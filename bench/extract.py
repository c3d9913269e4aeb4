"""Notes a second through the extractor, beside the bare forward pass of the same backbone.

    python bench/extract.py [--model starter] [--notes 64] [--words 112] [--rounds 5]

Both read the same notes of about 200 tokens in turns (A, B, A, B, …), so that what else the machine
does falls on both; the figure is the ratio of the medians. The bare pass gets the same token ids in
the same batches and does nothing else: no tokenizer, no heads, no decoding; once in fp32, as plain
PyTorch would, and once in the precision that the model reads in here. The floor is that pass's
arithmetic over what a large fp32 matrix product reaches on this machine in the same run.
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.extraction import hub

hub.settle(allowed=False)

import torch  # noqa: E402

from core.extraction import models  # noqa: E402
from core.extraction.one_pass import OnePassExtractor, batches, collate  # noqa: E402

EXAMPLES = Path(__file__).resolve().parents[1] / "ui" / "examples"


def notes(count: int, words: int) -> list[str]:
    """Notes of equal length cut from the app's examples, no two alike."""
    text = " ".join(p.read_text(encoding="utf-8") for p in sorted(EXAMPLES.glob("*.txt"))).split()
    return [" ".join((text * 3)[7 * i % len(text) :][:words]) for i in range(count)]


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def matmul_flops() -> float:
    """Floating-point operations a second of the best fp32 matrix product."""
    best = 0.0
    for n in (512, 1024, 2048, 4096):
        a, b = torch.randn(n, n), torch.randn(n, n)
        best = max(best, 2 * n**3 / min(seconds(partial(torch.matmul, a, b)) for _ in range(8)))
    return best


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="starter")
    options.add_argument("--notes", type=int, default=64)
    options.add_argument("--words", type=int, default=112)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()

    extractor = models.load(args.model)
    if not isinstance(extractor, OnePassExtractor):
        options.error("it measures one-pass models")
    texts = notes(args.notes, args.words)
    windows = [w for t in texts for w in extractor.split(t)]
    lengths = [len(w.tokens) for w in windows]
    packed = [
        collate([windows[i] for i in places], extractor.tokenizer.pad_token_id).to(extractor.device)
        for places in batches([w.cost for w in windows])
    ]
    backbone = extractor.network.backbone

    own = next(backbone.parameters()).dtype
    # One in 4 bits has no other precision.
    plain = backbone if any("4bit" in type(m).__name__ for m in backbone.modules()) else None
    as_plain = nullcontext if plain is None else extractor._precision
    plain = plain or copy.deepcopy(backbone).float()

    @torch.inference_mode()
    def bare(network: Any, precision: Callable[[], Any]) -> None:
        with precision():
            for b in packed:
                network(input_ids=b.tokens, attention_mask=b.mask)

    def whole() -> None:
        extractor.extract(texts)

    def one_by_one() -> None:
        for t in texts:
            extractor.extract([t])

    works: dict[str, Callable[[], None]] = {
        "bare, plain": partial(bare, plain, as_plain),
        f"bare, {own}".replace("torch.", ""): partial(bare, backbone, extractor._precision),
        "extract": whole,
        "extract, one at a time": one_by_one,
    }
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(args.rounds):
        for name, work in works.items():
            times[name].append(seconds(work))

    median = {name: statistics.median(t) for name, t in times.items()}
    print(
        f"{args.notes} notes, {sum(lengths) / len(texts):.0f} tokens each, {extractor.device}, "
        f"{torch.get_num_threads()} threads, {args.rounds} rounds in turns"
    )
    print(f"{'':24}{'notes/s':>9}{'ms/note':>9}{'words/s':>10}{'times plain':>13}")
    for name, t in median.items():
        print(
            f"{name:24}{len(texts) / t:9.1f}{t / len(texts) * 1000:9.1f}"
            f"{args.words * len(texts) / t:10.0f}{median['bare, plain'] / t:13.2f}"
        )
    # Two operations a weight and token, and in each layer two products of tokens by tokens by hidden.
    config: Any = backbone.config
    weights = sum(p.numel() for n, p in backbone.named_parameters() if "embeddings" not in n)
    attention = 4 * config.num_hidden_layers * config.hidden_size
    flops = sum(2 * weights * n + attention * n * n for n in lengths)
    if extractor.device.type == "cpu":
        floor = flops / matmul_flops()
        print(
            f"floor: {flops / len(texts) / 1e9:.2f} GFLOP a note, "
            f"{floor / len(texts) * 1000:.1f} ms at the matrix product's speed; plain takes "
            f"{median['bare, plain'] / floor:.2f} times that, extract {median['extract'] / floor:.2f}"
        )


if __name__ == "__main__":
    main()
