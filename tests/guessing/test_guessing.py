"""Guessing at the keypad: at most 0.1 % a locker-year; honest people wait a minute at most, or not at all."""

import math
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random  # noqa: TID251  # seeded

import pytest

from locker.domain import throttle
from locker.domain.errors import Reason, Refusal
from locker.domain.throttle import Guessing
from locker.domain.tokens import TokenPurpose
from locker.operations.present_code import (
    DropOffOffer,
    PickupOffer,
    keypad_wait_s,
    present_scanned,
    present_typed,
)
from tests.guessing.attack import (
    ADVERSARIES,
    LIMIT,
    POLICY,
    Adversary,
    Counts,
    Locker,
    a_year_at_most,
    attacked,
    hits_at_most,
)
from tests.guessing.picture import picture
from tests.locker.operations.test_present_code import unknown_locator
from tests.locker.operations.world import MemorySecrets, MemoryWorld

PICTURE = Path(".cache/guessing-reduced.svg")
SMALL, LARGE = 38, 154
"""Occupied doors at 80 %: of 48 doors, and of 192, the largest locker there is."""


@cache
def reduced(adversary: Adversary, occupied: int) -> Counts:
    """A few days of the year that the soak runs; not quite whole, for a day's sum begins at once."""
    return attacked(adversary, occupied, 0.99 if adversary.hammers else 2.99)


def test_no_attack_on_any_locker_reaches_the_limit() -> None:
    assert 0.0009 < a_year_at_most() <= LIMIT


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda adversary: adversary.name)
@pytest.mark.parametrize("occupied", [SMALL, LARGE])
def test_an_attack_gets_no_more_tries_than_reckoned(adversary: Adversary, occupied: int) -> None:
    found = reduced(adversary, occupied)
    print(
        f"{occupied:4} {adversary.name:28} {found.a_year:.4%} a year, reckoned {a_year_at_most():.4%}", found
    )
    assert 0 < found.hits <= hits_at_most(found.days)
    assert found.a_year <= LIMIT
    assert found.longest_wait_s <= 60
    assert found.restarts == 0 or found.hits <= hits_at_most(0)  # a restart never forgets the day's sum


def test_the_course_of_the_attacks_is_plotted_below_what_is_reckoned() -> None:
    courses = {
        f"{adversary.name}, {occupied}": reduced(adversary, occupied).course
        for occupied in (SMALL, LARGE)
        for adversary in ADVERSARIES
    }
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(courses, 3), encoding="utf-8")
    reckoned, *lines = _lines(PICTURE)
    assert len(lines) == len(courses)
    for line, name in zip(lines, courses, strict=True):
        assert line[-1][0] > 200, name
        for x, y in line:
            highest = min(at_y for at_x, at_y in reckoned if at_x <= x + 0.1)
            assert y >= highest - 1, name  # less chance is further down


def _lines(path: Path) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, _, y in (point.partition(",") for point in line.split())]
        for line in re.findall(r'<polyline points="([^"]+)"', path.read_text("utf-8"))
    ]


def test_who_knows_the_codes_comes_near_to_what_is_reckoned() -> None:
    """Else the reckoning would be idle, or the attack a weak one."""
    found = attacked(Adversary("knowing", knows=True), LARGE, 2.99)
    assert found.hits >= 0.9 * hits_at_most(found.days)


@pytest.mark.timeout(120)
def test_a_whole_year_of_the_strongest_attack_stays_below_the_limit() -> None:
    """Who knows the codes, and goes away while the phone is asked, is at what is reckoned, day after day."""
    found = attacked(Adversary("strongest", knows=True, patient=True), SMALL, 365)
    assert 0.98 * hits_at_most(365) <= found.hits <= hits_at_most(found.days)
    assert 0.9 * LIMIT < found.expected < LIMIT


def test_without_the_weight_the_limit_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "KNOWN_WEIGHT", 1)
    found = attacked(Adversary("knowing", knows=True), LARGE, 2.99)
    assert found.a_year > 5 * LIMIT


class ShortSecrets(MemorySecrets):
    """Keys under which only the last of the seven digits counts: one try in ten opens."""

    def digest(self, kind: str, text: str) -> str:
        return super().digest(kind, text[:3] + text[-1] if kind == "pick_up" else text)


async def test_a_try_at_a_code_that_exists_has_the_chance_it_is_weighed_with() -> None:
    """Importance sampling: with one digit instead of seven, one try in ten opens."""
    locker = Locker(20, secrets=ShortSecrets(Random(5)))
    tries, openings = 2_000, 0
    for turn in range(tries):
        if turn % 20 == 0:
            locker.renew()
        # The throttle is not the matter here: every try is a day's first.
        locker.journal.state = replace(locker.journal.state, guessing=Guessing())
        openings += isinstance(await locker.try_code(locker.live[turn % 20]), PickupOffer)
    assert locker.counts.tries == tries == locker.counts.hits + openings
    assert abs(openings - 0.1 * tries) < 4 * math.sqrt(tries * 0.1 * 0.9)


async def test_an_honest_person_waits_a_minute_at_the_keypad_at_most_and_never_with_a_scan() -> None:
    m = await MemoryWorld.start()
    code, token = await m.grant(), m.token("auth-C-1", TokenPurpose.DROP_OFF)
    for _ in range(400):
        while keypad_wait_s(m.world) == 0:
            await present_typed(m.world, unknown_locator(), "0000")
        at_ms = m.clock.mono_ms()
        assert isinstance(await present_scanned(m.world, token), DropOffOffer)
        assert m.clock.mono_ms() == at_ms
        wait_s = keypad_wait_s(m.world)
        assert 0 < wait_s <= 60
        m.clock.advance(wait_s * 1000)
    phone = "5678" if await present_typed(m.world, code) == Refusal(Reason.PHONE_ASKED) else ""
    assert phone
    assert isinstance(await present_typed(m.world, code, phone), DropOffOffer)


def test_a_failure_told_late_does_not_shorten_the_wait() -> None:
    """Unknown codes are told once a minute; one on a code that exists may have come since."""
    known = throttle.failed(Guessing(), 50_000, POLICY, 4)
    assert throttle.wait_s(throttle.failed(known, 10_000, POLICY), 50_000, POLICY) == 8
