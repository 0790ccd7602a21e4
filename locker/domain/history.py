"""How far this journal is known to be the whole story of its locker, and how two stories are joined."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.compartment import Compartment
from locker.domain.deposit import ENDED, TENTATIVE, Phase
from locker.domain.door import Position, Presence


class Break(StrEnum):
    """Why an epoch follows another one: what the centre's history was found to be, beside ours."""

    LOST_ROWS = "lost_rows"
    """The longer: rows were lost here, by an old image or a torn tail."""
    FORKED = "forked"
    """Another: a cloned card, or tampering."""
    SUPERSEDED = "superseded"
    """Gone on without us in a later epoch: this card was away while another one served."""
    HOLE = "hole"
    """The shorter, by what is purged here: the centre came back from too old a copy. Nothing is lost here."""
    REPLACED = "replaced"
    """Another machine's: this one is new, another served under its name. Its epoch has no parent here."""


UNKNOWING: Final = frozenset({Break.LOST_ROWS, Break.FORKED, Break.SUPERSEDED, Break.REPLACED})
"""After these something may have happened at our doors that this journal does not remember."""
SUSPECT: Final = frozenset({Break.FORKED, Break.SUPERSEDED})
"""Two cards with one key may be about: acts are refused until staff have confirmed which one this is."""
DOUBT: Final = "history lost"
"""The doubt of a compartment of which the journal may not know the last."""


@dataclass(frozen=True, slots=True)
class History:
    broken: str = ""
    """A `Break`, where this epoch has a parent, or ought to have one."""
    awaited: bool = False
    """What the centre knows of us is still to come: until then no door opens."""
    vouched: bool = False
    """Two on site took the centre's place: what it revoked meanwhile may still be known as good here."""
    unconfirmed: bool = False
    """Staff have yet to confirm that this is the true card: until then no act is done."""


def begun(broken: str) -> History:
    """The first word of an epoch that follows another one for this reason."""
    return History(broken, awaited=broken in UNKNOWING, unconfirmed=broken in SUSPECT)


def in_doubt(compartment: Compartment) -> bool:
    """Whether a journal that may have lost its end must not call this compartment empty.

    One that holds a deposit is not: it is not allocated anyway, and the centre's word on the deposit comes.
    """
    seen_empty = compartment.position is Position.CLOSED and compartment.item is Presence.ABSENT
    return not (compartment.holding or compartment.doubt or seen_empty)


_RANKS: Final = MappingProxyType(
    {
        **dict.fromkeys(TENTATIVE, 0),
        Phase.AWAITING_INTAKE: 1,
        Phase.AWAITING_PICKUP: 1,
        Phase.REFUSED: 2,
        **dict.fromkeys(ENDED, 3),
    }
)


def further(one: Phase, other: Phase) -> Phase:
    """Which of two histories of one deposit counts: the one that is further; ``one`` where none is.

    What has ended in either of them has ended: its code never opens again.
    """
    return other if _RANKS[other] > _RANKS[one] else one
