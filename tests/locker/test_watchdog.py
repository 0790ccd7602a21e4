"""Systemd hears of us as long as everything with a thread of its own answers, and no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from locker import watchdog

PERIOD_MS = 20_000


class EnoughError(Exception):
    """The test has seen what it wanted."""


@dataclass
class Ticks:
    """A clock that stands still while others work, up to its end."""

    end_ms: int = 200_000
    now_ms: int = 1_000
    at: dict[int, Callable[[], object]] = field(default_factory=dict)

    def mono_ms(self) -> int:
        return self.now_ms

    async def sleep_until(self, mono_ms: int) -> None:
        for _ in range(5):
            await asyncio.sleep(0)  # noqa: TID251  # whoever can answer has answered then
        self.now_ms = mono_ms
        if mono_ms > self.end_ms:
            raise EnoughError
        for moment in [each for each in self.at if each <= mono_ms]:
            self.at.pop(moment)()


async def fed(clock: Any, **asks: Callable[[], Awaitable[object]]) -> list[int]:
    """When systemd heard of us."""
    said: list[int] = []
    with pytest.raises(EnoughError):
        await watchdog.feed(clock, lambda: said.append(clock.now_ms), PERIOD_MS, asks)
    return said


async def answers() -> None:
    """At once."""


async def test_twice_in_a_period_while_all_answer() -> None:
    assert await fed(Ticks(60_000), journal=answers, line=answers) == [*range(1_000, 60_000, 10_000)]


async def test_what_is_slow_is_waited_for_and_what_hangs_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    clock, gate = Ticks(), asyncio.Event()
    said = await fed(clock, journal=gate.wait, line=answers)
    # Asked at 1 s: 32 s later it hangs, and systemd ends us 20 s after it heard of us last.
    assert said == [1_000, 11_000, 21_000, 31_000]
    assert said[-1] + PERIOD_MS < 60_000
    assert caplog.text.count("journal has not answered for 40 s") == 1, "once"


async def test_who_answers_late_is_heard_of_again() -> None:
    clock, gate = Ticks(100_000), asyncio.Event()
    clock.at[62_000] = gate.set
    assert await fed(clock, line=gate.wait) == [1_000, 11_000, 21_000, 31_000, 81_000, 91_000]


async def test_a_part_that_is_broken_is_an_error_and_no_silence() -> None:
    async def breaks() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await watchdog.feed(Ticks(), lambda: None, PERIOD_MS, {"line": breaks})  # type: ignore[arg-type]  # see Ticks
