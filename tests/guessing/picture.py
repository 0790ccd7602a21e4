"""The course of attacks as a picture (SVG): expected openings over the days, each attack a line."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil
from typing import Final

from tests.guessing.attack import CHANCE, DAYS_A_YEAR, LIMIT, WITH_PHONE, hits_at_most

Course = Sequence[tuple[float, float]]
"""Day, and openings of occupied doors that are to be expected by then."""
WIDTH, HEIGHT, LEFT, TOP = 720, 400, 76, 20
HUES: Final = ("#1b6ca8", "#c0392b", "#27763d", "#8e44ad", "#b9770e", "#444444", "#0e8f8f", "#d81b8c")
POINTS_MAX: Final = 150
"""A line has no more: enough for the eye."""
MARKS: Final = 5
"""Figures along each side."""
TRIES_A_DAY: Final = 1440
"""With the phone as well, at the longest wait."""


def picture(courses: Mapping[str, Course], days: float) -> str:
    """``courses`` by what is attacked by whom; ``days`` is where the picture ends."""
    frame = _Frame(days)
    whole = days >= DAYS_A_YEAR
    size = f'viewBox="0 0 {LEFT + WIDTH + 340} {HEIGHT + 84}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        *frame.marks(),
        frame.line(_reckoned(days), "#000", "8 4"),
        *([frame.line([(0, LIMIT), (days, LIMIT)], "#000", "2 4")] if whole else []),
    ]
    for n, (name, course) in enumerate(courses.items()):
        hue, dash = HUES[n % len(HUES)], "" if n < len(HUES) else "5 3"
        y, dashed = TOP + 10 + 18 * n, f' stroke-dasharray="{dash}"' if dash else ""
        sample = f'x1="{LEFT + WIDTH + 12}" x2="{LEFT + WIDTH + 36}" y1="{y}" y2="{y}" stroke="{hue}"{dashed}'
        text = f'<text x="{LEFT + WIDTH + 42}" y="{y + 4}" fill="{hue}">{escape(name)}</text>'
        parts += [frame.line([(0.0, 0.0), *course], hue, dash), f"<line {sample}/>", text]
    limit = " Dotted: the limit of a year." if whole else ""
    words = (
        f"Chance of having opened any occupied door by guessing, over {days:g} days without a pause.",
        f"After the comma: doors occupied. Black: the most that any attack can reach, by reckoning.{limit}",
    )
    for n, line in enumerate(words):
        parts.append(f'<text x="{LEFT}" y="{TOP + HEIGHT + 38 + 18 * n}">{line}</text>')
    return "\n".join([*parts, "</svg>\n"])


class _Frame:
    def __init__(self, days: float) -> None:
        self._days = days
        highest = max(chance for _, chance in _reckoned(days))
        self._top = 1.08 * max(highest, LIMIT if days >= DAYS_A_YEAR else 0.0)

    def at(self, day: float, chance: float) -> tuple[float, float]:
        """Pixels."""
        return LEFT + day * WIDTH / self._days, TOP + HEIGHT * (1 - chance / self._top)

    def line(self, course: Course, hue: str, dash: str) -> str:
        within = [(day, chance) for day, chance in course if day <= self._days]
        every = -(-len(within) // POINTS_MAX)
        points = " ".join("{:.1f},{:.1f}".format(*self.at(*each)) for each in within[::every] + within[-1:])
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<polyline points="{points}" fill="none" stroke="{hue}" stroke-width="1.6"{dashed}/>'

    def marks(self) -> list[str]:
        texts = []
        for n in range(MARKS + 1):
            day, chance = n * self._days / MARKS, n * self._top / MARKS
            x, y = self.at(day, chance)
            texts += [
                f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{chance * 100:.2g} %</text>',
                f'<text x="{x:.0f}" y="{TOP + HEIGHT + 17}" text-anchor="middle">{day:.3g}</text>',
            ]
        return texts


def _reckoned(days: float) -> Course:
    """`hits_at_most` as it grows, and a try a minute with the phone on top."""
    course = []
    for day in range(ceil(days)):
        reached = hits_at_most(day) * CHANCE + day * TRIES_A_DAY * WITH_PHONE
        course += [(day, reached), (min(day + 1, days), reached + TRIES_A_DAY * WITH_PHONE)]
    return course
