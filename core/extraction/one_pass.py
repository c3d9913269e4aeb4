"""The one-pass extractor: notes in, mentions and relations out, one forward pass a window."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from core.document import Entity, Relation
from core.extraction import Annotation
from core.extraction.backbone import special_tokens
from core.extraction.network import Batch, OnePass, States
from core.extraction.windows import Window, split_windows
from core.schema import Schema

# Padded tokens in one forward pass: large enough to keep 2 cores or a GPU busy, small enough that
# span scores stay under 100 MB.
TOKENS_A_BATCH = 4096
# A low threshold makes hundreds of mentions in a window, and their pairs are the square of that.
PAIRS_AT_ONCE = 16384


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on documents kept out of training: scores are divided by the temperatures, and a label
    is reported above its threshold. A label without a threshold is switched off."""

    span_temperature: float
    pair_temperature: float
    entities: dict[str, float]
    relations: dict[str, float]
    attributes: tuple[str, ...]


@dataclass(slots=True)
class _Mention:
    window: int
    start: int  # words, both inclusive
    end: int
    kind: int
    score: float
    attributes: dict[str, str]


class OnePassExtractor:
    """Reads notes with a loaded network. Safe to share between threads: nothing in it changes."""

    def __init__(
        self,
        network: OnePass,
        tokenizer: PreTrainedTokenizerBase,
        schema: Schema,
        calibration: Calibration,
        *,
        window: int,
        overlap: int,
    ) -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.schema = schema
        self.calibration = calibration
        self.window = window
        self.overlap = overlap
        self.special = special_tokens(tokenizer)
        first = next(network.parameters())
        self.device = first.device
        # The heads compute as the backbone does, if that is in half precision.
        self._precision = partial(
            torch.autocast, first.device.type, torch.bfloat16, enabled=first.dtype == torch.bfloat16
        )
        names = schema.entity_names
        self._allowed = torch.tensor(
            [
                [[r in schema.allowed(h, t) for r in schema.relation_names] for t in names]
                for h in names
            ],
            dtype=torch.bool,
        )

    @torch.inference_mode()
    def extract(self, texts: Sequence[str], threshold: float | None = None) -> list[Annotation]:
        windows = [list(self.split(text)) for text in texts]
        flat = [w for note in windows for w in note]
        found: list[tuple[list[_Mention], list[tuple[int, int, str, float]]]] = [([], [])] * len(flat)
        for places in batches([w.cost for w in flat]):
            for i, result in zip(places, self._read([flat[i] for i in places], threshold), strict=True):
                found[i] = result
        out, at = [], 0
        for note in windows:
            out.append(self._merge(note, found[at : at + len(note)]))
            at += len(note)
        return out

    @torch.inference_mode()
    def relate(
        self, texts: Sequence[str], mentions: Sequence[Sequence[Entity]], threshold: float | None = None
    ) -> list[Annotation]:
        """Relations between mentions that are given, which come back as they are (gold-entity scores).

        One that lies in no window whole, or has no word in it, is in no relation.
        """
        windows = [list(self.split(text)) for text in texts]
        flat = [(n, w) for n, note in enumerate(windows) for w in note]
        best: list[dict[tuple[str, str, str], float]] = [{} for _ in texts]
        for places in batches([w.cost for _, w in flat]):
            part = [flat[i][1] for i in places]
            placed = [
                _placed(row, w, mentions[flat[i][0]], self.schema)
                for row, (i, w) in enumerate(zip(places, part, strict=True))
            ]
            batch = collate(part, self.tokenizer.pad_token_id).to(self.device)
            with self._precision():
                found = self._described(
                    self.network.states(batch), [[m for m, _ in p] for p in placed], threshold
                )
            for i, given, relations in zip(places, placed, found, strict=True):
                kept = best[flat[i][0]]
                for h, t, name, score in relations:
                    ends = given[h][1].id, given[t][1].id
                    head, tail = sorted(ends) if name in self.schema.symmetric else ends
                    kept[head, tail, name] = max(score, kept.get((head, tail, name), 0.0))
        return [
            Annotation(
                entities=tuple(given),
                relations=tuple(
                    Relation(head=h, tail=t, type=name, score=round(score, 4))
                    for (h, t, name), score in kept.items()
                ),
            )
            for given, kept in zip(mentions, best, strict=True)
        ]

    def split(self, text: str) -> Iterator[Window]:
        """The windows that a text is read in."""
        coded = self.tokenizer(
            text,
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            split_special_tokens=True,  # "[SEP]" in a note is text
            verbose=False,
        )
        ids, offsets = coded["input_ids"], coded["offset_mapping"]
        return split_windows(text, ids, offsets, self.special, self.window, self.overlap)

    def _read(
        self, windows: list[Window], threshold: float | None
    ) -> list[tuple[list[_Mention], list[tuple[int, int, str, float]]]]:
        """Mentions and relations (places of head and tail, type, score) of each window."""
        batch = collate(windows, self.tokenizer.pad_token_id).to(self.device)
        with self._precision():
            states = self.network.states(batch)
            mentions = self._mentions(states, windows, threshold)
            return list(zip(mentions, self._described(states, mentions, threshold), strict=True))

    def _described(
        self, states: States, mentions: list[list[_Mention]], threshold: float | None
    ) -> list[list[tuple[int, int, str, float]]]:
        """Give each window's mentions their attributes; returns their relations."""
        relations: list[list[tuple[int, int, str, float]]] = [[] for _ in mentions]
        flat = [m for window in mentions for m in window]
        if not flat:
            return relations
        window, start, end, kind = (
            torch.tensor([getattr(m, f) for m in flat], device=self.device)
            for f in ("window", "start", "end", "kind")
        )
        vectors = self.network.heads.mentions(states, window, start, end)
        for a, head in zip(self.schema.attributes, self.network.heads.attributes, strict=True):
            if a.name in self.calibration.attributes:
                for m, value in zip(flat, head(vectors).argmax(-1).tolist(), strict=True):
                    m.attributes[a.name] = a.values[value]
        base = np.cumsum([0, *map(len, mentions)])
        for h, t, name, score in self._relations(states, vectors, window, start, end, kind, threshold):
            w = flat[h].window
            relations[w].append((h - int(base[w]), t - int(base[w]), name, score))
        return relations

    def _mentions(
        self, states: States, windows: list[Window], threshold: float | None
    ) -> list[list[_Mention]]:
        limits = self._limits(self.schema.entity_names, self.calibration.entities, threshold)
        scores = self.network.heads.spans(states) / self.calibration.span_temperature
        probability, kind = scores.softmax(-1)[..., 1:].max(-1)  # (B, N, W)
        n, width = probability.shape[1:]
        reach = torch.arange(n, device=self.device)[:, None] + torch.arange(width, device=self.device)
        possible = reach < states.batch.words[:, None, None]
        window, start, wide = torch.nonzero((probability > limits[kind]) & possible, as_tuple=True)
        p, k = probability[window, start, wide].tolist(), kind[window, start, wide].tolist()
        found: list[list[_Mention]] = [[] for _ in range(probability.shape[0])]
        for w, s, extra, t, score in zip(
            window.tolist(), start.tolist(), wide.tolist(), k, p, strict=True
        ):
            if windows[w].block[s] == windows[w].block[s + extra]:
                found[w].append(_Mention(w, s, s + extra, t, score, {}))
        return [_without_clashes(mentions) for mentions in found]

    def _relations(
        self,
        states: States,
        vectors: Tensor,
        window: Tensor,
        start: Tensor,
        end: Tensor,
        kind: Tensor,
        threshold: float | None,
    ) -> Iterator[tuple[int, int, str, float]]:
        names = self.schema.relation_names
        allowed = self._allowed.to(self.device)
        limits = self._limits(names, self.calibration.relations, threshold)
        types = torch.nn.functional.one_hot(kind, len(self.schema.entities)).float()
        for head, tail in self._pairs(window, kind, allowed.any(-1)):
            scores = self.network.heads.pairs(states, vectors, types, window, start, end, head, tail)
            probability = (scores / self.calibration.pair_temperature).sigmoid()
            good = (probability > limits) & allowed[kind[head], kind[tail]]
            for pair, r in torch.nonzero(good).tolist():
                yield int(head[pair]), int(tail[pair]), names[r], float(probability[pair, r])

    def _pairs(self, window: Tensor, kind: Tensor, related: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Heads and tails that the schema lets be related, window by window, some at a time."""
        counts = torch.bincount(window)
        starts = counts.cumsum(0) - counts
        for begin, count in zip(starts.tolist(), counts.tolist(), strict=True):
            kinds = kind[begin : begin + count]
            fit = related[kinds[:, None], kinds[None, :]].fill_diagonal_(False)
            head, tail = torch.nonzero(fit, as_tuple=True)
            for part in range(0, len(head), PAIRS_AT_ONCE):
                stop = part + PAIRS_AT_ONCE
                yield head[part:stop] + begin, tail[part:stop] + begin

    def _limits(self, names: Sequence[str], own: dict[str, float], threshold: float | None) -> Tensor:
        """The score that each label has to pass; one that is switched off can't."""
        limits = [2.0 if n not in own else own[n] if threshold is None else threshold for n in names]
        return torch.tensor(limits, device=self.device)

    def _merge(
        self,
        windows: list[Window],
        found: list[tuple[list[_Mention], list[tuple[int, int, str, float]]]],
    ) -> Annotation:
        """One note from its windows: each word's own window says which mentions start there."""
        spans: dict[tuple[int, int, int], _Mention] = {}
        for window, (mentions, _) in zip(windows, found, strict=True):
            for m in mentions:
                if window.own[0] <= m.start < window.own[1]:
                    spans[_span(window, m)] = m
        ids = {key: f"T{i}" for i, key in enumerate(sorted(spans), start=1)}
        entities = tuple(
            Entity(
                id=ids[key],
                start=key[0],
                end=key[1],
                type=self.schema.entity_names[key[2]],
                attributes=m.attributes,
                score=round(m.score, 4),
            )
            for key, m in sorted(spans.items(), key=lambda item: item[0])
        )
        best: dict[tuple[str, str, str], float] = {}
        for window, (mentions, relations) in zip(windows, found, strict=True):
            for h, t, name, score in relations:
                ends = _span(window, mentions[h]), _span(window, mentions[t])
                if ends[0] in ids and ends[1] in ids:
                    head, tail = sorted(ends) if name in self.schema.symmetric else ends
                    triple = ids[head], ids[tail], name
                    best[triple] = max(score, best.get(triple, 0.0))
        return Annotation(
            entities=entities,
            relations=tuple(
                Relation(head=h, tail=t, type=name, score=round(score, 4))
                for (h, t, name), score in sorted(best.items(), key=lambda r: _order(r[0]))
            ),
        )


def _placed(
    row: int, window: Window, mentions: Sequence[Entity], schema: Schema
) -> list[tuple[_Mention, Entity]]:
    """The mentions that lie in a window, the row-th of its batch, by its words."""
    found = []
    for e in mentions:
        start, end = window.words(e.start, e.end)
        if start <= end:
            found.append((_Mention(row, start, end, schema.entity_names.index(e.type), 1.0, {}), e))
    return found


def _order(triple: tuple[str, str, str]) -> tuple[int, int, str]:
    return int(triple[0][1:]), int(triple[1][1:]), triple[2]


def _span(window: Window, m: _Mention) -> tuple[int, int, int]:
    return int(window.starts[m.start]), int(window.ends[m.end]), m.kind


def _without_clashes(mentions: list[_Mention]) -> list[_Mention]:
    """The best of mentions that can't stand together, in order of appearance.

    Mentions may nest if their types differ; they may not cross, nor nest within their own type.
    """
    kept: list[_Mention] = []
    for m in sorted(mentions, key=lambda m: -m.score):
        if all(_compatible(m, k) for k in kept if m.start <= k.end and k.start <= m.end):
            kept.append(m)
    return sorted(kept, key=lambda m: (m.start, m.end))


def _compatible(a: _Mention, b: _Mention) -> bool:
    inside = (a.start >= b.start and a.end <= b.end) or (b.start >= a.start and b.end <= a.end)
    return inside and a.kind != b.kind and (a.start, a.end) != (b.start, b.end)


def batches(lengths: Sequence[int], most: int = TOKENS_A_BATCH) -> Iterator[list[int]]:
    """Places of what has these lengths, like ones together, longest first, `most` padded tokens a batch
    (or one that is longer)."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > most:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def collate(windows: Sequence[Window], pad: int | None) -> Batch:
    """Windows side by side, padded to the longest."""

    def padded(rows: Sequence[Sequence[int]], value: int = 0) -> Tensor:
        width = max(map(len, rows))
        return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])

    return Batch(
        tokens=padded([w.tokens for w in windows], pad or 0),
        shapes=padded([w.shapes for w in windows]),
        mask=padded([[1] * len(w.tokens) for w in windows]),
        first=padded([w.first.tolist() for w in windows]),
        last=padded([w.last.tolist() for w in windows]),
        words=torch.tensor([len(w.starts) for w in windows]),
    )
