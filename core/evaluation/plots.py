"""Plots as SVG in the colour of the text around them, for the page and for reports on their own."""

from collections.abc import Mapping, Sequence
from html import escape

from core.scoring.confusion import MISSED, SPURIOUS
from core.scoring.curves import BINS, Calibration, Curve

_SIDE, _LEFT, _TOP = 240, 44, 12
_LINE = 'fill="none" stroke="currentColor"'


def precision_recall(curve: Curve) -> str:
    """The precision-recall curve, the threshold of the best F1 marked."""
    if not curve.thresholds:
        return _frame("recall", "precision", '<text x="70" y="130">nothing was predicted</text>')
    points = [(0.0, curve.precision[0]), *zip(curve.recall, curve.precision, strict=True)]
    path = " ".join(f"{'L' if i else 'M'}{_x(r):.1f},{_y(p):.1f}" for i, (r, p) in enumerate(points))
    at = curve.thresholds.index(curve.best) if curve.best is not None else 0
    x, y = _x(curve.recall[at]), _y(curve.precision[at])
    told = f"best F1 {curve.best_f1:.3f} at {curve.best:.2f}"
    mark = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="currentColor"/>'
        f'<text x="{_LEFT + 8}" y="{_TOP + _SIDE - 10}">{told}</text>'
    )
    line = f'<path d="{path}" {_LINE} stroke-width="1.8"/>'
    return _frame("recall", "precision", line + mark)


def reliability(c: Calibration) -> str:
    """The share that is right beside the score, bin by bin; wider dots hold more predictions."""
    most = max(max(c.counts), 1)
    dots = "".join(
        f'<circle cx="{_x(s):.1f}" cy="{_y(r):.1f}" r="{2 + 7 * (n / most) ** 0.5:.1f}" '
        'fill="currentColor" fill-opacity=".55"/>'
        for n, s, r in zip(c.counts, c.scores, c.right, strict=True)
        if n
    )
    even = f'<path d="M{_x(0)},{_y(0)} L{_x(1)},{_y(1)}" {_LINE} stroke-dasharray="3 4" opacity=".5"/>'
    told = f'<text x="{_LEFT + 8}" y="{_TOP + 16}">calibration error {c.error:.3f}, {BINS} bins</text>'
    return _frame("score", "share that is right", even + dots + told)


