"""Whose turn it is on one line, and from when on. Pure: no bytes, no replies.

A pulse that we must end goes before everything; then pulses, then whoever's turn it is: boards by their due
time, and between two of their questions one of a technician's.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from firmware_bridge.happenings import Inquiry
from firmware_bridge.limits import OpeningLimits
from firmware_bridge.request import Pulse, Request
from firmware_bridge.station import Standing, Station
from locker.domain.ids import BoardId

QUEUE_MAX: Final = 16
"""Pulses waiting on one line. People open doors one by one; more is a mistake above."""
INQUIRIES_MAX: Final = 64
FRESH_S: Final = 1.0
"""A board heard longer ago is asked what it is before it is sent a pulse."""
NEVER_S: Final = float("inf")

Asking = tuple[Station, Request] | Inquiry
"""Who is asked what."""
Turn = tuple[Asking | None, float]
"""What is next, and from when on; None: nothing before then."""


class Schedule:
    def __init__(self, stations: Mapping[BoardId, Station], limits: OpeningLimits) -> None:
        self._stations = stations
        self._limits = limits
        self._pulses: deque[Pulse] = deque()
        self._inquiries: deque[Inquiry] = deque()
        self._inquiry_was_last = False

    def add(self, pulse: Pulse) -> bool:
        """False: too many wait."""
        if len(self._pulses) >= QUEUE_MAX:
            return False
        self._pulses.append(pulse)
        return True

    def remove(self, pulse: Pulse) -> bool:
        """False: it does not wait (any more)."""
        if pulse not in self._pulses:
            return False
        self._pulses.remove(pulse)
        return True

    def add_inquiry(self, inquiry: Inquiry) -> bool:
        """False: too many wait."""
        if len(self._inquiries) >= INQUIRIES_MAX:
            return False
        self._inquiries.append(inquiry)
        return True

    def cleared(self) -> Iterator[Pulse | Inquiry]:
        """All that waits, taken out."""
        while self._pulses:
            yield self._pulses.popleft()
        while self._inquiries:
            yield self._inquiries.popleft()

    def hopeless(self, now: float) -> Iterator[tuple[Pulse, str]]:
        """Pulses that will never go, taken out, each with the reason."""
        for pulse in tuple(self._pulses):
            reason = self._refusal(pulse, now)
            if reason is not None:
                self._pulses.remove(pulse)
                yield pulse, reason

    @property
    def deadline_s(self) -> float:
        """When the first pulse that waits will be too late."""
        return min(pulse.deadline_s for pulse in self._pulses) if self._pulses else NEVER_S

    def turn(self, now: float, *, echo_known: bool) -> Turn:
        if not self._stations:
            return (self._inquiries[0], now) if self._inquiries else (None, NEVER_S)
        ending = min(self._stations.values(), key=lambda each: each.coils.urgent_s)
        if now >= ending.coils.urgent_s:
            return (ending, ending.question_of_coils(now)), now
        asking, from_s = self._pulse_turn(now, echo_known=echo_known)
        if asking is not None:
            return asking, from_s
        # Never past the moment at which a pulse may go, or must end.
        return self._other_turn(now, min(from_s, ending.coils.urgent_s))

    def take(self, asking: Asking, now: float) -> bool:
        """It goes out now. False if the locks' supply feeds another coil since it was chosen."""
        self._inquiry_was_last = isinstance(asking, Inquiry)
        if isinstance(asking, Inquiry):
            self._inquiries.remove(asking)
            return True
        station, request = asking
        if isinstance(request, Pulse):
            assert station.profile.locks is not None, "a board without locks was refused before"  # noqa: S101
            if not self._limits.fire(request, station.profile.locks, now):
                return False
            self._pulses.remove(request)
        station.asked(request, now)
        return True

    def _refusal(self, pulse: Pulse, now: float) -> str | None:
        station = self._stations[pulse.board]
        if now >= pulse.deadline_s:
            return "late"
        if station.standing is Standing.LOCKED_OUT:
            return "board_locked_out"
        if station.standing is Standing.LOST or station.profile.locks is None:
            return "board_lost"
        return self._limits.refusal(pulse, station.profile.locks, now)

    def _pulse_turn(self, now: float, *, echo_known: bool) -> Turn:
        """The first pulse that may go, or the question that its board must answer before."""
        from_s = NEVER_S
        for pulse in self._pulses:
            station = self._stations[pulse.board]
            assert station.profile.locks is not None, "a board without locks was refused before"  # noqa: S101
            fresh = station.standing is Standing.SERVING and now - station.heard_at_s <= FRESH_S
            if not (fresh and echo_known):
                return (station, station.question(now)), now
            # Until a board's relays are known to have let go, none of them fires again.
            rested_s = now if station.coils.rest else station.coils.due_s
            ready_s = max(rested_s, self._limits.ready_s(pulse, station.profile.locks))
            if now >= ready_s:
                return (station, pulse if station.coils.rest else station.question_of_coils(now)), now
            from_s = min(from_s, ready_s)
        return None, from_s

    def _other_turn(self, now: float, until_s: float) -> Turn:
        station = min(self._stations.values(), key=lambda each: each.due_s)
        due_s = max(now, station.due_s)
        others_turn = due_s > now or not self._inquiry_was_last
        if self._inquiries and not self._pulses and others_turn:
            return self._inquiries[0], now
        if due_s > until_s:
            return None, max(now, until_s)
        return (station, station.question(due_s)), due_s
