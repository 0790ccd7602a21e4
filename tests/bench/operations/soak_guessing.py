"""Weeks of each attack at the keypad, on the real throttle and codes; TIMES=18 makes them a year."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

from tests.bench.figures import Sheet
from tests.guessing.attack import ADVERSARIES, DAYS_A_YEAR, LIMIT, Counts, a_year_at_most, attacked

PICTURE: Final = Path(".cache/guessing.svg")
OCCUPIED: Final = (38, 154)
"""Doors at 80 %: of 48, and of 192."""
DAYS: Final = 20
HAMMERING_DAYS: Final = 2
"""A try a second is no more tries heard than a steady one has, and takes ten times as long to reckon."""
WIDTH, HEIGHT, LEFT, TOP = 720, 400, 60, 20
HUES: Final = ("#1b6ca8", "#c0392b", "#27763d", "#8e44ad", "#b9770e", "#444444", "#0e8f8f")


def test_a_year_of_each_attack(sheet: Sheet, times: int) -> None:
    courses: dict[str, list[float]] = {}
    sheet.at_most("guessing, by reckoning, any attack", a_year_at_most() * 100, "% a year", LIMIT * 100)
    for occupied in OCCUPIED:
        for adversary in ADVERSARIES:
            days = HAMMERING_DAYS if adversary.hammers else DAYS
            found = attacked(adversary, occupied, days * times)
            name = f"guessing, {adversary.name}, {occupied} occupied"
            sheet.at_most(name, found.a_year * 100, "% a year", LIMIT * 100, _note(found))
            sheet.at_most(f"{name}: an honest person waits", found.longest_wait_s, "s", 60)
            courses[f"{adversary.name}, {occupied}"] = found.course[:DAYS_A_YEAR]
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(courses), encoding="utf-8")
    print(f"the course of the year: {PICTURE}")


def _note(found: Counts) -> str:
    return f"{found.tries} tries, {found.hits} at real codes, {found.hits_with_phone} more with the phone"


def picture(courses: Mapping[str, list[float]]) -> str:
    """Chance in percent over the days; the limit as a broken line."""
    top = LIMIT * 1.1

    def at(day: float, chance: float) -> str:
        return f"{LEFT + day * WIDTH / DAYS_A_YEAR:.1f},{TOP + HEIGHT * (1 - chance / top):.1f}"

    lines = []
    for n, (name, course) in enumerate(courses.items()):
        hue, dash = HUES[n % len(HUES)], "" if n < len(HUES) else ' stroke-dasharray="6 3"'
        points = " ".join(at(day, chance) for day, chance in enumerate(course, 1))
        y = TOP + 14 + 18 * n
        lines += [
            f'<polyline points="{points}" fill="none" stroke="{hue}" stroke-width="2"{dash}/>',
            f'<text x="{LEFT + WIDTH + 16}" y="{y}" fill="{hue}">{escape(name)}</text>',
        ]
    ends = [
        f'<text x="8" y="{TOP + HEIGHT * (1 - c / top) + 4:.0f}">{c:.2%}</text>'
        for c in (0.0, LIMIT / 2, LIMIT)
    ]
    start, end = at(0, LIMIT).split(","), at(DAYS_A_YEAR, LIMIT).split(",")
    size = f'width="{LEFT + WIDTH + 320}" height="{HEIGHT + 60}"'
    limit = f'x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"'
    words = "chance of having opened any occupied door; after the comma: how many are; broken line: the limit"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<line {limit} stroke="#000" stroke-dasharray="8 4"/>',
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        *ends,
        *lines,
        f'<text x="{LEFT}" y="{TOP + HEIGHT + 24}">a year of endless attack, day by day: {words}</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)
