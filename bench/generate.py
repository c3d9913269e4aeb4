"""Words a second of a model that writes: our way beside transformers' plain `generate`.

    python bench/generate.py MODEL [--one-pass MODEL] [--notes 64] [--single 12] [--rounds 3]

MODEL is of the generative family. All sides are held to the same grammar and read the same unseen
synthetic notes in turns; plain is `generate`, one note at a time, without drafts. How many answers are
the same as plain's is told: in bf16 another batch adds in another order, so a few may differ. With a
one-pass model on the same backbone its speed stands beside them, and both models' strict F1.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.extraction import hub

hub.settle(allowed=False)

import torch  # noqa: E402
from transformers import GenerationConfig, LogitsProcessorList  # noqa: E402

from core import scoring  # noqa: E402
from core.document import Document  # noqa: E402
from core.extraction import Annotation, Extractor, generative, models, prompt  # noqa: E402
from core.extraction.generative import GenerativeExtractor  # noqa: E402
from core.extraction.grammar import Held  # noqa: E402
from core.extraction.writing import Answer  # noqa: E402
from training.synthetic.generate import HELD_OUT  # noqa: E402
from training.synthetic.notes import notes  # noqa: E402


@torch.inference_mode()
def plain(reader: GenerativeExtractor, texts: Sequence[str]) -> list[Annotation]:
    """Each note by itself: prompt, generate, read."""
    found = []
    for text in texts:
        read = prompt.tokens(text, reader.schema, reader.tokenizer)
        ids = torch.tensor([read], device=reader.model.device)
        width = len(read)
        held = Held(reader.tokenizer, [Answer(text, reader.schema)], width)
        most = generative.room(len(prompt.plain_tokens(text, reader.tokenizer)))
        settings = GenerationConfig(
            do_sample=False,
            max_new_tokens=most,
            pad_token_id=reader.tokenizer.eos_token_id,
            eos_token_id=reader.tokenizer.eos_token_id,
        )
        out = reader.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            logits_processor=LogitsProcessorList([held]),
            generation_config=settings,
        )
        found.append(held.answers(out[:, width:].tolist())[0].annotation())
    return found


def one_by_one(reader: Extractor, texts: Sequence[str]) -> list[Annotation]:
    return [a for t in texts for a in reader.extract([t])]


def speed(work: Callable[[], object], texts: Sequence[str]) -> float:
    """Words of notes a second: the notes that are read one at a time may be shorter than all."""
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return sum(len(t.split()) for t in texts) / (time.perf_counter() - began)


def f1(reader: Extractor, documents: Sequence[Document], found: Sequence[Annotation]) -> str:
    pairs = list(zip(documents, found, strict=True))
    entity = [scoring.entity_counts(d, a) for d, a in pairs]
    relation = [scoring.relation_counts(d, a, reader.schema.symmetric) for d, a in pairs]
    return " / ".join(f"{scoring.summarise(c)[scoring.MICRO].f1:.3f}" for c in (entity, relation))


def same(a: Sequence[Annotation], b: Sequence[Annotation]) -> str:
    return f"{sum(x == y for x, y in zip(a, b, strict=True))} of {len(a)} answers the same"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("model")
    options.add_argument("--one-pass", default="")
    options.add_argument("--notes", type=int, default=64)
    options.add_argument("--single", type=int, default=12, help="of them read one at a time")
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    reader = models.load(args.model)
    if not isinstance(reader, GenerativeExtractor):
        options.error("it measures models of the generative family")
    other = models.load(args.one_pass) if args.one_pass else None
    documents = list(notes("test", args.notes, 0, held_out=HELD_OUT["test"]))
    texts = [d.text for d in documents]
    few = texts[: args.single]

    for warm in (reader, other):
        if warm:
            warm.extract(few[:2])
    ways: dict[str, tuple[Callable[[], list[Annotation]], list[str]]] = {
        "plain, one at a time": (lambda: plain(reader, few), few),
        "ours, one at a time": (lambda: one_by_one(reader, few), few),
        "ours, batched": (lambda: reader.extract(texts), texts),
    }
    if other:
        ways["one-pass, one at a time"] = lambda: one_by_one(other, few), few
        ways["one-pass, batched"] = lambda: other.extract(texts), texts
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, list[Annotation]] = {}

    for _ in range(args.rounds):
        for name, (read, those) in ways.items():

            def work(name: str = name, read: Callable[[], list[Annotation]] = read) -> None:
                answers[name] = read()

            speeds[name].append(speed(work, those))

    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"{where}, {args.notes} notes ({args.single} of them one at a time), {args.rounds} rounds")
    base = statistics.median(speeds["plain, one at a time"])
    for name, found in speeds.items():
        median = statistics.median(found)
        print(f"{name:26}{median:9.1f} words/s{median / base:9.2f} times plain")
    first = answers["plain, one at a time"]
    print("one at a time:", same(first, answers["ours, one at a time"]))
    print("batched:", same(first, answers["ours, batched"][: len(first)]))
    unfinished = sum(a.unfinished for a in answers["ours, batched"])
    print(f"unfinished answers: {unfinished} of {len(texts)}")
    print("generative, strict entity / relation F1:", f1(reader, documents, answers["ours, batched"]))
    if other:
        print(
            "one-pass, strict entity / relation F1:", f1(other, documents, answers["one-pass, batched"])
        )


if __name__ == "__main__":
    main()
