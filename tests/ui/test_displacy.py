"""Notes as HTML: every character is there, nothing of a note or a label runs."""

import html
import re

import pytest

from core.document import Document, Entity, Relation
from core.schema import EntityType, Schema, default_schema
from ui import displacy

SCHEMA = default_schema()
HOSTILE = "<script>alert(1)</script> \"'&amp; ${alert(1)} {{x}} fever\r\n\t<img src=x onerror=alert(1)>"


def visible(markup: str) -> str:
    """The text of some HTML without labels, as a browser would show it."""
    markup = re.sub(r'<span class="tag".*?</span>', "", markup)
    return html.unescape(re.sub(r"<[^>]+>", "", markup.replace("<br>", "\n")))


def mention(text: str, words: str, kind: str, key: str, **attributes: str) -> Entity:
    start = text.index(words)
    return Entity(id=key, start=start, end=start + len(words), type=kind, attributes=attributes)


def note(text: str, *entities: Entity, relations: tuple[Relation, ...] = ()) -> Document:
    return Document(id="n", text=text, entities=entities, relations=relations)


def test_hostile_text_stays_text() -> None:
    document = note(HOSTILE, mention(HOSTILE, "fever", "Symptom", "T1"))
    markup = displacy.highlighted(document, SCHEMA)
    assert "<script" not in markup
    assert "<img" not in markup
    assert visible(markup).replace("\n", "") == HOSTILE.replace("\r\n", "").replace("\n", "")


@pytest.mark.parametrize("nested", [False, True], ids=["apart", "nested"])
def test_a_hostile_label_stays_text(nested: bool) -> None:
    # A schema refuses such a name; were one to get past it, it must still be inert.
    evil = "<b onclick=alert(1)>"
    schema = SCHEMA.model_copy(
        update={"entities": (EntityType.model_construct(name=evil, colour="#ffffff", help=evil),)}
    )
    text = "lithium toxicity"
    entities = [mention(text, "lithium", evil, "T1")]
    if nested:
        entities.append(mention(text, text, evil, "T2"))
    document = note(text, *entities)
    for markup in (displacy.highlighted(document, schema), displacy.legend(schema)):
        assert "<b " not in markup
        assert html.escape(evil) in markup


def test_a_negative_mention_is_struck_and_named() -> None:
    text = "no fever, cough"
    document = note(
        text,
        mention(text, "fever", "Symptom", "T1", assertion="absent"),
        mention(text, "cough", "Symptom", "T2", assertion="present"),
    )
    marks = re.findall(r"<mark.*?</mark>", displacy.highlighted(document, SCHEMA))
    assert "is-negative" in marks[0]
    assert "Symptom · absent" in marks[0]
    assert "is-negative" not in marks[1]
    assert "present" not in re.sub(r'title="[^"]*"', "", marks[1])


def test_nested_mentions_are_both_shown() -> None:
    text = "Note.\nlithium toxicity was seen"
    document = note(
        text, mention(text, "lithium", "Drug", "T1"), mention(text, "lithium toxicity", "Disease", "T2")
    )
    markup = displacy.highlighted(document, SCHEMA)
    assert re.findall(r'class="tag"[^>]*>(\w+)', markup) == ["Disease", "Drug"]
    assert visible(markup).strip("\n") == text


def test_relations_of_a_sentence_are_arcs_and_all_others_are_listed() -> None:
    text = "Ceftriaxone for pneumonia. Then rash.\nPneumonia of the lung"
    document = note(
        text,
        mention(text, "Ceftriaxone", "Drug", "T1"),
        mention(text, "pneumonia", "Disease", "T2"),
        mention(text, "rash", "Symptom", "T3"),
        relations=(
            Relation(head="T1", tail="T2", type="treats"),
            Relation(head="T1", tail="T3", type="causes"),
        ),
    )
    markup = displacy.arcs(document, SCHEMA)
    assert markup.count("<svg") == 1
    assert re.findall(r'class="displacy-label"[^>]*>\s*(\w+)', markup) == ["treats"]
    assert "<b>Ceftriaxone</b> causes <b>rash</b>" in markup


def test_a_relation_within_nested_mentions_is_listed() -> None:
    text = "lithium toxicity"
    document = note(
        text,
        mention(text, "lithium", "Drug", "T1"),
        mention(text, text, "Disease", "T2"),
        relations=(Relation(head="T1", tail="T2", type="causes"),),
    )
    assert "<b>lithium</b> causes <b>lithium toxicity</b>" in displacy.arcs(document, SCHEMA)


def test_an_arrow_points_at_the_tail() -> None:
    text = "Pneumonia, for which ceftriaxone was started"
    document = note(
        text,
        mention(text, "ceftriaxone", "Drug", "T1"),
        mention(text, "Pneumonia", "Disease", "T2"),
        relations=(Relation(head="T1", tail="T2", type="treats"),),
    )
    markup = displacy.arcs(document, SCHEMA)
    (head,) = re.findall(r'class="displacy-arrowhead" d="M(\d+)', markup)
    (tail,) = re.findall(r'class="displacy-word" fill="currentColor" x="(\d+)">Pneumonia', markup)
    assert abs(int(head) - int(tail)) < 20


def test_figures_shrink_with_the_page() -> None:
    text = "Ceftriaxone for pneumonia"
    document = note(
        text,
        mention(text, "Ceftriaxone", "Drug", "T1"),
        mention(text, "pneumonia", "Disease", "T2"),
        relations=(Relation(head="T1", tail="T2", type="treats"),),
    )
    assert 'viewBox="0 0 ' in displacy.arcs(document, SCHEMA)


def test_every_value_that_is_not_the_default_is_in_the_legend() -> None:
    schema = Schema.model_validate(
        {
            "name": "s",
            "entities": [{"name": "A", "colour": "#ffffff", "shortcut": "a"}],
            "attributes": [
                {"name": "polarity", "values": ["yes", "no"], "default": "yes", "negative": ["no"]}
            ],
        }
    )
    assert '<span class="key struck">no</span>' in displacy.legend(schema)


def test_a_long_note_draws_some_and_says_how_many_more() -> None:
    line = "Ceftriaxone for pneumonia.\n"
    entities, relations = [], []
    for n in range(80):
        for key, words, kind in (("a", "Ceftriaxone", "Drug"), ("b", "pneumonia", "Disease")):
            start = n * len(line) + line.index(words)
            entities.append(Entity(id=f"{key}{n}", start=start, end=start + len(words), type=kind))
        relations.append(Relation(head=f"a{n}", tail=f"b{n}", type="treats"))
    markup = displacy.arcs(note(line * 80, *entities, relations=tuple(relations)), SCHEMA)
    assert markup.count("<svg") == 60
    assert "… and 20 more sentences: see the table" in markup
