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


async def lost_code(world: World, typed: str, phone: str) -> Refusal | None:
    """Ask the centre for a new code. Whether case and phone fit is nothing that this locker knows or says.

    ``typed``: the case number, or only its digits. Too often here: TOO_OFTEN.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        wait_ms = asked.lost_again_in_ms(state.asked, world.clock.mono_ms())
        if wait_ms:
            return Decided(Refusal(Reason.TOO_OFTEN, -(-wait_ms // 1000)))
        asked_for = {"case": typed, "like": "\n".join(cases_like(state, typed)), "phone": phone}
        return Decided(None, (CodeAskedFor(world.secrets.seal(canonical(asked_for))),))

    return await world.journal.commit("applicant", decide)


def cases_like(state: LockerState, typed: str) -> list[CaseNumber]:
    """The cases known here that may be meant: people leave out dashes, and letters too."""
    known = [each.case for each in state.deposits.values()]
    known += [each.case for each in state.authorisations.values()]
    bare = _bare if any(letter.isalpha() for letter in typed) else _digits
    same = [case for case in dict.fromkeys(known) if bare(case) == bare(typed) and case != typed]
    return same[:CASES_MAX]


def _digits(case: str) -> str:
    return "".join(letter for letter in case if letter in "0123456789")


def _bare(case: str) -> str:
    return "".join(letter for letter in case.upper() if letter.isalnum())


async def help_(world: World, call: Call) -> str | Refusal:
    """The reference under which the centre will find it: of this locker, and of its entry.

    Too often here: TOO_OFTEN, and the help line is what is left.
    """

    def decide(state: LockerState) -> Decided[str | Refusal]:
        if refusal := help_refused(world, state):
            return Decided(refusal)
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


def help_refused(world: World, state: LockerState) -> Refusal | None:
    """Whether help was asked for so often here that nobody is called again for a while."""
    wait_ms = asked.help_again_in_ms(state.asked, state.policy.help_per_hour, world.clock.mono_ms())
    return Refusal(Reason.TOO_OFTEN, -(-wait_ms // 1000)) if wait_ms else None


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
