"""Documents of every shape, for round trips: emoji, CRLF, control characters, overlaps, all keys."""

from hypothesis import strategies as st

from core.document import Annotated, ConceptRelation, Document, Entity, Relation, RelationSought

LABELS = st.sampled_from(["Drug", "Disease", "Lab_Test", "Sign-1"])
WORDS = st.sampled_from(
    ["fever", "x", "5", "🧪", "é", "e\u0301", "-", "(", "Aspirin", "|", "\\u", '"', "#"]
)
BLANKS = st.sampled_from([" ", "  ", "\n", "\r\n", "\t", ". ", "", "\n\n", " \u00a0"])
ODD = st.sampled_from(["\x00", "\x01", "\u2028", "\ufeff", "\x1c", "\x85", "&", "<b>", "]]>", "\ufffe"])
IDS = st.text("abc1:-._ é/%", min_size=1, max_size=8).filter(lambda s: s.strip() == s)
CONCEPTS = st.sampled_from(["MESH:D008687", "D1", "OMIM:1"])
SCORES = st.none() | st.floats(0, 1)
META = st.dictionaries(
    st.sampled_from(["ward", "group", "source", "n"]),
    st.integers() | st.text("ab é", min_size=1),
    max_size=3,
)


@st.composite
def documents(draw, *, plain: bool = False) -> Document:
    """`plain`: as annotators make them, with mentions that begin and end at words of one line."""
    pieces = WORDS if plain else WORDS | ODD
    text = "".join(a + b for a, b in draw(st.lists(st.tuples(pieces, BLANKS), min_size=1, max_size=12)))
    entities = []
    for n in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        words = text[start:end]
        if plain and (words != words.strip() or not words.isprintable()):
            continue
        entities.append(draw(entity(f"T{n}", start, end, plain=plain)))
    relations = {}
    ids = [e.id for e in entities]
    if len(ids) > 1:
        for head, tail, kind in draw(
            st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids), LABELS), max_size=4)
        ):
            if head != tail:
                relations[head, tail, kind] = Relation(
                    head=head, tail=tail, type=kind, score=draw(SCORES),
                    origin=draw(st.sampled_from([None, "concept", "bulk"])),
                )  # fmt: skip
    sought = Annotated(
        entities=("Drug",), relations=(RelationSought(type="x", head="Drug", tail="Drug"),)
    )
    more = (
        {}
        if plain
        else draw(st.dictionaries(st.sampled_from(["colour", "zz"]), st.integers(), max_size=1))
    )
    return Document(
        id=draw(IDS),
        text=text,
        entities=tuple(entities),
        relations=tuple(relations.values()),
        concept_relations=tuple(
            ConceptRelation(head=a, tail=b, type="CID")
            for a, b in draw(st.lists(st.tuples(CONCEPTS, CONCEPTS), max_size=2, unique=True))
        ),
        annotated=draw(st.sampled_from([None, sought])),
        meta=draw(META),
        **more,
    )


@st.composite
def entity(draw, key: str, start: int, end: int, *, plain: bool) -> Entity:
    fragments = ()
    if end - start > 2 and draw(st.booleans()):
        cut = draw(st.integers(start + 1, end - 2))
        fragments = ((start, cut), (cut + 1, end))
    values = st.sampled_from(["absent", "possible"] if plain else ["absent", "so so", "", "✓"])
    return Entity(
        id=key,
        start=start,
        end=end,
        type=draw(LABELS),
        attributes=draw(
            st.dictionaries(st.sampled_from(["assertion", "type", "k"]), values, max_size=2)
        ),
        score=draw(SCORES),
        concepts=tuple(draw(st.lists(CONCEPTS, max_size=2, unique=True))),
        fragments=fragments,
        types=draw(st.sampled_from([(), ("Drug", "Disease")])),
        **({} if plain else draw(st.dictionaries(st.just("note"), st.text("ab"), max_size=1))),
    )
