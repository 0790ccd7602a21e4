"""What one compartment is wired to: its lock, its door sensor, an item sensor; each place checked.

A place is written ``A/3/1``: line A, board 3 on it, channel 1 as printed beside the terminal.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from firmware_bridge.boards import BoardProfile, Inputs, Locks
from firmware_bridge.errors import WiringError
from locker.domain.ids import BoardId, CompartmentNumber

NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")
PULSE_CAP_MS: Final = 500
"""What an electromagnetic cabinet lock bears, by the makers' own setting; servo locks want up to 1000."""


@dataclass(frozen=True, slots=True)
class Place:
    """One terminal."""

    board: BoardId
    channel: int

    def __str__(self) -> str:
        return f"{self.board}/{self.channel}"


@dataclass(frozen=True, slots=True)
class CompartmentConfig:
    """One compartment as the configuration file has it. Levels are those of the input, 1 = contact closed."""

    lock: str
    sensor: str | None
    """None is refused: what cannot be seen cannot be answered for."""
    item: str | None = None
    pulse_ms: int | None = None
    """None: the board profile's own."""
    pulse_cap_ms: int = PULSE_CAP_MS
    """The longest pulse that this lock is rated for."""
    door_closed_level: int | None = None
    """None: the board profile's own."""
    item_present_level: int = 1


@dataclass(frozen=True, slots=True)
class CompartmentWiring:
    door: CompartmentNumber
    lock: Place
    sensor: Place
    item: Place | None
    pulse_ms: int
    closed_level: bool
    present_level: bool


Profiles = Mapping[BoardId, tuple[str, BoardProfile]]


def _place(subject: str, what: str, text: str, profiles: Profiles) -> tuple[Place, BoardProfile]:
    board, _, channel = text.rpartition("/")
    if not board or not NUMBER.fullmatch(channel):
        raise WiringError(
            subject, f"{what} {text!r} is not written as line/board/channel", "write A/1/3, from 1"
        )
    if BoardId(board) not in profiles:
        known = ", ".join(profiles) or "none"
        raise WiringError(subject, f"{what} {text} is on a board that is not named", f"boards are {known}")
    return Place(BoardId(board), int(channel)), profiles[BoardId(board)][1]


def _check_channel(subject: str, what: str, place: Place, part: Locks | Inputs | None) -> None:
    if part is None:
        raise WiringError(
            subject, f"{what} {place}: this board has none", "wire it to a board that has, or correct it"
        )
    if place.channel > part.channels:
        raise WiringError(subject, f"{what} {place}: there are 1 to {part.channels}", "correct the channel")


def compartment(number: int, config: CompartmentConfig, profiles: Profiles) -> CompartmentWiring:
    subject = f"compartment {number}"
    if number < 1:
        raise WiringError(subject, "is no compartment number", "count from 1, as painted on the doors")
    if config.sensor is None:
        raise WiringError(
            subject, "has no door sensor", "wire one: a door that is not seen cannot be answered for"
        )
    lock, board = _place(subject, "lock", config.lock, profiles)
    _check_channel(subject, "lock", lock, board.locks)
    sensor = _input(subject, "door sensor", config.sensor, profiles)
    item = None if config.item is None else _input(subject, "item sensor", config.item, profiles)
    pulse_ms = _pulse_ms(subject, config, board)
    closed = _level(subject, "door_closed_level", config.door_closed_level, _closed_level(sensor, profiles))
    present = _level(subject, "item_present_level", config.item_present_level, 1)
    return CompartmentWiring(CompartmentNumber(number), lock, sensor, item, pulse_ms, closed, present)


def _closed_level(sensor: Place, profiles: Profiles) -> int:
    inputs = profiles[sensor.board][1].inputs
    return inputs.closed_level if inputs is not None else 1


def _level(subject: str, what: str, level: int | None, otherwise: int) -> bool:
    if level is None:
        return bool(otherwise)
    if level not in {0, 1}:
        raise WiringError(subject, f"{what} is {level!r}", "use 0 or 1")
    return bool(level)


def _input(subject: str, what: str, text: str, profiles: Profiles) -> Place:
    place, board = _place(subject, what, text, profiles)
    _check_channel(subject, what, place, board.inputs)
    return place


def _pulse_ms(subject: str, config: CompartmentConfig, board: BoardProfile) -> int:
    locks, cap_ms = board.locks, config.pulse_cap_ms
    if locks is None:
        raise WiringError(subject, "its board has no locks", "wire the lock to a relay board")
    pulse_ms = locks.pulse_default_ms if config.pulse_ms is None else config.pulse_ms
    if not locks.pulse_min_ms <= pulse_ms <= locks.pulse_max_ms or pulse_ms % locks.unit_ms:
        remedy = f"use {locks.pulse_min_ms} to {locks.pulse_max_ms} ms in steps of {locks.unit_ms}"
        raise WiringError(subject, f"a pulse of {pulse_ms} ms is not within its board's cap", remedy)
    if pulse_ms > cap_ms:
        remedy = "shorten it, or set pulse_cap_ms if the lock's data sheet bears it"
        raise WiringError(subject, f"a pulse of {pulse_ms} ms is too long for a lock of {cap_ms} ms", remedy)
    return pulse_ms


def refuse_duplicates(compartments: Iterable[CompartmentWiring]) -> None:
    locks: dict[Place, CompartmentNumber] = {}
    inputs: dict[Place, CompartmentNumber] = {}
    for wired in compartments:
        places = [("lock", wired.lock, locks), ("door sensor", wired.sensor, inputs)]
        if wired.item is not None:
            places.append(("item sensor", wired.item, inputs))
        for what, place, taken in places:
            if place in taken:
                problem = f"{what} {place} already belongs to compartment {taken[place]}"
                raise WiringError(
                    f"compartment {wired.door}", problem, "wire each terminal to one compartment"
                )
            taken[place] = wired.door
