"""What people ask for beside their visits: a lost code, help; and what they say of it in five grades.

Nothing of it moves a door. Numbers that people type are sealed for the centre before they are journaled.
"""

from dataclasses import dataclass, field
from typing import Final

from locker.domain import asked
from locker.domain.asked import GRADES, HelpCategory
from locker.domain.deposit import Phase
from locker.domain.encoding import canonical
from locker.domain.errors import Reason, Refusal
from locker.domain.events import CodeAskedFor, HelpAsked, VisitRated
from locker.domain.ids import AuthorisationId, CaseNumber, CompartmentNumber, DepositId
from locker.domain.state import LockerState
from locker.operations.ports import Decided, World

CASES_MAX: Final = 4
"""Cases that one row of digits may mean."""
_MADE: Final = frozenset({Phase.RESERVED, Phase.UNCONFIRMED, Phase.EXPOSED})
"""Nothing to rate yet."""


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody could not get done, and what was before them."""

    category: HelpCategory
    screen: str = ""
    refusal: str = ""
    door: CompartmentNumber | None = None
    deposit: DepositId = DepositId("")
    authorisation: AuthorisationId = AuthorisationId("")
    phone: str = field(default="", repr=False)


async def lost_code(world: World, digits: str, phone: str) -> Refusal | None:
    """Ask the centre for a new code. Whether case and phone fit is nothing that this locker knows or says.

    ``digits``: those of the case number, without what else stands in it. Too often here: TOO_OFTEN.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        wait_ms = asked.lost_again_in_ms(state.asked, world.clock.mono_ms())
        if wait_ms:
            return Decided(Refusal(Reason.TOO_OFTEN, -(-wait_ms // 1000)))
        asked_for = {"case": digits, "like": "\n".join(cases_like(state, digits)), "phone": phone}
        return Decided(None, (CodeAskedFor(world.secrets.seal(canonical(asked_for))),))

    return await world.journal.commit("applicant", decide)


def cases_like(state: LockerState, digits: str) -> list[CaseNumber]:
    """The cases known here whose digits are these: a keypad has no letters."""
    known = [each.case for each in state.deposits.values()]
    known += [each.case for each in state.authorisations.values()]
    same = [case for case in dict.fromkeys(known) if _digits(case) == digits and case != digits]
    return same[:CASES_MAX]


def _digits(case: str) -> str:
    return "".join(letter for letter in case if letter in "0123456789")


async def help_(world: World, call: Call) -> str:
    """The reference under which the centre will find it: of this locker, and of its entry."""

    def decide(state: LockerState) -> Decided[str]:
        sealed = world.secrets.seal(canonical({"phone": call.phone})) if call.phone else ""
        said = HelpAsked(
            call.category,
            call.screen,
            call.refusal,
            call.door or CompartmentNumber(0),
            call.deposit,
            call.authorisation,
            sealed,
        )
        return Decided(reference(world, state.seq + 1), (said,))

    return await world.journal.commit("applicant", decide)


def reference(world: World, seq: int) -> str:
    """What people quote, and staff find in this locker's entries."""
    return f"{world.locker} · {seq}"


async def rate(world: World, deposit: DepositId, grade: int) -> Refusal | None:
    """One visit, once it came to something; that it is said once only is the centre's to see."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        stay = state.deposits.get(deposit)
        if stay is None or stay.phase in _MADE or grade not in GRADES:
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, (VisitRated(deposit, grade),))

    return await world.journal.commit("applicant", decide)
