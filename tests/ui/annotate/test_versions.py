"""Versions merged for a review: what all say is kept, the rest is suggested by whoever says it."""

from dataclasses import replace

from core.document import Annotated, Document, Entity, Relation
from core.schema import default_schema
from core.store.revisions import Revision
from ui.annotate.suggest import suggestions
from ui.annotate.versions import against, merged, sought

TEXT = "Aspirin for gout and pain."


def revision(who: str, *spans: tuple[str, int, int, str], related: bool = False, **more) -> Revision:
    entities = tuple(Entity(id=i, start=a, end=z, type=t) for i, a, z, t in spans)
    relations = (Relation(head=spans[0][0], tail=spans[1][0], type="treats"),) if related else ()
    d = Document(id="d", text=TEXT, entities=entities, relations=relations, **more)
    return Revision(1, "t", who, 1, "complete", d, "", "", who)


DRUG, GOUT, PAIN = (0, 7, "Drug"), (12, 16, "Disease"), (21, 25, "Symptom")


def test_ids_don_t_matter_and_names_are_joined() -> None:
    labels, found = merged(
        [
            revision("ann", ("x", *DRUG), ("y", *GOUT), related=True),
            revision("bob", ("y", *DRUG), ("x", *GOUT), ("z", *PAIN), related=True),
            revision("cat", ("1", *DRUG), ("2", *GOUT), ("3", *PAIN)),
        ],
        default_schema(),
    )
    assert [(e.start, e.type) for e in labels.entities] == [(0, "Drug"), (12, "Disease")]
    assert labels.relations == ()
    (pain,) = [s for s in found.mentions if s.outcome == "open"]
    assert (pain.start, pain.by, pain.became) == (21, "bob, cat", None)
    assert {s.became for s in found.mentions if s.there} == {e.id for e in labels.entities}
    (treats,) = found.relations
    assert treats.by == "ann, bob"
    keys = {s.key: (s.start, s.end) for s in found.mentions}
    assert (keys[treats.head], keys[treats.tail]) == ((0, 7), (12, 16))


def test_what_all_say_needs_no_decision() -> None:
    both = [revision(w, ("x", *DRUG), ("y", *GOUT), related=True) for w in ("ann", "bob")]
    labels, found = merged(both, default_schema())
    assert len(labels.relations) == 1
    assert found.relations == ()
    assert all(s.there for s in found.mentions)


def test_what_was_looked_for_is_what_all_looked_for() -> None:
    whole = revision("ann", ("x", *DRUG))
    drugs = revision("bob", ("x", *DRUG), annotated=Annotated(entities=("Drug",)))
    more = revision("cat", ("x", *DRUG), annotated=Annotated(entities=("Drug", "Disease")))
    assert sought([whole, whole]) is None
    assert sought([whole, drugs, more]) == Annotated(entities=("Drug",))


def test_suggestions_leave_out_what_is_there_and_other_types() -> None:
    read = revision("m", ("1", *DRUG), ("2", *GOUT), ("3", *PAIN), related=True).document
    mine = revision("me", ("?1", *DRUG)).document
    found = suggestions(read, mine, "m", (), default_schema())
    by_start = {s.start: s for s in found.mentions}
    assert (by_start[0].there, by_start[0].became, by_start[0].outcome) == (True, "?1", "accepted")
    assert by_start[12].outcome == "open"
    assert len({s.key for s in found.mentions} | {"?1"}) == 4  # no key is a mention's id
    assert found.relations[0].outcome == "open"
    only = suggestions(read, mine, "m", ("Symptom",), default_schema())
    assert [s.start for s in only.mentions] == [21]
    assert only.relations == ()


def test_a_mention_twice_in_one_version_is_one_persons_word() -> None:
    twice = revision("ann", ("x", *DRUG))
    gaps = Entity(id="y", start=0, end=7, type="Drug", fragments=((0, 2), (4, 7)))
    d = twice.document.model_copy(update={"entities": (*twice.document.entities, gaps)})
    labels, found = merged([replace(twice, document=d), revision("bob")], default_schema())
    assert labels.entities == ()
    assert [(s.by, s.fragments, s.outcome) for s in found.mentions] == [
        ("ann", (), "open"), ("ann", ((0, 2), (4, 7)), "open"),
    ]  # fmt: skip


def test_defaults_and_the_order_of_symmetric_relations_are_no_difference() -> None:
    one, other = (7, 9, "Drug"), DRUG
    a = revision("ann", ("x", *one), ("y", *other))
    b = revision("bob", ("x", *one), ("y", *other))
    related = (
        Relation(head="x", tail="y", type="interacts_with"),
        Relation(head="y", tail="x", type="interacts_with"),
    )
    present = tuple(
        e.model_copy(update={"attributes": {"assertion": "present"}}) for e in b.document.entities
    )
    labels, found = merged(
        [
            replace(a, document=a.document.model_copy(update={"relations": related[:1]})),
            replace(
                b,
                document=b.document.model_copy(update={"relations": related[1:], "entities": present}),
            ),
        ],
        default_schema(),
    )
    assert len(labels.entities) == 2
    assert len(labels.relations) == 1
    assert found.relations == ()


def test_what_was_decided_stays_beside_new_versions() -> None:
    found = [revision("ann", ("x", *DRUG)), revision("bob", ("y", *GOUT))]
    _, differences = merged(found, default_schema())
    decided = revision("adjudicated", ("T9", *GOUT)).document
    beside = against(decided, differences, default_schema())
    assert [(s.outcome, s.became) for s in beside.mentions] == [("open", None), ("accepted", "T9")]
