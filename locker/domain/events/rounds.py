"""Helpers on their rounds. What they take and load is said by `custody`, with the slip that it stands on."""

from dataclasses import dataclass

from locker.domain.ids import CompartmentNumber, DepositId, StaffId


@dataclass(frozen=True, slots=True)
class RoundBegan:
    """``kind``: see `rounds.RoundKind`. ``slip``: the number under which ``staff`` will hand it over; also
    the round's name."""

    slip: str
    kind: str
    staff: StaffId


@dataclass(frozen=True, slots=True)
class RoundJoined:
    """A colleague goes on with ``round``, under a slip of their own."""

    round: str
    slip: str
    staff: StaffId


@dataclass(frozen=True, slots=True)
class RoundSkipped:
    """It stays where it is. ``why``: see `rounds.Left`."""

    round: str
    deposit: DepositId
    door: CompartmentNumber
    staff: StaffId
    why: str


@dataclass(frozen=True, slots=True)
class FindingCorrected:
    """What was said of it last was a slip of the finger. ``finding``: as of `SubmissionTaken`, or ``undone``:
    it was not taken out at all; then its compartment is doubted in the same transaction."""

    deposit: DepositId
    slip: str
    staff: StaffId
    finding: str


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """What is on its slips is handed over from now on. ``done``, ``skipped``, ``left``: how many of each, as
    the screen showed them."""

    round: str
    staff: StaffId
    done: int
    skipped: int
    left: int
