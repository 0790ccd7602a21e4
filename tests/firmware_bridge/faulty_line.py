"""A line in memory under virtual time: toy boards written from the manual, and everything that can go wrong.

It judges by what is on the wire: when each telegram started, what each board carried out.
"""

import heapq
import itertools
import random  # noqa: TID251  # seeded noise
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from firmware_bridge import boards as profiles
from firmware_bridge.bus import Bus, Send
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import BusEvent, PulseSettled
from firmware_bridge.request import Pulse, ReadDoors
from firmware_bridge.station import Station
from locker.domain.ids import BoardId

E = TypeVar("E")


def crc(body: bytes) -> bytes:
    rest = 0xFFFF
    for octet in body:
        rest ^= octet
        for _ in range(8):
            rest = (rest >> 1) ^ (0xA001 if rest & 1 else 0)
    return rest.to_bytes(2, "little")


def sealed(*body: int) -> bytes:
    return bytes(body) + crc(bytes(body))


@dataclass
class ToyBoard:
    address: int
    relays: int = 0
    inputs: list[bool] = field(default_factory=list)
    version: int = 200
    modes: list[int] | None = None
    dead: bool = False
    refuses: int = 0
    """By which exception; 0: it does not."""
    fired: list[tuple[float, int, int]] = field(default_factory=list)
    """(when, channel from 1, units of 100 ms)"""
    off: int = 0
    welded: set[int] = field(default_factory=set)
    """Channels that stay on once they were."""

    def on(self, at_s: float) -> set[int]:
        running = {channel for fired_s, channel, units in self.fired if at_s < fired_s + units / 10}
        return running | (self.welded & {channel for _, channel, _ in self.fired})

    def hear(self, frame: bytes, at_s: float) -> bytes | None:  # noqa: C901, PLR0911  # one answer a function code
        if self.dead or len(frame) < 8 or frame[0] != self.address or crc(frame[:-2]) != frame[-2:]:
            return None
        function, where, value = (
            frame[1],
            int.from_bytes(frame[2:4], "big"),
            int.from_bytes(frame[4:6], "big"),
        )
        if function == 2 and where + value <= len(self.inputs):
            octets = [0] * ((value + 7) // 8)
            for n, level in enumerate(self.inputs[where : where + value]):
                octets[n // 8] |= level << n % 8
            return sealed(self.address, 2, len(octets), *octets)
        if function == 1 and where == 0 and value == self.relays:
            octets = [0] * ((value + 7) // 8)
            for channel in self.on(at_s):
                octets[(channel - 1) // 8] |= 1 << (channel - 1) % 8
            return sealed(self.address, 1, len(octets), *octets)
        if function == 3 and where == 0x8000 and self.relays:
            return sealed(self.address, 3, 2, *self.version.to_bytes(2, "big"))
        if function == 3 and where == 0x1000 and self.modes is not None and value == len(self.modes):
            data = b"".join(mode.to_bytes(2, "big") for mode in self.modes)
            return sealed(self.address, 3, len(data), *data)
        if function == 5 and 0x200 <= where < 0x200 + self.relays and 1 <= value <= 0x7FFF:
            if self.refuses:
                return sealed(self.address, 0x85, self.refuses)
            self.fired.append((at_s, where - 0x200 + 1, value))
            return frame
        if function == 5 and where == 0xFF and value == 0 and self.relays:
            self.off += 1
            return frame
        return sealed(self.address, function | 0x80, 2)


@dataclass
class Faults:
    """Chances a frame."""

    request_lost: float = 0
    reply_lost: float = 0
    flipped: float = 0
    prefix: float = 0
    late: float = 0
    doubled: float = 0
    foreign: float = 0
    cut: float = 0

    @classmethod
    def all(cls, chance: float) -> "Faults":
        return cls(*[chance] * 8)


class World:
    """One bus (its own, or one that is given), its line and its boards. ``run`` moves virtual time."""

    def __init__(
        self,
        stations: dict[BoardId, str],
        toys: dict[BoardId, ToyBoard],
        *,
        polls: dict[BoardId, ReadDoors] | None = None,
        baud: int = 9600,
        echo: bool = False,
        faults: Faults | None = None,
        seed: int = 1,
        bus: Bus | None = None,
    ) -> None:
        self.now = 100.0
        self.rng = random.Random(seed)
        self.faults = faults or Faults()
        self.timing = Timing(baud)
        self.echo = echo
        self.toys = toys
        self.events: list[BusEvent] = []
        self.sent: list[tuple[float, bytes]] = []
        self.gaps: list[float] = []
        self._quiet_s = float("-inf")
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        polls = polls or {}
        self.stations = {
            board: Station(board, int(board.partition("/")[2]), profiles.load(name), polls.get(board))
            for board, name in stations.items()
        }
        self.bus = bus or Bus(self.timing, self.stations.values(), self.events.append)
        self.bus.port_opened(self.now)

    def at(self, moment_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment_s, next(self._order), action))

    def run(self, for_s: float) -> None:
        end_s = self.now + for_s
        while True:
            step = self.bus.next(self.now)
            if isinstance(step, Send):
                self._written(step.data)
                continue
            moment_s = min(step.until_s, self._due[0][0] if self._due else end_s, end_s)
            self.now = max(self.now, moment_s)
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            if self.now >= end_s:
                return

    def pulse(self, board: BoardId, channel: int, within_s: float = 3.0) -> Pulse:
        pulse = Pulse(board, channel, 500, self.now + within_s)
        self.bus.submit(pulse, self.now)
        return pulse

    def settled(self, pulse: Pulse) -> list[PulseSettled]:
        return [event for event in self.events if isinstance(event, PulseSettled) and event.pulse is pulse]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def arrive(self, data: bytes, start_s: float) -> None:
        """Bytes reach the driver one character time apart."""
        for n, octet in enumerate(data, 1):
            self.at(start_s + self.timing.wire_s(n), partial(self._arrived, octet))

    def _arrived(self, octet: int) -> None:
        self._quiet_s = max(self._quiet_s, self.now)
        self.bus.received(bytes([octet]), self.now)

    def _chance(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance

    def _written(self, data: bytes) -> None:
        self.sent.append((self.now, data))
        self.gaps.append(self.now - self._quiet_s)
        end_s = self.now + self.timing.wire_s(len(data))
        self._quiet_s = max(self._quiet_s, end_s)
        if self.echo:
            self.arrive(data, self.now)
        if self._chance(self.faults.request_lost):
            return
        for toy in self.toys.values():
            if (reply := toy.hear(data, self.now)) is not None:
                self._reply(reply, end_s + self.timing.silence_s + self.rng.uniform(0, 0.01))

    def _reply(self, reply: bytes, start_s: float) -> None:
        faults, rng = self.faults, self.rng
        if self._chance(faults.reply_lost):
            return
        if self._chance(faults.foreign):
            # A refusal in this board's own name would be a forgery, which nobody could tell from its word.
            address = rng.randrange(1, 9)
            functions = [1, 2, 3, 5] if address == reply[0] else [1, 2, 3, 5, 0x85]
            reply = sealed(address, rng.choice(functions), *rng.randbytes(rng.randrange(1, 7)))
        if self._chance(faults.flipped):
            place = rng.randrange(len(reply))
            reply = reply[:place] + bytes([reply[place] ^ rng.randrange(1, 256)]) + reply[place + 1 :]
        if self._chance(faults.cut):
            reply = reply[: rng.randrange(len(reply))]
        if self._chance(faults.prefix):
            reply = rng.randbytes(rng.randrange(1, 6)) + reply
        if self._chance(faults.late):
            start_s += rng.choice([0.05, 0.2, 0.5, 1.0]) * rng.random()
        self.arrive(reply, start_s)
        if self._chance(faults.doubled):
            self.arrive(reply, start_s + self.timing.wire_s(len(reply)) + rng.choice([0.0, 0.003, 0.05]))
