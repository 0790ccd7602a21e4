"""Does every relay let go after its pulse? Watched where a board can be asked; pure.

A timed pulse is ended from here, said until it is confirmed. A relay that stays on gets what the profile has
against it, once, and is then reported: what still has power must be cut by other means.
"""

from dataclasses import dataclass, field
from typing import Final

from firmware_bridge.boards.profile import BoardProfile, Modbus
from firmware_bridge.request import AllOff, Bits, Done, Pulse, ReadCoils, Release, Reply, Request
from locker.domain.ids import BoardId

MARGIN_S: Final = 0.2
"""A board's own timer runs in steps of 100 ms."""
AGAIN_S: Final = 0.1
"""Between two tries to end a pulse: others have their turn."""
REFUSALS_MAX: Final = 3
NEVER_S: Final = float("inf")


@dataclass(slots=True)
class CoilWatch:
    """Of one board. Times are float seconds of the line's clock."""

    board: BoardId
    profile: BoardProfile
    readable: bool = field(init=False)
    _timed: bool = field(init=False)
    _ends: dict[int, float] = field(default_factory=dict)
    """Of timed pulses under way: when each is to be ended."""
    _check_s: float = NEVER_S
    _all_off_due: bool = False
    _remedied: bool = False
    _refusals: int = 0

    def __post_init__(self) -> None:
        speech = self.profile.speech
        modbus = speech if isinstance(speech, Modbus) else None
        self.readable = modbus is not None and modbus.coils is not None and modbus.pulse is not None
        self._timed = modbus is not None and modbus.pulse is not None and modbus.pulse.kind == "timed"

    @property
    def rest(self) -> bool:
        """Whether nothing is owed: no pulse to end, no relay to look after. Until then no other may fire."""
        return not self._ends and self._check_s == NEVER_S and not self._all_off_due

    @property
    def due_s(self) -> float:
        """When there is something to say or ask."""
        if self._all_off_due:
            return 0.0
        return min(self._check_s, self.urgent_s)

    @property
    def urgent_s(self) -> float:
        """When a pulse must be ended: before anything else is said on the line."""
        return min(self._ends.values()) if self._ends else NEVER_S

    def question(self, now: float) -> Request | None:
        for channel, at_s in self._ends.items():
            if now >= at_s:
                return Release(self.board, channel)
        if self._all_off_due:
            return AllOff(self.board)
        return ReadCoils(self.board) if now >= self._check_s else None

    def pulsed(self, pulse: Pulse, now: float) -> None:
        end_s = now + pulse.pulse_ms / 1000
        if self._timed:
            self._ends[pulse.channel] = end_s
        if self.readable:
            self._check_s, self._remedied = end_s + MARGIN_S, False

    def not_pulsed(self, pulse: Pulse) -> None:
        """It was never written after all."""
        self._ends.pop(pulse.channel, None)
        self._check_s = NEVER_S

    def asked(self, request: Request, now: float) -> None:
        if isinstance(request, Release):
            self._ends[request.channel] = now + AGAIN_S
        if isinstance(request, AllOff) and self._all_off_due:
            self._all_off_due = False
            self._check_s = now

    def unconfirmed(self, request: Release, now: float) -> None:
        """Nobody answered. Once the line is dry the others have their turn before it is said again."""
        self._ends[request.channel] = now + self.profile.transport.drain_ms / 1000 + AGAIN_S

    def answered(self, request: Request, reply: Reply, now: float) -> tuple[int, ...]:
        """The channels that stay on although all was tried; none as long as there is hope."""
        if isinstance(request, Release):
            return self._released(request, reply)
        if not isinstance(request, ReadCoils) or not isinstance(reply, Bits):
            return ()
        on = tuple(n for n, level in enumerate(reply.levels, 1) if level is not False)
        if not on or self._remedied:
            self._check_s = NEVER_S
            return on
        self._remedied = True
        self._check_s = now
        self._all_off_due = self.profile.all_off is not None
        if self._timed:
            self._ends |= dict.fromkeys(on, now)
        return ()

    def _released(self, request: Release, reply: Reply) -> tuple[int, ...]:
        if isinstance(reply, Done):
            self._ends.pop(request.channel, None)
            self._refusals = 0
            return ()
        self._refusals += 1
        return (request.channel,) if self._refusals >= REFUSALS_MAX else ()

    def forget(self) -> None:
        """The board is lost. Before it serves again its relays are read, and what is on is met then."""
        self._ends.clear()
        self._check_s = NEVER_S
        self._all_off_due = self._remedied = False
        self._refusals = 0