# Told apart by colour-blind eyes (Okabe and Ito 2008), and by their dashes.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], below: str, beside: str, top: float = 0.0
) -> str:
    """Lines through points (x, y), from zero to the largest (or `top`), each named under the plot."""
    drawn = {name: points for name, points in series.items() if points}
    most_x = max((x for points in drawn.values() for x, _ in points), default=1) or 1
    most_y = top or max((y for points in drawn.values() for _, y in points), default=1) or 1
    wide, high = 380, 190
    parts = []
    for v in (0, 0.5, 1):
        y, x = _TOP + (1 - v) * high, _LEFT + v * wide
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{v * most_y:.3g}</text>')
        parts.append(
            f'<text x="{x}" y="{_TOP + high + 15}" text-anchor="middle">{v * most_x:,.0f}</text>'
        )
        parts.append(f'<path d="M{_LEFT},{y} h{wide}" stroke="currentColor" opacity=".15"/>')
    for i, (name, points) in enumerate(drawn.items()):
        colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[i // len(_COLOURS) % len(_DASHES)]
        stroke = f'stroke="{colour}" stroke-dasharray="{dash}"'
        path = " ".join(
            f"{'L' if j else 'M'}{_LEFT + x / most_x * wide:.1f},"
            f"{_TOP + (1 - min(y / most_y, 1)) * high:.1f}"
            for j, (x, y) in enumerate(points)
        )
        parts.append(f'<path d="{path}" fill="none" stroke-width="1.8" {stroke}/>')
        x, y = points[-1]
        at = f'cx="{_LEFT + x / most_x * wide:.1f}" cy="{_TOP + (1 - min(y / most_y, 1)) * high:.1f}"'
        parts.append(f'<circle {at} r="3" fill="{colour}"/>')
        under = _TOP + high + 50 + 15 * i
        parts.append(f'<path d="M{_LEFT},{under - 4} h22" fill="none" stroke-width="2" {stroke}/>')
        parts.append(f'<text x="{_LEFT + 28}" y="{under}">{escape(name)} {y:.3f}</text>')
    middle = f'x="{_LEFT + wide / 2}" y="{_TOP + high + 31}" text-anchor="middle"'
    parts.append(f"<text {middle}>{escape(below)}</text>")
    size = _LEFT + wide + 16, _TOP + high + 52 + 15 * len(drawn)
    return _svg(*size, "".join(parts), f"{beside} by {below}")


def confusion(cells: Sequence[tuple[str, str, int]]) -> str:
    """Rows are gold, columns what it was read as; shades are shares of the row."""
    if not cells:
        return "<p>nothing to compare</p>"
    rows = sorted({g for g, _, _ in cells} - {SPURIOUS}) + [SPURIOUS] * any(
        g == SPURIOUS for g, _, _ in cells
    )
    columns = sorted({r for _, r, _ in cells} - {MISSED}) + [MISSED] * any(
        r == MISSED for _, r, _ in cells
    )
    counts = {(g, r): n for g, r, n in cells}
    wide, high, left, top = 74, 28, 130, 76
    parts = [
        f'<text x="{left + wide * (i + 0.5)}" y="{top - 8}" text-anchor="start" '
        f'transform="rotate(-28 {left + wide * (i + 0.5)} {top - 8})">{escape(name)}</text>'
        for i, name in enumerate(columns)
    ]
    for j, row in enumerate(rows):
        y, whole = top + high * j, sum(n for (g, _), n in counts.items() if g == row)
        parts.append(f'<text x="{left - 8}" y="{y + 18}" text-anchor="end">{escape(row)}</text>')
        for i, column in enumerate(columns):
            n, x = counts.get((row, column), 0), left + wide * i
            shade = 0.04 + 0.36 * n / max(whole, 1)
            parts.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{wide - 2}" height="{high - 2}" '
                f'fill="currentColor" fill-opacity="{shade:.2f}"/>'
            )
            if n:
                parts.append(f'<text x="{x + wide / 2}" y="{y + 18}" text-anchor="middle">{n:,}</text>')
    size = left + wide * len(columns) + 60, top + high * len(rows) + 6
    return _svg(*size, "".join(parts), "what gold was read as")


def _x(value: float) -> float:
    return _LEFT + value * _SIDE


def _y(value: float) -> float:
    return _TOP + (1 - value) * _SIDE


def _frame(below: str, beside: str, inside: str) -> str:
    ticks = "".join(
        f'<text x="{_x(v)}" y="{_y(0) + 15}" text-anchor="middle">{v:g}</text>'
        f'<text x="{_LEFT - 6}" y="{_y(v) + 4}" text-anchor="end">{v:g}</text>'
        f'<path d="M{_x(0)},{_y(v)} L{_x(1)},{_y(v)}" stroke="currentColor" opacity=".15"/>'
        for v in (0, 0.25, 0.5, 0.75, 1)
    )
    names = (
        f'<text x="{_x(0.5)}" y="{_y(0) + 32}" text-anchor="middle">{escape(below)}</text>'
        f'<text x="12" y="{_y(0.5)}" text-anchor="middle" transform="rotate(-90 12 {_y(0.5)})">'
        f"{escape(beside)}</text>"
    )
    return _svg(_LEFT + _SIDE + 16, _TOP + _SIDE + 40, ticks + names + inside, f"{beside} by {below}")


def _svg(width: float, height: float, inside: str, told: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{escape(told)}" font-size="11" fill="currentColor">{inside}</svg>'
    )
