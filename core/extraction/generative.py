"""The generative extractor: a language model writes what it reads in a note, held to the grammar of
`core/extraction/writing.py`, which says where each mention is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import GenerationConfig, LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase

from core.document import Document, Entity, Relation
from core.extraction import Annotation, prompt
from core.extraction.grammar import Held
from core.extraction.one_pass import batches
from core.extraction.windows import split_windows
from core.extraction.writing import Answer, Mention
from core.schema import Schema

# What keys and values of one batch's prompts and answers take at the most: it fits a 16 GB card beside
# a 7 B model in 4 bits.
BYTES_A_BATCH = 5 * 2**30
# An answer is longer than its note where most words are in mentions: of 500 synthetic notes' answers,
# with SmolLM2's tokens, twice as long in the mean and 5.7 times at the most; of long lists of denied
# symptoms nearly nine times.
ANSWER = 9
# Tokens that prompt lookup offers at a time (Saxena 2023).
LOOKUP = 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text that is read by itself: where it begins, and from where to where mentions that
    begin there are its own to report (offsets in the whole text)."""

    text: str
    start: int
    own: tuple[int, int]


def room(tokens: int) -> int:
    """How many tokens the answer about a text of so many may have."""
    return ANSWER * tokens + 32


def stretches(
    text: str, tokenizer: PreTrainedTokenizerBase, window: int, overlap: int
) -> Iterator[Stretch]:
    """The stretches of a text, of at most `window` tokens, neighbours sharing about `overlap`."""
    coded = tokenizer(
        text,
        add_special_tokens=False,
        return_offsets_mapping=True,
        split_special_tokens=True,
        verbose=False,
    )
    ids, offsets = coded["input_ids"], coded["offset_mapping"]
    windows = list(split_windows(text, ids, offsets, ([], []), window, overlap))
    for i, w in enumerate(windows):
        first, last = i == 0, i == len(windows) - 1
        # A mention may begin or end in a blank, also in one around the note; there may be a million.
        start = max(int(w.starts[0]) - 1, 0) if first else int(w.starts[0])
        end = min(int(w.ends[-1]) + 1, len(text)) if last else int(w.ends[-1])
        own = start if first else int(w.starts[w.own[0]]), end if last else int(w.starts[w.own[1]])
        yield Stretch(text[start:end], start, own)


