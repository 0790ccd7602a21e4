"""By which channel a message is tried next, and when: decisions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync.central.messages.settings import Channel

TRIES: Final = 5
"""On one channel before the next has its turn: with their pauses half a minute to one and a half. A gateway
that only stumbles is over it by then, and who waits before a locker has not gone home."""
PATIENCE_MS: Final = 2 * 60_000
"""The same in time: each try may hang for long."""
FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 15 * 60_000
_DOUBLINGS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Tried:
    channel: str
    at_ms: int


def of(channels: Sequence[Channel], template: str) -> list[str]:
    """The names of those that a message may go by, in their order."""
    fitting = [channel for channel in channels if channel.serves(template)]
    return [channel.name for channel in sorted(fitting, key=lambda each: (each.order, each.name))]


def following(names: Sequence[str], failed: Sequence[Tried], now_ms: int) -> str:
    """The channel of the next try; ``failed`` are the tries so far, in order. Channels take turns."""
    last = failed[-1].channel if failed else ""
    if last not in names:
        return names[0]
    turn = _last_turn(failed)
    if len(turn) < TRIES and now_ms - turn[0].at_ms < PATIENCE_MS:
        return last
    return names[(names.index(last) + 1) % len(names)]


def pause_ms(names: Sequence[str], failed: Sequence[Tried], now_ms: int) -> int:
    """The longest pause before the next try: doubled with each that the channel, whose turn is next, lost."""
    channel = following(names, failed, now_ms)
    lost = sum(each.channel == channel for each in failed)
    return min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(max(0, lost - 1), _DOUBLINGS_MAX))


def _last_turn(failed: Sequence[Tried]) -> list[Tried]:
    turn: list[Tried] = []
    for each in reversed(failed):
        if each.channel != failed[-1].channel or (turn and len(turn) >= TRIES):
            break
        turn.insert(0, each)
    return turn
