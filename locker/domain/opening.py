"""One attempt to open one door: a table and one function."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.errors import IllegalTransition
from locker.domain.ids import CompartmentNumber, DepositId, GrantId, StaffId


class Purpose(StrEnum):
    DROP_OFF = "drop_off"
    REOPEN = "reopen"
    """The applicant looks into their own submission again: a forgotten page, or taking it back."""
    INTAKE = "intake"
    LOAD = "load"
    PICK_UP = "pick_up"
    WITHDRAW = "withdraw"
    CHECK = "check"
    SERVICE = "service"
    """A technician tries a door behind which nothing lies."""
    REMOTE = "remote"
    """From afar, on an act of the centre that two people approved."""


class Phase(StrEnum):
    REQUESTED = "requested"
    """The grant is durable; nothing is known of the wire yet."""
    ACKNOWLEDGED = "acknowledged"
    UNCERTAIN = "uncertain"
    OPEN = "open"
    LEFT_OPEN = "left_open"
    CLOSED = "closed"
    STUCK = "stuck"
    """Pulsed, and the sensor saw no opening in time."""
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    """The daemon died in between. Settled by the sensor or by a person, never pulsed again."""


class Signal(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    REFUSE = "refuse"
    NOT_SENT = "not_sent"
    DOOR_OPENS = "door_opens"
    DOOR_SHUTS = "door_shuts"
    OPEN_DEADLINE = "open_deadline"
    LEFT_OPEN_DEADLINE = "left_open_deadline"
    RESTART = "restart"


NEXT: Final[Mapping[tuple[Phase, Signal], Phase]] = MappingProxyType(
    {
        (Phase.REQUESTED, Signal.ACKNOWLEDGE): Phase.ACKNOWLEDGED,
        (Phase.REQUESTED, Signal.SILENCE): Phase.UNCERTAIN,
        (Phase.REQUESTED, Signal.REFUSE): Phase.REFUSED,
        (Phase.REQUESTED, Signal.NOT_SENT): Phase.NOT_SENT,
        # The sensor may be quicker than the board's reply.
        (Phase.REQUESTED, Signal.DOOR_OPENS): Phase.OPEN,
        (Phase.REQUESTED, Signal.RESTART): Phase.UNKNOWN,
        (Phase.ACKNOWLEDGED, Signal.DOOR_OPENS): Phase.OPEN,
        (Phase.ACKNOWLEDGED, Signal.OPEN_DEADLINE): Phase.STUCK,
        (Phase.ACKNOWLEDGED, Signal.RESTART): Phase.UNKNOWN,
        (Phase.UNCERTAIN, Signal.DOOR_OPENS): Phase.OPEN,
        (Phase.UNCERTAIN, Signal.OPEN_DEADLINE): Phase.STUCK,
        (Phase.UNCERTAIN, Signal.RESTART): Phase.UNKNOWN,
        (Phase.OPEN, Signal.ACKNOWLEDGE): Phase.OPEN,
        (Phase.OPEN, Signal.SILENCE): Phase.OPEN,
        (Phase.OPEN, Signal.REFUSE): Phase.OPEN,
        (Phase.OPEN, Signal.NOT_SENT): Phase.OPEN,
        (Phase.OPEN, Signal.DOOR_SHUTS): Phase.CLOSED,
        (Phase.OPEN, Signal.LEFT_OPEN_DEADLINE): Phase.LEFT_OPEN,
        (Phase.OPEN, Signal.RESTART): Phase.UNKNOWN,
        (Phase.LEFT_OPEN, Signal.DOOR_SHUTS): Phase.CLOSED,
        (Phase.LEFT_OPEN, Signal.RESTART): Phase.UNKNOWN,
        # After a restart the sensor settles what it can: a door that stands open is followed on.
        (Phase.UNKNOWN, Signal.DOOR_OPENS): Phase.OPEN,
        # Found shut: whether it had opened nobody saw.
        (Phase.UNKNOWN, Signal.DOOR_SHUTS): Phase.UNKNOWN,
        (Phase.UNKNOWN, Signal.RESTART): Phase.UNKNOWN,
        # The reply of a pulse may come after the door's whole story.
        (Phase.CLOSED, Signal.ACKNOWLEDGE): Phase.CLOSED,
        (Phase.CLOSED, Signal.SILENCE): Phase.CLOSED,
        (Phase.CLOSED, Signal.REFUSE): Phase.CLOSED,
        (Phase.CLOSED, Signal.NOT_SENT): Phase.CLOSED,
    }
)

LIVE: Final = frozenset(
    {Phase.REQUESTED, Phase.ACKNOWLEDGED, Phase.UNCERTAIN, Phase.OPEN, Phase.LEFT_OPEN},
)
"""Phases in which the door still owes an outcome."""
NEVER_OPENED: Final = frozenset({Phase.STUCK, Phase.REFUSED, Phase.NOT_SENT})
"""Phases that end an attempt with the door shut all along, as far as its sensor saw."""


def advance(phase: Phase, signal: Signal) -> Phase:
    """The phase after ``signal``. Raises IllegalTransition."""
    try:
        return NEXT[phase, signal]
    except KeyError:
        raise IllegalTransition("opening", phase, signal) from None


@dataclass(frozen=True, slots=True)
class Opening:
    grant: GrantId
    door: CompartmentNumber
    purpose: Purpose
    deposit: DepositId
    """Empty for CHECK, SERVICE and REMOTE."""
    staff: StaffId
    """Empty where the person is an applicant or agent, or far away."""
    attempt: int
    """Which try of this visit at a door, from 1."""
    phase: Phase
    requested_ms: int

    @property
    def live(self) -> bool:
        return self.phase in LIVE
