"""The shipped model on good, odd and hostile notes: offsets are exact, nothing is made up."""

import copy
import itertools
import json
from pathlib import Path

import pytest
import torch

from core.extraction.one_pass import OnePassExtractor, _Mention, _without_clashes, batches

SENTENCES = Path(__file__).resolve().parents[2] / "data" / "clinical_sentences.jsonl"
PLAIN = "Patient with type 2 diabetes and hypertension takes metformin. Denies chest pain or fever."

ODD = {
    "white space": " \n\t ",
    "control characters": "\x00\x07fever\x1b[31m and\x7f cough\x00",
    "right to left": "המטופל סובל מ-fever וגם cough. \u202egnihguoc",
    "outside the BMP": "🧪🧬 fever 👩‍⚕️ cough 𝒻ever 🩺 aspirin",
    "CRLF and tabs": "fever\r\ncough\r\n\taspirin\t81 mg\r",
    "markup": "<script>alert('fever')</script> ${alert(1)} {{cough}} <b>aspirin</b> &amp;",
    "combining marks": "fe\u0301ver and naı\u0308ve cough a\u0300\u0301\u0302\u0303",
    "no blanks": "fever" * 10_000,
    "only signs": "?!.,;:" * 500,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_offsets_are_exact_in_any_text(starter: OnePassExtractor, text: str) -> None:
    (found,) = starter.extract([text], 0.05)
    for e in found.entities:
        mention = text[e.start : e.end]
        assert mention == mention.strip()
        assert mention
    assert len({(e.start, e.end) for e in found.entities}) == len(found.entities)


def test_the_same_words_are_found_behind_an_emoji(starter: OnePassExtractor) -> None:
    text = "🧪👩‍⚕️ " + PLAIN
    (found,) = starter.extract([text])
    mentions = {text[e.start : e.end] for e in found.entities}
    assert {"hypertension", "metformin"} <= mentions


def test_a_negated_mention_is_absent(starter: OnePassExtractor) -> None:
    text = "Denies fever. No evidence of pneumonia. He has a cough."
    (found,) = starter.extract([text])
    values = {text[e.start : e.end]: e.attributes["assertion"] for e in found.entities}
    assert values == {"fever": "absent", "pneumonia": "absent", "cough": "present"}


@pytest.mark.long
def test_200_000_characters_are_read_to_the_end(starter: OnePassExtractor) -> None:
    text = ("No events overnight. " * 9_500) + "He has a fever and was given aspirin."
    (found,) = starter.extract([text])
    ends = {text[e.start : e.end] for e in found.entities if e.start > 199_000}
    assert "aspirin" in ends
    assert any(e.endswith("fever") for e in ends)


def test_a_long_note_says_the_same_as_its_parts(starter: OnePassExtractor) -> None:
    text = "\n".join([PLAIN] * 60)
    (found,) = starter.extract([text])
    places = [
        e.start % (len(PLAIN) + 1) for e in found.entities if text[e.start : e.end] == "metformin"
    ]
    assert places == [PLAIN.index("metformin")] * 60


def test_order_is_kept_whatever_the_lengths(starter: OnePassExtractor) -> None:
    texts = [PLAIN * n + ("" if n % 2 else " aspirin") for n in (3, 1, 0, 7, 2)] + [""]
    together = starter.extract(texts)
    for text, found in zip(texts, together, strict=True):
        (alone,) = starter.extract([text])
        assert [(e.start, e.end, e.type) for e in found.entities] == [
            (e.start, e.end, e.type) for e in alone.entities
        ]


def test_relations_are_ones_that_the_schema_allows(starter: OnePassExtractor) -> None:
    (found,) = starter.extract([PLAIN], 0.01)
    types = {e.id: e.type for e in found.entities}
    triples = [(r.head, r.tail, r.type) for r in found.relations]
    assert triples
    assert len(set(triples)) == len(triples)
    for head, tail, name in triples:
        assert name in starter.schema.allowed(types[head], types[tail])
        assert name in starter.calibration.relations  # a type that is switched off stays off


def test_a_stated_relation_is_found_and_an_unstated_one_is_not(starter: OnePassExtractor) -> None:
    stated = "She was treated with ceftriaxone for pneumonia."
    unstated = "Takes metformin. Family meeting was held on Monday. Had pneumonia in 2012."
    there, absent = starter.extract([stated, unstated])
    names = {e.id: stated[e.start : e.end] for e in there.entities}
    assert [(names[r.head], r.type, names[r.tail]) for r in there.relations] == [
        ("ceftriaxone", "treats", "pneumonia")
    ]
    assert absent.relations == ()


def test_special_tokens_in_a_note_are_text(starter: OnePassExtractor) -> None:
    text = "[CLS] fever [SEP] [MASK] cough [PAD] [UNK] pain"
    (found,) = starter.extract([text], 0.1)
    assert {text[e.start : e.end] for e in found.entities} >= {"fever", "cough", "pain"}


def test_a_very_low_threshold_stays_within_memory(starter: OnePassExtractor) -> None:
    (found,) = starter.extract([PLAIN * 40], 0.0)
    assert len(found.entities) > 500


def test_a_higher_threshold_finds_no_more(starter: OnePassExtractor) -> None:
    counts = [len(starter.extract([PLAIN], t)[0].entities) for t in (0.1, 0.5, 0.9, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0


def mention(start: int, end: int, kind: int, score: float) -> _Mention:
    return _Mention(window=0, start=start, end=end, kind=kind, score=score, attributes={})


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (mention(0, 1, 0, 0.9), mention(0, 0, 1, 0.8), True),
        (mention(0, 1, 0, 0.9), mention(0, 0, 0, 0.8), False),
        (mention(0, 1, 0, 0.9), mention(1, 2, 1, 0.8), False),
        (mention(0, 1, 0, 0.9), mention(0, 1, 1, 0.8), False),
        (mention(0, 1, 0, 0.9), mention(2, 2, 0, 0.8), True),
    ],
    ids=["nested, other type", "nested, same type", "crossing", "same span", "neighbours"],
)
def test_which_mentions_stand_together(one: _Mention, other: _Mention, both: bool) -> None:
    for pair in itertools.permutations([one, other]):
        kept = _without_clashes(list(pair))
        assert sorted(m.score for m in kept) == ([0.8, 0.9] if both else [0.9])


def test_one_long_word_does_not_widen_a_whole_batch(starter: OnePassExtractor) -> None:
    (long,) = starter.split("x" * 50_000)
    (short,) = starter.split("Denies fever.")
    costs = [long.cost, *[short.cost] * 500]
    assert len(long.tokens) < 10 < long.cost
    assert max(len(b) for b in batches(costs) if 0 in b) * long.cost <= 4096


def test_batches_hold_every_place_once() -> None:
    lengths = [500, 3, 512, 40, 512, 512, 512, 512, 512, 512, 512, 7]
    read = list(batches(lengths))
    assert sorted(itertools.chain(*read)) == list(range(len(lengths)))
    assert all(len(b) * max(lengths[i] for i in b) <= 4096 for b in read)


def test_relations_between_given_mentions_are_those_of_a_whole_reading(starter) -> None:
    """Given what it reads itself, `relate` finds the relations that it found then."""
    texts = [
        "Rash due to penicillin. Aspirin was given for headache.",
        "Nothing here.",
        "Fever. " * 400 + "Aspirin was given for headache.",
    ]
    whole = starter.extract(texts)
    given = starter.relate(texts, [a.entities for a in whole])
    for a, b in zip(whole, given, strict=True):
        assert a.entities == b.entities
        assert {(r.head, r.type, r.tail) for r in a.relations} <= {
            (r.head, r.type, r.tail) for r in b.relations
        }
    assert [len(a.relations) for a in whole[:2]] == [len(b.relations) for b in given[:2]]
    assert starter.relate(texts[:1], [()])[0].relations == ()


def test_half_precision_reads_what_fp32_reads(starter: OnePassExtractor) -> None:
    """Heads and backbone compute together in bf16 where the processor has it; nothing but scores near
    a threshold may differ."""
    texts = [d["text"] for d in map(json.loads, SENTENCES.read_text().splitlines())]
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        network = copy.deepcopy(starter.network).float()
        network.backbone.to(dtype)
        reader = OnePassExtractor(
            network,
            starter.tokenizer,
            starter.schema,
            starter.calibration,
            window=starter.window,
            overlap=starter.overlap,
        )
        read = enumerate(reader.extract(texts))
        found.append({(n, e.start, e.end, e.type) for n, a in read for e in a.entities})
    fp32, bf16 = found
    assert len(fp32) > 80
    assert len(fp32 ^ bf16) <= 0.05 * len(fp32)
