"""The difference of two versions, by place and not by the names of mentions."""

from core.document import Entity, Relation
from core.store.difference import difference
from tests.core.store.conftest import note


def test_the_same_labels_under_other_ids_do_not_differ() -> None:
    d = note()
    renamed = d.model_copy(
        update={
            "entities": tuple(e.model_copy(update={"id": f"x{e.id}"}) for e in d.entities),
            "relations": tuple(
                r.model_copy(update={"head": f"x{r.head}", "tail": f"x{r.tail}"}) for r in d.relations
            ),
        }
    )
    assert difference(d, renamed).empty


def test_every_kind_of_change() -> None:
    old = note()
    new = old.model_copy(
        update={
            "entities": (
                old.entities[0].model_copy(update={"type": "Procedure"}),
                Entity(id="c", start=0, end=5, type="Symptom"),
            ),
            "relations": (Relation(head="a", tail="c", type="treats"),),
        }
    )
    found = difference(old, new)
    assert [e.id for e in found.removed] == ["b"]
    assert [e.id for e in found.added] == ["c"]
    assert [(a.type, b.type) for a, b in found.changed] == [("Drug", "Procedure")]
    assert [r.tail for r in found.unrelated] == ["b"]
    assert [r.tail for r in found.related] == ["c"]


def test_two_new_mentions_may_be_related() -> None:
    bare = note().model_copy(update={"entities": (), "relations": ()})
    found = difference(bare, note())
    assert len(found.added) == 2
    assert found.related == note().relations
