"""Which lock, door sensor and item sensor belong to which compartment, checked as a whole.

A place is written ``A/3/1``: line A, board 3 on it, channel 1 as printed beside the terminal.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from firmware_bridge import boards
from firmware_bridge.boards import BoardProfile, Inputs, Locks
from firmware_bridge.codecs import encode
from firmware_bridge.debounce import READS
from firmware_bridge.errors import ProfileError, WiringError
from firmware_bridge.exchange import Timing
from firmware_bridge.request import Identify, Poll, ReadDoors, ReadItems
from firmware_bridge.station import IDLE_S
from locker.domain.ids import BoardId, CompartmentNumber

BAUDS: Final = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200})
DETECTION_MAX_S: Final = 5.0
POLL_CHANNELS_MIN: Final = 9
"""A poll of more than 8 inputs has another byte count than the question after a silence, which reads one."""
LINE_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{0,7}")
NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")
ADDRESS: Final = re.compile(r"0|[1-9][0-9]{0,2}")
PACKETS: Final = "modbus-tcp://"
"""A gateway that speaks Modbus TCP; ``socket://`` carries the line's own bytes."""
PULSE_CAP_MS: Final = 500
"""What an electromagnetic cabinet lock bears, by the makers' own setting; servo locks want up to 1000."""
MAIN_SUPPLY: Final = "main"


@dataclass(frozen=True, slots=True)
class Place:
    """One terminal."""

    board: BoardId
    channel: int

    def __str__(self) -> str:
        return f"{self.board}/{self.channel}"


@dataclass(frozen=True, slots=True)
class LineConfig:
    """``url``: a device such as ``/dev/serial/by-id/…``, ``socket://host:port`` or ``modbus-tcp://host:port``.
    Always 8N1; behind a gateway ``baud`` is that of the line behind it."""

    url: str
    baud: int = 9600

    @property
    def timing(self) -> Timing:
        return Timing(self.baud, packets=self.url.startswith(PACKETS))


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
class Experimental:
    """Whether boards with an unsettled fact may serve: only on the cabinet where the wiring was learned."""

    accepted: bool = False
    learned: str = ""
    """The digest of the wiring that was learned."""
    learning: bool = False


@dataclass(frozen=True, slots=True)
class CompartmentWiring:
    door: CompartmentNumber
    lock: Place
    sensor: Place
    item: Place | None
    pulse_ms: int
    closed_level: bool
    present_level: bool


@dataclass(frozen=True, slots=True)
class BoardWiring:
    board: BoardId
    line: str
    address: int
    profile: BoardProfile
    poll: Poll | None
    """All wired inputs in one read; None where none is wired."""
    supply: str
    """What feeds its locks. One coil at a time draws current from a supply."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Built by `build` alone, which refuses what does not hold."""

    lines: Mapping[str, LineConfig]
    boards: Mapping[BoardId, BoardWiring]
    compartments: Mapping[CompartmentNumber, CompartmentWiring]

    @classmethod
    def build(
        cls,
        lines: Mapping[str, LineConfig],
        boards: Mapping[str, str],
        compartments: Mapping[int, CompartmentConfig],
        supplies: Mapping[str, Sequence[str]] = MappingProxyType({}),
        experimental: Experimental = Experimental(),
    ) -> "Wiring":
        """``boards`` maps ``A/1`` to a profile's name, ``supplies`` a supply to the boards that it feeds; all
        others share one. Raises WiringError, whose ``subject`` says where."""
        _check_lines(lines)
        profiles = {
            _board_id(name, lines): (name, _profile(name, profile)) for name, profile in boards.items()
        }
        wired = {CompartmentNumber(n): _compartment(n, c, profiles) for n, c in sorted(compartments.items())}
        if not wired:
            raise WiringError("compartments", "there is none", "wire at least one")
        _refuse_duplicates(wired.values())
        fed = _supplies(supplies, profiles)
        stations = {
            board: _board(board, profile, wired.values(), fed.get(board, MAIN_SUPPLY))
            for board, (_, profile) in profiles.items()
        }
        wiring = cls(MappingProxyType(dict(lines)), MappingProxyType(stations), MappingProxyType(wired))
        for line in lines:
            wiring._check_line(line)
        wiring._check_experimental(experimental)
        return wiring

    def on_line(self, line: str) -> tuple[BoardWiring, ...]:
        return tuple(board for board in self.boards.values() if board.line == line)

    def detection_s(self, line: str) -> float:
        """At most this long until an opening on this line is believed: as many sweeps as readings must agree,
        and one read more."""
        polls = self.polls_s(line)
        inputs = [board.profile.inputs for board in self.on_line(line)]
        reads = max((each.believe_reads for each in inputs if each is not None), default=READS)
        return reads * max(IDLE_S, sum(polls)) + max(polls)

    def polls_s(self, line: str) -> tuple[float, ...]:
        """What the poll of each board takes on the wire, silences and the board's usual pause included."""
        timing = self.lines[line].timing
        return tuple(_poll_s(board, timing) for board in self.on_line(line))

    @property
    def digest(self) -> str:
        """Of all that `lockerctl wiring learn` proves: boards, terminals, levels."""
        boards = [f"{board}={each.profile.name}" for board, each in sorted(self.boards.items())]
        doors = [
            f"{n}={w.lock},{w.sensor},{w.item or ''},{w.closed_level:d},{w.present_level:d}"
            for n, w in sorted(self.compartments.items())
        ]
        return hashlib.sha256("\n".join(boards + doors).encode()).hexdigest()[:16]

    def _check_experimental(self, experimental: Experimental) -> None:
        for board, wired in self.boards.items():
            if not wired.profile.experimental or experimental.learning:
                continue
            problem = f"its profile {wired.profile.name} is experimental: {wired.profile.experimental}"
            if not experimental.accepted:
                remedy = (
                    "set accept_experimental in [bridge] and run lockerctl wiring learn, or use another board"
                )
                raise WiringError(f"board {board}", problem, remedy)
            if experimental.learned != self.digest:
                raise WiringError(
                    f"board {board}", f"{problem}; this wiring was not learned", "run lockerctl wiring learn"
                )

    def _check_line(self, line: str) -> None:
        if not self.on_line(line):
            raise WiringError(f"line {line}", "has no board", "name its boards or remove the line")
        detection_s = self.detection_s(line)
        if detection_s > DETECTION_MAX_S:
            problem = f"an opening is seen only after {detection_s:.1f} s, over {DETECTION_MAX_S:.0f}"
            raise WiringError(f"line {line}", problem, "split the line or raise its baud rate")


