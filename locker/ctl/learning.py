"""Which input sees which door, from what all inputs say while one door after another is opened. Pure.

One `Trial` a door: all inputs at rest, a pulse, something moves, it moves back. What the trials mean for the
cabinet as a whole, `conclude` says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from firmware_bridge import boards
from firmware_bridge.boards import BoardProfile
from firmware_bridge.boards.profile import Xor8a
from firmware_bridge.wiring import Place, Wiring
from locker.domain.errors import IllegalTransition
from locker.domain.ids import CompartmentNumber

Levels = Mapping[Place, bool | None]
"""One reading of inputs; None where it was not to be had."""
Learned = Mapping[CompartmentNumber, tuple[Place, bool]]
"""Each door's sensor, and its level while the door is shut."""
READINGS_MAX: Final = 20
"""An input that is not steady by then cannot be read."""
MIRRORED_ENOUGH: Final = 2
"""Doors whose input stands where the other byte order would put it: one may be a crossed wire."""


class Phase(StrEnum):
    RESTING = "resting"
    """All doors are said to be shut; what the inputs say is being believed."""
    READY = "ready"
    AWAITING = "awaiting"
    """The lock was pulsed: something is to move."""
    STANDING = "standing"
    """It moved, and is to move back."""
    RETURNED = "returned"
    IN_VAIN = "in_vain"
    """Nothing moved, and nothing will."""


class Signal(StrEnum):
    SETTLED = "settled"
    FIRED = "fired"
    MOVED = "moved"
    BACK = "back"
    GIVEN_UP = "given_up"


NEXT: Final[Mapping[tuple[Phase, Signal], Phase]] = MappingProxyType(
    {
        (Phase.RESTING, Signal.SETTLED): Phase.READY,
        (Phase.RESTING, Signal.GIVEN_UP): Phase.IN_VAIN,
        (Phase.READY, Signal.FIRED): Phase.AWAITING,
        (Phase.READY, Signal.GIVEN_UP): Phase.IN_VAIN,
        (Phase.AWAITING, Signal.MOVED): Phase.STANDING,
        (Phase.AWAITING, Signal.GIVEN_UP): Phase.IN_VAIN,
        (Phase.STANDING, Signal.MOVED): Phase.STANDING,
        (Phase.STANDING, Signal.BACK): Phase.RETURNED,
    }
)


def advance(phase: Phase, signal: Signal) -> Phase:
    """The phase after ``signal``. Raises IllegalTransition."""
    try:
        return NEXT[phase, signal]
    except KeyError:
        raise IllegalTransition("trial", phase, signal) from None


@dataclass(slots=True)
class Trial:
    """One door's. ``reads``: so many equal readings in a row are believed, as the debouncing wants them."""

    places: frozenset[Place]
    """All that are read."""
    reads: int
    phase: Phase = Phase.RESTING
    rest: dict[Place, bool] = field(default_factory=dict)
    """What each input says while all doors are shut; an input that cannot be read is not in it."""
    moved: set[Place] = field(default_factory=set)
    _runs: dict[Place, tuple[bool | None, int]] = field(default_factory=dict)
    _times: Counter[Place] = field(default_factory=Counter)

    def heard(self, levels: Levels) -> Phase:
        """One more reading, of all places or of some."""
        self._times.update(levels.keys())
        for place, level in levels.items():
            last, times = self._runs.get(place, (None, 0))
            self._runs[place] = (level, times + 1 if level == last else 1)
        if self.phase is Phase.RESTING:
            self._rest()
        elif self.phase in {Phase.AWAITING, Phase.STANDING}:
            self._follow()
        return self.phase

    def fired(self) -> None:
        self._advance(Signal.FIRED)

    def give_up(self) -> None:
        self._advance(Signal.GIVEN_UP)

    def _rest(self) -> None:
        believed = {place: self._believed(place) for place in self.places}
        if all(believed[n] is not None or self._times[n] >= READINGS_MAX for n in self.places):
            self.rest = {place: level for place, level in believed.items() if level is not None}
            self._advance(Signal.SETTLED)

    def _follow(self) -> None:
        astray = {place for place, level in self.rest.items() if self._believed(place) is (not level)}
        if astray - self.moved:
            self.moved |= astray
            self._advance(Signal.MOVED)
        elif self.moved and all(self._believed(place) is self.rest[place] for place in self.moved):
            self._advance(Signal.BACK)

    def _believed(self, place: Place) -> bool | None:
        level, times = self._runs.get(place, (None, 0))
        return level if times >= self.reads else None

    def _advance(self, signal: Signal) -> None:
        self.phase = advance(self.phase, signal)


class Finding(StrEnum):
    LEARNED = "learned"
    NOTHING_MOVED = "nothing_moved"
    SEVERAL_MOVED = "several_moved"
    NOT_TRIED = "not_tried"
    OTHER_DOOR = "other_door"
    """The technician saw another door open."""


@dataclass(frozen=True, slots=True)
class Result:
    door: CompartmentNumber
    finding: Finding
    sensor: Place | None = None
    closed_level: bool | None = None
    moved: tuple[Place, ...] = ()
    why: str = ""


def result(door: CompartmentNumber, trial: Trial, items: frozenset[Place] = frozenset()) -> Result:
    """What one trial says. ``items``: inputs wired to item sensors, which may move as well."""
    moved = tuple(sorted(trial.moved, key=str))
    doors = tuple(place for place in moved if place not in items) or moved
    if not doors:
        return Result(door, Finding.NOTHING_MOVED)
    if len(doors) > 1:
        return Result(door, Finding.SEVERAL_MOVED, moved=doors)
    return Result(door, Finding.LEARNED, doors[0], trial.rest[doors[0]], doors)


