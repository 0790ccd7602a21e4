"""What the page keeps of a helper's round. All that counts stands in the journal (`locker.domain.rounds`)."""

from dataclasses import dataclass

from locker.domain.ids import DepositId
from locker.operations.rounds import Verdict


@dataclass(frozen=True, slots=True)
class Going:
    kind: str
    """Of `rounds.RoundKind`."""
    guided: bool = False
    """One door opens after the other; else this one was picked from the list."""
    verdict: Verdict | None = None
    """Given while the door stands open: it counts once that is shut."""
    low: bool = False
    """Of loading: doors that are easy to reach."""
    begun_by: str = ""
    """The masked name of whoever began it."""
    picked: DepositId = DepositId("")
    """Whose finding they are about to correct."""
    late: bool = False
    """The next door was not opened by itself: its helper may be gone."""
