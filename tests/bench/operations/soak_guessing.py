"""Weeks of each attack at the keypad, on the real throttle and codes; TIMES=18 makes them a year."""

from pathlib import Path
from typing import Final

from tests.bench.figures import Sheet
from tests.guessing.attack import ADVERSARIES, DAYS_A_YEAR, LIMIT, Counts, a_year_at_most, attacked
from tests.guessing.picture import Course, picture

PICTURE: Final = Path(".cache/guessing.svg")
OCCUPIED: Final = (38, 154)
"""Doors at 80 %: of 48, and of 192."""
DAYS: Final = 20
HAMMERING_DAYS: Final = 2
"""A try a second is no more tries heard than a steady one has, and takes ten times as long to reckon."""


def test_a_year_of_each_attack(sheet: Sheet, times: int) -> None:
    courses: dict[str, Course] = {}
    sheet.at_most("guessing, by reckoning, any attack", a_year_at_most() * 100, "% a year", LIMIT * 100)
    for occupied in OCCUPIED:
        for adversary in ADVERSARIES:
            days = HAMMERING_DAYS if adversary.hammers else DAYS
            found = attacked(adversary, occupied, days * times)
            name = f"guessing, {adversary.name}, {occupied} occupied"
            sheet.at_most(name, found.a_year * 100, "% a year", LIMIT * 100, _note(found))
            sheet.at_most(f"{name}: an honest person waits", found.longest_wait_s, "s", 60)
            courses[f"{adversary.name}, {occupied}"] = found.course
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(courses, min(DAYS * times, DAYS_A_YEAR)), encoding="utf-8")
    print(f"the course of the year: {PICTURE}")


def _note(found: Counts) -> str:
    return f"{found.tries} tries, {found.hits} at real codes, {found.hits_with_phone} more with the phone"