def _check_lines(lines: Mapping[str, LineConfig]) -> None:
    urls: dict[str, str] = {}
    for name, line in lines.items():
        subject = f"line {name}"
        if not LINE_NAME.fullmatch(name):
            raise WiringError(subject, "is no name for a line", "use a capital letter, such as A")
        if line.baud not in BAUDS:
            raise WiringError(subject, f"{line.baud} baud is not supported", f"use one of {sorted(BAUDS)}")
        if not line.url.startswith(("/", "socket://", PACKETS)):
            remedy = f"use a device such as /dev/serial/by-id/…, socket://host:port or {PACKETS}host:port"
            raise WiringError(subject, f"{line.url!r} is no port", remedy)
        if line.url in urls:
            raise WiringError(
                subject, f"shares {line.url} with line {urls[line.url]}", "give each line its own port"
            )
        urls[line.url] = name


def _board_id(name: str, lines: Mapping[str, LineConfig]) -> BoardId:
    line, _, address = name.partition("/")
    if not ADDRESS.fullmatch(address):
        raise WiringError(f"board {name}", "is not written as line/address", "write A/1")
    if line not in lines:
        raise WiringError(
            f"board {name}", f"there is no line {line}", f"lines are {', '.join(lines) or 'missing'}"
        )
    return BoardId(name)


def _profile(board: str, name: str) -> BoardProfile:
    try:
        profile = boards.load(name)
    except ProfileError as error:
        raise WiringError(f"board {board}", str(error), "correct the profile's name") from error
    address = int(board.partition("/")[2])
    if not profile.address.min <= address <= profile.address.max:
        problem = f"address {address} is outside {profile.address.min} to {profile.address.max}"
        raise WiringError(f"board {board}", problem, "give the board another address")
    return profile


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


def _compartment(number: int, config: CompartmentConfig, profiles: Profiles) -> CompartmentWiring:
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


def _closed_level(sensor: Place, profiles: "Profiles") -> int:
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


def _supplies(supplies: Mapping[str, Sequence[str]], profiles: Profiles) -> Mapping[BoardId, str]:
    fed: dict[BoardId, str] = {}
    for name, boards_fed in supplies.items():
        for board in map(BoardId, boards_fed):
            if board not in profiles:
                raise WiringError(f"supply {name}", f"there is no board {board}", "name boards of [boards]")
            if board in fed:
                problem = f"feeds {board}, and so does {fed[board]}"
                raise WiringError(f"supply {name}", problem, "name each board once")
            fed[board] = name
    return fed


def _refuse_duplicates(compartments: Iterable[CompartmentWiring]) -> None:
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


def _board(
    board: BoardId, profile: BoardProfile, compartments: Iterable[CompartmentWiring], supply: str
) -> BoardWiring:
    line, _, address = board.partition("/")
    wired = list(compartments)
    doors = [each.sensor.channel for each in wired if each.sensor.board == board]
    items = [each.item.channel for each in wired if each.item is not None and each.item.board == board]
    if not doors and not items and all(each.lock.board != board for each in wired):
        raise WiringError(f"board {board}", "nothing is wired to it", "wire a compartment to it or remove it")
    return BoardWiring(board, line, int(address), profile, _poll(board, profile, doors, items), supply)


def _poll(board: BoardId, profile: BoardProfile, doors: list[int], items: list[int]) -> Poll | None:
    channels = doors + items
    if not channels or profile.inputs is None:
        return None
    last = min(profile.inputs.channels, max(*channels, min(channels) + POLL_CHANNELS_MIN - 1))
    first = max(1, min(*channels, last - POLL_CHANNELS_MIN + 1))
    kind = ReadDoors if doors else ReadItems
    return kind(board, first, last - first + 1)


def _poll_s(board: BoardWiring, timing: Timing) -> float:
    """One poll on the wire, silences and the board's usual pause included."""
    request = board.poll or Identify(board.board)
    telegram = encode(board.profile, board.address, request)
    characters = len(telegram.data) + telegram.reply_length
    gap_s = max(timing.silence_s, board.profile.transport.gap_ms / 1000)
    return (
        timing.wire_s(characters)
        + gap_s
        + max(timing.silence_s, board.profile.transport.turn_around_ms / 1000)
    )
