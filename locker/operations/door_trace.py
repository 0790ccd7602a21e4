"""One door's try within a self-test, as the journal tells it, and what that says of the door."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from locker.domain.acceptance import DoorResult, Finding, Outcome
from locker.domain.compartment import Compartment
from locker.domain.door import Position, Presence
from locker.domain.entry import Entry
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    DoorClosed,
    DoorForced,
    DoorOpened,
    DoorStuck,
    OpeningRequested,
    PulseAcknowledged,
    PulseNotSent,
    PulseRefused,
)
from locker.domain.ids import CompartmentNumber, GrantId

_RESTING: Final = frozenset({"cool_down", "hourly_limit"})
"""Why a lock that is sound gets no pulse just now."""

Judgement = tuple[Outcome, Finding, str]


@dataclass(slots=True)
class Trace:
    """``before``: what its item sensor said at first. Moments are monotonic."""

    door: CompartmentNumber
    before: Presence
    grant: GrantId = GrantId("")
    requested_ms: int = 0
    acknowledged_ms: int | None = None
    opened_ms: int | None = None
    shut_ms: int | None = None
    after: Presence = Presence.UNKNOWN
    ended: bool = False
    """It did not open, and will not."""
    not_sent: str = ""
    refused: str = ""
    moved: set[CompartmentNumber] = field(default_factory=set)
    """Doors that opened meanwhile without a grant."""

    def heard(self, entry: Entry) -> None:
        """One more entry of the journal."""
        at_ms = entry.stamp.mono_ms
        match entry.event:
            case OpeningRequested(key, self.door):
                self.grant, self.requested_ms = key, at_ms
            case PulseAcknowledged(self.grant):
                self.acknowledged_ms = at_ms
            case PulseNotSent(self.grant, reason):
                self.not_sent, self.ended = reason, True
            case PulseRefused(self.grant, reason):
                self.refused, self.ended = reason, True
            case DoorOpened(self.door, self.grant):
                self.opened_ms = at_ms
            case DoorStuck(self.door, self.grant):
                self.ended = True
            case DoorClosed(self.door, self.grant, item):
                self.shut_ms, self.after = at_ms, item
            case DoorForced(other):
                self.moved.add(other)

    def result(self, outcome: Outcome, finding: Finding = Finding.NONE, about: str = "") -> DoorResult:
        opened_ms, shut_ms = self.opened_ms, self.shut_ms
        return DoorResult(
            self.door,
            outcome,
            finding,
            about,
            None if self.acknowledged_ms is None else self.acknowledged_ms - self.requested_ms,
            None if opened_ms is None else opened_ms - self.requested_ms,
            None if opened_ms is None or shut_ms is None else shut_ms - opened_ms,
            self.before,
            self.after,
        )

    def judged(
        self, *, unseen: bool, stopping: bool, replies: bool, item_sensor: bool, limit_ms: int | None
    ) -> DoorResult:
        """The first thing that is wrong; the graver ones come first.

        ``unseen``: nothing is known of its sensor now. ``replies``: its board acknowledges pulses.
        ``limit_ms``: an opening must be seen this soon after its pulse.
        """
        rest = self._of_rest(replies, item_sensor, limit_ms)
        chain = (self._of_pulse(), self._of_leaf(unseen, stopping), rest)
        for judgements in chain:
            for judgement in judgements:
                return self.result(*judgement)
        return self.result(Outcome.PASSED)

    def _of_pulse(self) -> Iterator[Judgement]:
        if self.not_sent in _RESTING:
            yield Outcome.SKIPPED, Finding.RESTING, self.not_sent
        elif self.not_sent:
            yield Outcome.FAILED, Finding.NOT_SENT, self.not_sent
        elif self.refused:
            yield Outcome.FAILED, Finding.REFUSED, self.refused

    def _of_leaf(self, unseen: bool, stopping: bool) -> Iterator[Judgement]:
        if self.moved:
            yield Outcome.FAILED, Finding.OTHER_MOVED, listed(self.moved)
        elif self.shut_ms is not None:
            return
        elif stopping and not self.ended:
            yield Outcome.SKIPPED, Finding.STOPPED, ""
        elif unseen:
            yield Outcome.FAILED, Finding.NOT_SEEN, ""
        else:
            yield Outcome.FAILED, Finding.STUCK if self.opened_ms is None else Finding.NOT_SHUT, ""

    def _of_rest(self, replies: bool, item_sensor: bool, limit_ms: int | None) -> Iterator[Judgement]:
        seen_ms = self.result(Outcome.PASSED).seen_ms
        if replies and self.acknowledged_ms is None:
            yield Outcome.FAILED, Finding.NOT_ACKNOWLEDGED, ""
        elif self.after is Presence.PRESENT:
            yield Outcome.FAILED, Finding.ITEM_SEEN, "after"
        elif item_sensor and self.after is Presence.UNKNOWN:
            yield Outcome.FAILED, Finding.ITEM_NOT_SEEN, "after"
        elif self.acknowledged_ms is not None and limit_ms is not None and (seen_ms or 0) > limit_ms:
            yield Outcome.FAILED, Finding.SEEN_LATE, f"{limit_ms} ms"


def unfit(compartment: Compartment) -> tuple[Finding, str] | None:
    """Why a vacant door is not even tried."""
    if compartment.position is Position.UNKNOWN:
        return Finding.NOT_SEEN, ""
    if compartment.position is Position.OPEN:
        return Finding.READS_OPEN, ""
    if compartment.item is Presence.PRESENT:
        return Finding.ITEM_SEEN, "before"
    if compartment.spec.item_sensor and compartment.item is Presence.UNKNOWN:
        return Finding.ITEM_NOT_SEEN, "before"
    return None


def turned_away(refusal: Refusal) -> Judgement:
    """Between our look and the decision somebody may have come."""
    if refusal.reason in {Reason.OCCUPIED, Reason.NOT_NOW}:
        return Outcome.SKIPPED, Finding.NOT_VACANT, "taken just now"
    if refusal.reason is Reason.DOOR_BUSY:
        return Outcome.SKIPPED, Finding.BUSY, ""
    if refusal.reason is Reason.BOARD_LOST:
        return Outcome.FAILED, Finding.NOT_SEEN, ""
    return Outcome.FAILED, Finding.REFUSED, refusal.reason.value


def listed(doors: set[CompartmentNumber]) -> str:
    return ", ".join(str(door) for door in sorted(doors))
