"""Drawings of figures: SVG with no script or style of its own; each shape tells its number when pointed at.

Beside every drawing stands its table: whoever does not see the one reads the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 960
HEIGHT: Final = 240
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 26
STEPS: Final = (1, 2, 5)
LABELS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class _Plane:
    """Values from 0 to ``highest`` and so many places from left to right, as points of the drawing."""

    highest: float
    places: int

    @property
    def step(self) -> float:
        """Of a place."""
        return (WIDTH - LEFT - RIGHT) / max(1, self.places)

    def x(self, place: float) -> float:
        return LEFT + place * self.step

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.highest * (HEIGHT - TOP - BOTTOM)


def bars(title: str, names: Sequence[str], series: Mapping[str, Sequence[int]]) -> str:
    """Bars side by side: for each name one of every series."""
    highest = max((value for values in series.values() for value in values), default=0)
    plane = _Plane(_above(highest), len(names))
    wide = plane.step * 0.8 / max(1, len(series))
    parts = _grid(plane, names)
    for number, (told, values) in enumerate(series.items()):
        for place, value in enumerate(values):
            x, y = plane.x(place + 0.1) + number * wide, plane.y(value)
            tip = escape(f"{names[place]} · {told}: {value}")
            box = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{plane.y(0) - y:.1f}"'
            parts.append(f'<rect class="series{number}" {box}><title>{tip}</title></rect>')
    return _drawing(title, parts)


def line(title: str, names: Sequence[str], values: Sequence[int], highest: int) -> str:
    """One line with a point for every name."""
    plane = _Plane(highest, len(names))
    points = [(plane.x(place + 0.5), plane.y(value)) for place, value in enumerate(values)]
    parts = _grid(plane, names)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(f'<polyline class="series0" points="{path}"/>')
    for (x, y), name, value in zip(points, names, values, strict=True):
        tip = escape(f"{name}: {value}")
        parts.append(f'<circle class="series0" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{tip}</title></circle>')
    return _drawing(title, parts)


def _drawing(title: str, parts: list[str]) -> str:
    told = escape(title, quote=True)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">'
        + "".join(parts)
        + "</svg>"
    )


def _grid(plane: _Plane, names: Sequence[str]) -> list[str]:
    parts = []
    for quarter in range(5):
        value = plane.highest * quarter / 4
        y = plane.y(value)
        told = f"{value:.0f}" if plane.highest >= 4 else f"{value:g}"  # noqa: PLR2004  # quarters are whole
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{told}</text>')
    every = -(-len(names) // LABELS_MAX)
    for place in range(0, len(names), every or 1):
        x = plane.x(place + 0.5)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(names[place])}</text>')
    return parts


def _above(highest: int) -> int:
    """A round number that is not below, and has quarters."""
    size = 1
    while True:
        for step in STEPS:
            if 4 * step * size >= highest:
                return 4 * step * size
        size *= 10
