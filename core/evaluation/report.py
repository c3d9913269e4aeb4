"""What an evaluation found, as data that JSON keeps."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from core import scoring
from core.scoring import MICRO, Score
from core.scoring.curves import Calibration, Curve

# Kinds of figures; what a figure is stands in its name, wherever it is shown.
ENTITIES = "entities, strict (type and both offsets)"
RELAXED = "entities, relaxed (type, and spans overlap)"
TOKENS = "entities, per token"
RELATIONS = "relations, end-to-end, strict (type and both predicted mentions)"
GIVEN = "relations, gold-entity (gold mentions given)"
CONCEPTS = "relations by concept, gold-entity, per document"
ATTRIBUTES = "{}, over strictly right mentions"


@dataclass(frozen=True, slots=True)
class Note:
    """One document of an evaluation: counts by kind and label, and what was read, without text."""

    id: str
    group: str
    counts: dict[str, dict[str, list[int]]]
    reading: dict[str, list[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Report:
    """Scores by kind and label; `groups` is what the bootstrap drew.

    `slices` holds micro scores of parts by kind, `confusion` rows of (gold, read, count), `errors`
    counts by kind of error and label. `left_out` names documents that overlap with the training data;
    `trained` says whether that is known.
    """

    model: str
    data: str
    data_sha256: str
    version: str
    made_at: str
    settings: dict[str, str]
    documents: int
    groups: int
    trained: bool
    left_out: list[str]
    scores: dict[str, dict[str, Score]]
    curves: dict[str, Curve]
    calibration: dict[str, Calibration]
    confusion: dict[str, list[tuple[str, str, int]]]
    slices: dict[str, dict[str, dict[str, Score]]]
    errors: dict[str, dict[str, int]]
    notes: list[Note] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        drawn = f"bootstrap over {self.groups} groups"
        yield f"{self.model} on {self.data}: {self.documents} documents, {drawn}"
        if self.left_out:
            yield f"left out, as they overlap with the training data: {len(self.left_out)}"
        if not self.trained:
            yield "what this model was trained on is not on record: overlaps could not be looked for"
        for kind, scores in self.scores.items():
            yield f"{kind}; macro F1 {scoring.macro(scores):.3f}"
            yield from scoring.table(scores)
        for title, parts in self.slices.items():
            yield f"{title}: micro F1 (support)"
            for name, kinds in parts.items():
                told = ", ".join(
                    f"{k.split(',')[0]} {s.f1:.3f} ({s.support})" for k, s in kinds.items()
                )
                yield f"  {name}: {told}"
        for kind, c in self.calibration.items():
            curve = self.curves[kind]
            best = "-" if curve.best is None else f"{curve.best_f1:.3f} at {curve.best:.2f}"
            yield f"{kind}: expected calibration error {c.error:.3f}; best F1 with one threshold {best}"

    @property
    def micro(self) -> dict[str, Score]:
        """The micro score of each kind."""
        return {kind: scores[MICRO] for kind, scores in self.scores.items() if MICRO in scores}
