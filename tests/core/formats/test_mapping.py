"""The corpora under our labels: real files, published counts, every label in the schema."""

from collections import Counter
from pathlib import Path

import pytest

from core.document import ConceptRelation, Document, Entity
from core.errors import ChartmarkError
from core.formats import pubtator
from core.formats.mapping import corpora, position
from core.schema import shipped


def test_bc5cdr_has_the_published_counts(corpora_folder: Path) -> None:
    read: list[Document] = []
    for name in ("Training", "Development"):
        path = corpora_folder / "bc5cdr" / f"CDR_{name}Set.PubTator.txt"
        read += pubtator.read(path, Counter())
    assert len(read) == 1000
    assert sum(len(d.entities) for d in read) == 18976
    assert sum(len(d.concept_relations) for d in read) == 2050


@pytest.mark.parametrize("name", sorted(corpora()))
def test_every_corpus_reads_into_the_schema(corpora_folder: Path, name: str) -> None:
    for split in corpora()[name].splits:
        documents = list(corpora()[name].read(corpora_folder, split, Counter()))
        assert documents
        for d in documents:
            shipped()[corpora()[name].labels].check(d)
            assert d.annotated is not None or corpora()[name].labels == name.removesuffix("_own")


def test_splits_of_a_corpus_are_apart(corpora_folder: Path) -> None:
    corpus = corpora()["maccrobat2020"]
    train, dev = (
        {d.id for d in corpus.read(corpora_folder, split, Counter())} for split in ("train", "dev")
    )
    assert len(train) + len(dev) == 160 - len(corpora()["maccrobat2020"].held_out)
    assert not train & dev
    assert len(dev) >= 30


def test_a_concept_relation_becomes_one_between_the_closest_mentions() -> None:
    text = "Lithium. Tremor and more tremor after lithium."
    places = [(0, 7, "Chemical"), (9, 15, "Disease"), (25, 31, "Disease"), (38, 45, "Chemical")]
    document = Document(
        id="7",
        text=text,
        entities=tuple(
            Entity(id=f"T{i}", start=a, end=b, type=t, concepts=("C" if t == "Chemical" else "D",))
            for i, (a, b, t) in enumerate(places)
        ),
        relations=(),
        # The wrong way round on purpose: the map sets the direction.
        concept_relations=(ConceptRelation(head="D", tail="C", type="CID"),),
    )
    mapped = corpora()["bc5cdr"].translate(document, Counter())
    assert [(r.head, r.type, r.tail, r.origin) for r in mapped.relations] == [
        ("T0", "causes", "T1", "concept")
    ]
    assert [(r.head, r.tail) for r in mapped.concept_relations] == [("C", "D")]
    assert mapped.entities[1].types == ("Disease", "Symptom")


def test_what_the_map_leaves_out_is_counted() -> None:
    gene = Entity(id="T0", start=0, end=4, type="GeneOrGeneProduct")
    document = Document(id="7", text="BRCA1", entities=(gene,), relations=())
    dropped: Counter[str] = Counter()
    assert corpora()["biored"].translate(document, dropped).entities == ()
    assert dropped == {"type GeneOrGeneProduct": 1}


def test_a_missing_corpus_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ChartmarkError, match=f"bc5cdr is not in {tmp_path}"):
        list(corpora()["bc5cdr"].read(tmp_path, "train", Counter()))


def test_hashes_never_change() -> None:
    # Splits rest on this number: another one would leak evaluation documents into training.
    assert position("15939911") == pytest.approx(0.4503, abs=1e-4)
