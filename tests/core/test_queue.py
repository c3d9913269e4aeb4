"""The order of a queue, what is in it, and every tenth without suggestions."""

import math

import pytest

from core.document import Document, Entity, Relation
from core.errors import ChartmarkError
from core.queue import ORDERS, Settings, chosen, disagreement, doubt, entropy, queue
from core.store import predictions, revisions
from core.store.connection import Store
from core.store.predictions import Reading
from core.store.revisions import Save
from tests.core.store.conftest import added, note, store  # noqa: F401


def read_as(d: Document) -> Reading:
    """A reading as the store gives it."""
    places = {e.id: (e.start, e.end, e.type) for e in d.entities}
    scores = tuple(x.score for x in (*d.entities, *d.relations))
    return Reading(
        scores,
        frozenset(places.values()),
        frozenset((places[r.head], r.type, places[r.tail]) for r in d.relations),
    )


def read(*scores: float, name: str = "n", related: float | None = None) -> Document:
    """Mentions of these scores, one letter each; a relation between the first two."""
    entities = tuple(
        Entity(id=f"e{i}", start=i, end=i + 1, type="Drug", score=s) for i, s in enumerate(scores)
    )
    relations = (
        ()
        if related is None
        else (Relation(head="e0", tail="e1", type="interacts_with", score=related),)
    )
    return Document(id=name, text="abcdefghij", entities=entities, relations=relations)


def test_doubt_is_one_less_the_lowest_score() -> None:
    assert doubt(read_as(read(0.9, 0.6))) == pytest.approx(0.4)
    assert doubt(read_as(read(0.9, 0.8, related=0.3))) == pytest.approx(0.7)
    assert doubt(read_as(read())) == 0


def test_entropy_is_the_mean_in_bits() -> None:
    assert entropy(read_as(read(0.5))) == pytest.approx(1.0)
    quarter = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    assert entropy(read_as(read(0.5, 0.25))) == pytest.approx((1 + quarter) / 2)
    assert entropy(read_as(read(1.0))) == pytest.approx(0, abs=1e-6)
    assert entropy(read_as(read())) == 0


def test_disagreement_is_one_less_f1() -> None:
    assert (
        disagreement(read_as(read(0.9, 0.9)), read_as(read(0.5, 0.5)), frozenset()) == 0
    )  # scores say nothing
    assert disagreement(read_as(read(0.9)), read_as(read(0.9, 0.9)), frozenset()) == pytest.approx(
        1 - 2 / 3
    )
    assert disagreement(
        read_as(read(0.9, 0.9, related=0.5)), read_as(read(0.9, 0.9)), frozenset()
    ) == pytest.approx(1 - 4 / 5)
    assert disagreement(read_as(read()), read_as(read()), frozenset()) == 0


def filled(store: Store, count: int = 4) -> list[int]:  # noqa: F811
    return [added(store, note(f"n{i}", f"text {i}")) for i in range(count)]


def test_orders(store: Store) -> None:  # noqa: F811
    keys = filled(store)
    with store.writing() as db:
        for key, scores in zip(keys, [(0.9,), (0.3, 0.9), (0.6,)], strict=False):
            predictions.add(db, key, "m", read(*scores), "me")
        predictions.add(db, keys[0], "other", read(0.9, 0.9), "me")
        predictions.add(db, keys[1], "other", read(0.9, 0.9), "me")

    def order(**settings: object) -> list[int]:
        return [keys.index(i.id) for i in queue(store, Settings(**settings), "ann")]  # type: ignore[arg-type]

    assert order() == [0, 1, 2, 3]
    assert order(order="least certain first", model="m") == [1, 2, 0, 3]  # what nobody read comes last
    assert order(order="highest entropy first", model="m") == [2, 1, 0, 3]
    assert order(order="models differ most", model="m", other="other")[0] == 0
    assert sorted(order(order="random")) == [0, 1, 2, 3]
    assert order(order="random", seed=1) == order(order="random", seed=1)
    assert len({tuple(order(order="random", seed=s)) for s in range(10)}) > 1
    for name in ORDERS[2:]:
        with pytest.raises(ChartmarkError, match="needs a model"):
            order(order=name)
    with pytest.raises(ChartmarkError, match="needs a second model"):
        order(order=ORDERS[-1], model="m", other="m")


def test_what_an_annotator_has_finished_is_left_out_for_them_alone(store: Store) -> None:  # noqa: F811
    keys = filled(store)
    for key, status in zip(keys, ("complete", "draft", "skipped"), strict=False):
        labels = note(f"n{keys.index(key)}", f"text {keys.index(key)}")
        revisions.save(store, Save(key, "ann", labels, status, "", "sitting", 1), "ann")
    assert [i.id for i in queue(store, Settings(), "ann")] == [keys[1], keys[3]]
    assert [i.status for i in queue(store, Settings(), "ann")] == ["draft", "new"]
    assert len(queue(store, Settings(), "bob")) == 4
    assert len(chosen(store, Settings(unfinished=False), "ann")) == 4


def test_one_in_ten_is_blind_the_same_ones_always(store: Store) -> None:  # noqa: F811
    filled(store, 200)
    first = [i.id for i in queue(store, Settings(model="m"), "ann") if i.blind]
    assert 8 <= len(first) <= 35
    assert first == sorted(
        i.id for i in queue(store, Settings(model="m", order="random", seed=3), "bob") if i.blind
    )
    assert not any(i.blind for i in queue(store, Settings(model="m", blind=False), "a"))
    assert not any(i.blind for i in queue(store, Settings(), "a"))


def test_a_page_gets_so_many_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    filled(store, 5)
    monkeypatch.setattr("core.queue.LONGEST", 3)
    assert len(queue(store, Settings(), "a")) == 3


def test_settings_survive_json_and_other_versions() -> None:
    s = Settings(words="x", focus=("Drug",), order="random")
    assert Settings.of(s.values()) == s
    assert Settings.of({**s.values(), "later": 1}) == s


def test_settings_that_name_models_which_are_gone_still_make_a_queue() -> None:
    s = Settings(model="m", other="o", order="models differ most", words="x")
    assert s.possible(["m", "o"]) == s
    assert s.possible(["m"]) == Settings(model="m", words="x")
    assert s.possible(["o"]) == Settings(other="o", words="x")
    doubtful = Settings(model="m", order="least certain first")
    assert doubtful.possible(["m"]) == doubtful
    assert doubtful.possible([]).order == "as imported"
