"""Words tell some ambiguous types; sentences side by side are not related."""

import pytest

from core.document import Document, Entity, Relation
from training.weak import resolved, stitched


@pytest.mark.parametrize(
    ("words", "types", "expected"),
    [
        ("chest CT", ("Lab_Test", "Procedure"), "Procedure"),
        ("transthoracic echocardiography", ("Lab_Test", "Procedure"), "Procedure"),
        ("liver biopsy", ("Lab_Test", "Procedure"), "Procedure"),
        ("Serum creatinine", ("Lab_Test", "Procedure"), "Lab_Test"),
        ("blood cultures", ("Lab_Test", "Procedure"), "Lab_Test"),
        ("investigations", ("Lab_Test", "Procedure"), None),
        ("severe headaches", ("Disease", "Symptom"), "Symptom"),
        ("pain disorder", ("Disease", "Symptom"), "Disease"),
    ],
)
def test_types_told_by_words(words: str, types: tuple[str, ...], expected: str | None) -> None:
    mention = Entity(id="T1", start=0, end=len(words), type=types[0], types=types)
    (e,) = resolved(Document(id="n", text=words, entities=(mention,), relations=())).entities
    assert (e.type, e.types) == ((expected, ()) if expected else (types[0], types))


def sentence(n: int) -> Document:
    text = f"Drug{n} eased pain{n}."
    drug, pain = text.index("Drug"), text.index("pain")
    return Document(
        id=str(n),
        text=text,
        entities=(
            Entity(id="T1", start=drug, end=drug + 5, type="Drug"),
            Entity(id="T2", start=pain, end=pain + 5, type="Symptom"),
        ),
        relations=(Relation(head="T1", tail="T2", type="treats"),),
    )


def test_stitching_keeps_every_label_in_its_place() -> None:
    joined = stitched([sentence(n) for n in range(7)], 3, seed=1)
    assert [len(d.relations) for d in joined] == [3, 3, 1]
    assert sorted(n for d in joined for n in d.id.split("+")) == [str(n) for n in range(7)]
    for d in joined:
        mentions = {e.id: d.mention(e) for e in d.entities}
        for r in d.relations:
            assert mentions[r.head].removeprefix("Drug") == mentions[r.tail].removeprefix("pain")


def test_the_same_seed_stitches_alike() -> None:
    documents = [sentence(n) for n in range(9)]
    assert stitched(documents, 2, seed=5) == stitched(documents, 2, seed=5)
    assert stitched(documents, 2, seed=5) != stitched(documents, 2, seed=6)