class GenerativeExtractor:
    """Reads notes by having a language model write about them. It gives no scores: thresholds change
    nothing. Stretches of at most `window` tokens are read by themselves."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        schema: Schema,
        *,
        window: int,
        overlap: int,
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.schema = schema
        self.window = window
        self.overlap = overlap

    def extract(
        self,
        texts: Sequence[str],
        threshold: float | None = None,  # noqa: ARG002
    ) -> list[Annotation]:
        parts = [(n, part) for n, text in enumerate(texts) for part in self._stretches(text)]
        answers = self._written([(Answer(p.text, self.schema), []) for _, p in parts])
        found: list[list[tuple[Annotation, Stretch]]] = [[] for _ in texts]
        for (n, part), answer in zip(parts, answers, strict=True):
            found[n].append((answer.annotation(), part))
        return [_merged(part, self.schema.symmetric) for part in found]

    def relate(
        self,
        texts: Sequence[str],
        mentions: Sequence[Sequence[Entity]],
        threshold: float | None = None,  # noqa: ARG002
    ) -> list[Annotation]:
        """Relations between mentions that are given: the model goes on from an answer that has them.

        Two that lie in no stretch together are in no relation.
        """
        begun, given = [], []
        for n, (text, entities) in enumerate(zip(texts, mentions, strict=True)):
            whole = Document(id="note", text=text, entities=tuple(entities), relations=())
            for stretch in self._stretches(text):
                d = whole.part(stretch.start, stretch.start + len(stretch.text))
                order = sorted(d.entities, key=lambda e: (e.start, -e.end))
                if len(order) < 2:
                    continue
                told = tuple(Mention(e.start, e.end, e.type, ()) for e in order)
                answer = Answer(d.text, self.schema, mentions=told, stage="relations")
                given.append((n, [e.id for e in order]))
                begun.append((answer, prompt.answer(d, self.schema)[:-1]))
        said: list[dict[tuple[str, str, str], None]] = [{} for _ in texts]
        ended = [True] * len(texts)
        for (n, ids), answer in zip(given, self._written(begun), strict=True):
            ended[n] = ended[n] and answer.whole
            for h, name, t in answer.relations:
                ends = ids[h], ids[t]
                head, tail = sorted(ends) if name in self.schema.symmetric else ends
                if h != t:
                    said[n][head, tail, name] = None
        return [
            Annotation(
                entities=tuple(entities),
                relations=tuple(Relation(head=h, tail=t, type=name) for h, t, name in said[n]),
                unfinished=not ended[n],
            )
            for n, entities in enumerate(mentions)
        ]

    def _stretches(self, text: str) -> Iterator[Stretch]:
        return stretches(text, self.tokenizer, self.window, self.overlap)

    @torch.inference_mode()
    def _written(self, begun: Sequence[tuple[Answer, list[str]]]) -> list[Answer]:
        """Answers, each gone on with to its end or to the most that it may take, from what is there of
        it and the pieces that say so."""
        inputs = [self._input(a.text, told) for a, told in begun]
        most = [room(len(prompt.plain_tokens(a.text, self.tokenizer))) for a, _ in begun]
        out = [a for a, _ in begun]
        end = self.tokenizer.eos_token_id
        pad = end if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        where = self.model.device
        lengths = [len(i) + m for i, m in zip(inputs, most, strict=True)]
        for places in batches(lengths, BYTES_A_BATCH // self._bytes_a_token()):
            width = max(len(inputs[i]) for i in places)
            gaps = [width - len(inputs[i]) for i in places]
            rows = [[pad] * gap + inputs[i] for gap, i in zip(gaps, places, strict=True)]
            held = Held(self.tokenizer, [out[i] for i in places], width)
            written = self.model.generate(
                input_ids=torch.tensor(rows, device=where),
                attention_mask=torch.tensor([[0] * g + [1] * (width - g) for g in gaps], device=where),
                logits_processor=LogitsProcessorList([held]),
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=max(most[i] for i in places),
                    pad_token_id=pad,
                    eos_token_id=end,
                    # Drafts can be offered to one note at a time only.
                    prompt_lookup_num_tokens=LOOKUP if len(places) == 1 else None,
                ),
            )
            # No note's answer goes further than it may because of others in its batch.
            told = [row[: most[i]] for i, row in zip(places, written[:, width:].tolist(), strict=True)]
            for i, answer in zip(places, held.answers(told), strict=True):
                out[i] = answer
        return out

    def _bytes_a_token(self) -> int:
        """Of keys and values, in all layers."""
        c = self.model.config
        heads = getattr(c, "num_key_value_heads", None) or c.num_attention_heads
        width = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
        return int(2 * c.num_hidden_layers * heads * width * self.model.dtype.itemsize)

    def _input(self, text: str, told: list[str]) -> list[int]:
        """The prompt's tokens, and those of the pieces of the answer that are there."""
        ids = prompt.tokens(text, self.schema, self.tokenizer)
        return [*ids, *(i for piece in told for i in prompt.plain_tokens(piece, self.tokenizer))]


def _merged(parts: list[tuple[Annotation, Stretch]], symmetric: frozenset[str]) -> Annotation:
    """One note from its stretches: each reports the mentions that begin in what is its own."""
    entities: dict[tuple[int, int, str], Entity] = {}
    for a, part in parts:
        for e in a.entities:
            if part.own[0] <= e.start + part.start < part.own[1]:
                moved = e.moved(part.start)
                entities[moved.start, moved.end, moved.type] = moved
    ids = {key: f"T{i}" for i, key in enumerate(sorted(entities), start=1)}
    relations: dict[tuple[str, str, str], None] = {}
    for a, part in parts:
        by = part.start
        here = {e.id: ids.get((e.start + by, e.end + by, e.type)) for e in a.entities}
        for r in a.relations:
            head, tail = here[r.head], here[r.tail]
            if head and tail and head != tail:
                if r.type in symmetric:
                    head, tail = sorted((head, tail))
                relations[head, tail, r.type] = None
    return Annotation(
        entities=tuple(entities[key].model_copy(update={"id": name}) for key, name in ids.items()),
        relations=tuple(Relation(head=h, tail=t, type=name) for h, t, name in relations),
        unfinished=any(a.unfinished for a, _ in parts),
    )