# --- the cabinet as a whole -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conclusion:
    """``learned``: the doors that were. ``complete``: and no door is left.

    ``conflicts``: nothing may be written with these. ``left``: doors that keep what the file says, unproved.
    """

    learned: Learned
    conflicts: tuple[str, ...]
    left: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not (self.conflicts or self.left)


def conclude(wiring: Wiring, results: Sequence[Result], known: frozenset[CompartmentNumber]) -> Conclusion:
    """``known``: doors that were not tried because an earlier learning vouches for them."""
    learned = {
        each.door: (each.sensor, each.closed_level)
        for each in results
        if each.finding is Finding.LEARNED and each.sensor is not None and each.closed_level is not None
    }
    tried = {each.door for each in results if each.finding is not Finding.NOT_TRIED}
    order = status_order(wiring, results)
    # What else is wrong follows from the order, or will show again without it.
    conflicts = (order,) if order else (*_duplicates(wiring, learned), *_crossed_locks(wiring, results))
    left = [
        f"door {each.door}: {_said(each)}"
        for each in results
        if each.finding not in {Finding.LEARNED, Finding.OTHER_DOOR} and each.door not in known - tried
    ]
    remarks = (*_moved_elsewhere(wiring, learned), *_polarity(wiring, learned))
    return Conclusion(MappingProxyType(learned), conflicts, tuple(left), remarks)


def status_order(wiring: Wiring, results: Sequence[Result]) -> str:
    """Not empty where the status bytes of a board arrive in the other order than its profile says."""
    for board, wired in wiring.boards.items():
        speech = wired.profile.speech
        if not isinstance(speech, Xor8a):
            continue
        pairs = [
            (lock.channel, each.sensor.channel)
            for each in results
            if each.sensor is not None and each.sensor.board == board
            if (lock := wiring.compartments[each.door].lock).board == board
        ]
        turned = [pair for pair in pairs if pair[0] != pair[1] == _turned(pair[0], speech.status_bytes)]
        straight = [pair for pair in pairs if pair[0] == pair[1] != _turned(pair[0], speech.status_bytes)]
        if len(turned) >= MIRRORED_ENOUGH and not straight:
            channel, moved = turned[0]
            return (
                f"board {board}: lock {channel} moves input {moved}: the status order is the other one; "
                f"{_other_order(wired.profile)}"
            )
    return ""


def _turned(channel: int, status_bytes: int) -> int:
    """Where a channel stands if the bytes come the other way round."""
    octet, bit = divmod(channel - 1, 8)
    return 8 * (status_bytes - 1 - octet) + bit + 1


def _other_order(profile: BoardProfile) -> str:
    speech = profile.speech
    for name in boards.names():
        other = boards.load(name)
        twin = other.speech
        if (
            isinstance(speech, Xor8a)
            and isinstance(twin, Xor8a)
            and (twin.status_bytes, twin.timed, other.locks)
            == (speech.status_bytes, speech.timed, profile.locks)
            and twin.high_first is not speech.high_first
        ):
            return f"use profile {name} in [boards], then learn again"
    return "no profile here reads it so: see docs/boards.md for how to add one"


def _duplicates(wiring: Wiring, learned: Learned) -> Iterator[str]:
    """One input for two doors; also for a door that was learned and one that keeps what the file says."""
    seen: dict[Place, CompartmentNumber] = {}
    for door, wired in wiring.compartments.items():
        sensor = learned[door][0] if door in learned else wired.sensor
        if sensor in seen:
            other = seen[sensor]
            kept = [str(each) for each in (other, door) if each not in learned]
            why = f" (door {', '.join(kept)} as the file has it)" if kept else ""
            yield f"input {sensor} would see door {other} and door {door}{why}: one sensor cannot see two"
        seen.setdefault(sensor, door)


def _crossed_locks(wiring: Wiring, results: Sequence[Result]) -> Iterator[str]:
    for each in results:
        if each.finding is Finding.OTHER_DOOR:
            lock = wiring.compartments[each.door].lock
            yield f"lock {lock} opened {each.why}, not door {each.door}: correct `lock` or the wires"


def _moved_elsewhere(wiring: Wiring, learned: Learned) -> Iterator[str]:
    for door, (sensor, _) in learned.items():
        was = wiring.compartments[door].sensor
        if was != sensor:
            yield f"door {door}: sensor {sensor}, the file had {was}"


def _polarity(wiring: Wiring, learned: Learned) -> Iterator[str]:
    turned = [
        door for door, (_, level) in learned.items() if level is not wiring.compartments[door].closed_level
    ]
    if turned and len(turned) == len(learned):
        level = learned[turned[0]][1]
        yield f"all shut doors read open: the contacts are the other kind; door_closed_level = {level:d}"
    elif turned:
        yield f"doors {', '.join(map(str, turned))} have the other kind of contact: see door_closed_level"


def _said(each: Result) -> str:
    match each.finding:
        case Finding.NOTHING_MOVED:
            return each.why or "no input moved: it is stuck, or its sensor or its lock is not connected"
        case Finding.SEVERAL_MOVED:
            places = ", ".join(map(str, each.moved))
            return f"inputs {places} moved together: their wires touch, or two doors opened"
    return each.why or "was not tried"
