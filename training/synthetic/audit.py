"""Whether the text of synthetic notes carries the relations: what can be told without reading it.

Both checks are gradient boosting over all pairs of gold mentions that the schema allows, with the
threshold that is best on dev. One sees types, order and distance but no words, the other the two
names but not what stands around them. Either doing well would mean that notes can be learned without
being read, as those of the first system could not be learned even so.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction import FeatureHasher
from sklearn.metrics import precision_recall_curve

from core.document import Document, Entity
from core.schema import Schema, default_schema

Pair = tuple[Document, Entity, Entity]
_HASHED = 64  # columns that a name's words and letters are hashed into


def pairs(documents: Sequence[Document], schema: Schema) -> Iterator[tuple[Pair, bool]]:
    """Every pair that the schema allows, and whether the text relates it."""
    for d in documents:
        related = {(r.head, r.tail) for r in d.relations}
        for head in d.entities:
            for tail in d.entities:
                if head.id != tail.id and schema.allowed(head.type, tail.type):
                    yield (d, head, tail), (head.id, tail.id) in related


def without_words(found: Sequence[Pair], schema: Schema) -> NDArray[np.float64]:
    """Types, order, distance in characters, mentions between."""
    kinds = {name: i for i, name in enumerate(schema.entity_names)}
    places = {
        (id(d), e.id): i
        for d in {id(d): d for d, _, _ in found}.values()
        for i, e in enumerate(d.entities)
    }
    return np.array(
        [
            [
                kinds[h.type],
                kinds[t.type],
                h.start < t.start,
                max(h.start - t.end, t.start - h.end, 0),
                abs(places[id(d), h.id] - places[id(d), t.id]) - 1,
            ]
            for d, h, t in found
        ],
        dtype=np.float64,
    )


def names_only(found: Sequence[Pair], schema: Schema) -> NDArray[np.float64]:
    """Both names, as hashed words and triples of letters, whole and joined, and their types."""
    kinds = {name: i for i, name in enumerate(schema.entity_names)}
    hasher = FeatureHasher(_HASHED, input_type="string")

    def hashed(texts: Iterator[list[str]]) -> NDArray[np.float64]:
        columns: NDArray[np.float64] = hasher.transform(texts).toarray()
        return columns

    heads = hashed(_letters(d.mention(h)) for d, h, _ in found)
    tails = hashed(_letters(d.mention(t)) for d, _, t in found)
    both = hashed([f"{d.mention(h).lower()}>{d.mention(t).lower()}"] for d, h, t in found)
    types = np.array([[kinds[h.type], kinds[t.type]] for _, h, t in found], dtype=np.float64)
    return np.hstack([heads, tails, both, types])


def _letters(name: str) -> list[str]:
    name = f" {name.lower()} "
    return [*name.split(), *(name[i : i + 3] for i in range(len(name) - 2))]


def f1_without_reading(
    features: Callable[[Sequence[Pair], Schema], NDArray[np.float64]],
    train: Sequence[Document],
    dev: Sequence[Document],
    tests: Mapping[str, Sequence[Document]],
    schema: Schema,
) -> dict[str, float]:
    """Relation F1 on each test set of gradient boosting on these features alone."""
    model = HistGradientBoostingClassifier(random_state=0)
    found, labels = zip(*pairs(train, schema), strict=True)
    model.fit(features(found, schema), labels)
    found, labels = zip(*pairs(dev, schema), strict=True)
    p, r, limits = precision_recall_curve(labels, model.predict_proba(features(found, schema))[:, 1])
    f1 = 2 * p * r / np.maximum(p + r, 1e-9)
    limit = limits[min(int(f1.argmax()), len(limits) - 1)]
    scores = {}
    for name, documents in tests.items():
        found, labels = zip(*pairs(documents, schema), strict=True)
        said = model.predict_proba(features(found, schema))[:, 1] >= limit
        true = np.array(labels)
        scores[name] = float(2 * (said & true).sum() / max(said.sum() + true.sum(), 1))
    return scores


def report(sets: Mapping[str, Sequence[Document]]) -> Iterator[str]:
    """What the sets hold, and the two checks, as lines of text."""
    schema = default_schema()
    for name, documents in sets.items():
        types = Counter(r.type for d in documents for r in d.relations)
        total = max(sum(types.values()), 1)
        candidates = list(pairs(documents, schema))
        words = sorted(len(d.text.split()) for d in documents)
        silent = sum(not d.relations for d in documents)
        repeated = len(documents) - len({d.text for d in documents})
        yield f"{name}: {len(documents)} notes of {words[len(words) // 2]} words (median)"
        yield "  relations: " + ", ".join(f"{k} {v / total:.1%}" for k, v in types.most_common())
        yield (
            f"  {total} related pairs, {len(candidates) - total} that nothing relates; "
            f"{silent / len(documents):.1%} of notes relate nothing; {repeated} repeated texts"
        )
        near: Counter[tuple[str, str]] = Counter()
        for (_, h, t), related in candidates:
            near[h.type, t.type] += -3 if related else 1
        yield "  fewer than 3 unrelated for a related pair: " + (
            ", ".join(f"{h}-{t}" for (h, t), n in near.items() if n < 0) or "no pair of types"
        )
    known = {d.mention(e).lower() for d in sets["train"] for e in d.entities}
    unseen = [d.mention(e).lower() not in known for d in sets["test"] for e in d.entities]
    yield f"{sum(unseen) / len(unseen):.1%} of the test set's mentions have names that train never saw"
    tests = {name: sets[name] for name in ("test", "test_seen")}
    for title, features in (("types only", without_words), ("names only", names_only)):
        scores = f1_without_reading(features, sets["train"], sets["dev"], tests, schema)
        yield f"{title}: relation F1 " + ", ".join(f"{n} {f1:.3f}" for n, f1 in scores.items())
