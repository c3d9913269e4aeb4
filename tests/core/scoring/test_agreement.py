"""Agreement of two annotators, figures worked out by hand."""

import pytest

from core.document import Annotated, Document, Entity, Relation
from core.scoring import MICRO, agreement

TYPES = ("Drug", "Disease")


def labelled(*spans: tuple[int, int, str], related: bool = False) -> Document:
    """Ten words of one letter: a word is at 2 n."""
    entities = tuple(
        Entity(id=f"e{i}", start=2 * a, end=2 * b - 1, type=t) for i, (a, b, t) in enumerate(spans)
    )
    relations = (Relation(head="e0", tail="e1", type="interacts_with"),) if related else ()
    return Document(id="d", text="a b c d e f g h i j", entities=entities, relations=relations)


def test_f1_is_the_same_whoever_is_taken_as_gold() -> None:
    one = labelled((0, 1, "Drug"), (2, 4, "Disease"), (5, 6, "Drug"))
    other = labelled((0, 1, "Drug"), (2, 3, "Disease"))
    found = agreement([(one, other)], TYPES, frozenset())
    turned = agreement([(other, one)], TYPES, frozenset())
    assert found.mentions[MICRO].f1 == turned.mentions[MICRO].f1 == pytest.approx(2 * 1 / (3 + 2))
    assert found.mentions["Drug"].f1 == pytest.approx(2 * 1 / (2 + 1))
    assert found.documents == 1


def test_kappa_takes_chance_out() -> None:
    # Of ten words one annotator marks 0 to 3, the other 0, 1 and 4: they agree on 7.
    # By chance 0.4 x 0.3 + 0.6 x 0.7 = 0.54: kappa (0.7 - 0.54) / 0.46.
    one, other = labelled((0, 4, "Drug")), labelled((0, 2, "Drug"), (4, 5, "Drug"))
    found = agreement([(one, other)], TYPES, frozenset())
    assert found.kappa["Drug"] == pytest.approx((0.7 - 0.54) / 0.46)
    assert found.kappa[MICRO] == pytest.approx((0.7 - 0.54) / 0.46)
    assert "Disease" not in found.kappa


def test_kappa_over_all_types_is_over_what_a_word_is_marked_as() -> None:
    # Two words each, one of them under another type: 9 of 10 agree.
    # Chance: Drug 0.2 x 0.1, Disease 0 x 0.1, none 0.8 x 0.8.
    one, other = labelled((0, 2, "Drug")), labelled((0, 1, "Drug"), (1, 2, "Disease"))
    chance = 0.2 * 0.1 + 0.8 * 0.8
    assert agreement([(one, other)], TYPES, frozenset()).kappa[MICRO] == pytest.approx(
        (0.9 - chance) / (1 - chance)
    )


def test_a_symmetric_relation_agrees_either_way() -> None:
    one = labelled((0, 1, "Drug"), (2, 3, "Drug"), related=True)
    other = labelled((2, 3, "Drug"), (0, 1, "Drug"), related=True)
    assert agreement([(one, other)], TYPES, frozenset({"interacts_with"})).relations[MICRO].f1 == 1
    assert agreement([(one, other)], TYPES, frozenset()).relations[MICRO].f1 == 0


def test_nobody_marked_anything() -> None:
    found = agreement([(labelled(), labelled())], TYPES, frozenset())
    assert found.kappa == {}
    assert found.mentions[MICRO].f1 == 0
    assert found.mentions[MICRO].support == 0


def test_only_what_both_looked_for_counts() -> None:
    one = labelled((0, 1, "Drug"), (2, 3, "Disease"))
    other = labelled((0, 1, "Drug")).model_copy(update={"annotated": Annotated(entities=("Drug",))})
    for pair in ((one, other), (other, one)):
        found = agreement([pair], TYPES, frozenset())
        assert found.mentions[MICRO].f1 == 1
        assert "Disease" not in found.kappa


def test_where_all_words_are_alike_there_is_no_kappa() -> None:
    whole = labelled((0, 10, "Drug"))
    assert agreement([(whole, whole)], TYPES, frozenset()).kappa == {}
