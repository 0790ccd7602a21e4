"""Which lock, door sensor and item sensor belong to which compartment, checked as a whole."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from firmware_bridge import boards
from firmware_bridge.boards import BoardProfile
from firmware_bridge.boards.profile import Modbus
from firmware_bridge.codecs import encode
from firmware_bridge.debounce import READS
from firmware_bridge.errors import ProfileError, WiringError
from firmware_bridge.exchange import Timing
from firmware_bridge.request import Identify, Poll, ReadDoors, ReadItems
from firmware_bridge.station import IDLE_S
from firmware_bridge.terminals import (
    CompartmentConfig,
    CompartmentWiring,
    Place,
    Profiles,
    compartment,
    refuse_duplicates,
)
from locker.domain.ids import BoardId, CompartmentNumber

__all__ = ["CompartmentConfig", "CompartmentWiring", "Experimental", "LineConfig", "Place", "Wiring"]

BAUDS: Final = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200})
DETECTION_MAX_S: Final = 5.0
POLL_CHANNELS_MIN: Final = 9
"""A poll of more than 8 inputs has another byte count than the question after a silence, which reads one."""
LINE_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{0,7}")
ADDRESS: Final = re.compile(r"0|[1-9][0-9]{0,2}")
PACKETS: Final = "modbus-tcp://"
"""A gateway that speaks Modbus TCP; ``socket://`` carries the line's own bytes."""
MAIN_SUPPLY: Final = "main"


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
class Experimental:
    """Whether boards with an unsettled fact may serve: only on the cabinet where the wiring was learned."""

    accepted: bool = False
    learned: str = ""
    """The digest of the wiring that was learned."""
    learning: bool = False


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
        folder: Path = Path(),
    ) -> "Wiring":
        """``boards`` maps ``A/1`` to a profile's name, or to a file of its own below ``folder``.

        ``supplies`` maps a supply to the boards that it feeds; all others share one. Raises WiringError: its
        ``subject`` says where.
        """
        _check_lines(lines)
        profiles = {
            _board_id(name, lines): (name, _profile(name, profile, folder))
            for name, profile in boards.items()
        }
        wired = {CompartmentNumber(n): compartment(n, c, profiles) for n, c in sorted(compartments.items())}
        if not wired:
            raise WiringError("compartments", "there is none", "wire at least one")
        refuse_duplicates(wired.values())
        fed = _supplies(supplies, profiles)
        stations = {
            board: _board(board, profile, wired.values(), fed.get(board, MAIN_SUPPLY))
            for board, (_, profile) in profiles.items()
        }
        wiring = cls(MappingProxyType(dict(lines)), MappingProxyType(stations), MappingProxyType(wired))
        for line in lines:
            wiring._check_line(line)
            wiring._check_gateway(line)
            wiring._check_families(line)
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

    def _check_gateway(self, line: str) -> None:
        for board in self.on_line(line):
            if self.lines[line].timing.packets and not isinstance(board.profile.speech, Modbus):
                problem = f"a Modbus gateway carries no {board.profile.codec} frames"
                raise WiringError(f"board {board.board}", problem, "use a converter and socket://host:port")

    def _check_families(self, line: str) -> None:
        """A question of one family can be an order of another: a Winnsen poll, an 8A's batch order."""
        families = {board.profile.family: board.board for board in self.on_line(line)}
        if len(families) > 1:
            named = " and ".join(f"{family} ({board})" for family, board in sorted(families.items()))
            problem = f"boards of several families: {named}; one's question may be another's order"
            raise WiringError(f"line {line}", problem, "give each family a line of its own")

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


def _profile(board: str, name: str, folder: Path) -> BoardProfile:
    try:
        profile = boards.named(name, folder)
    except ProfileError as error:
        raise WiringError(f"board {board}", str(error), "correct the name, or the profile") from error
    address = int(board.partition("/")[2])
    if not profile.address.min <= address <= profile.address.max:
        problem = f"address {address} is outside {profile.address.min} to {profile.address.max}"
        raise WiringError(f"board {board}", problem, "give the board another address")
    return profile


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
