"""Mistakes in who is let in, how often, how long, and where things are put."""

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from kiosk_ui import offers
from locker.domain import allocation, fold
from locker.domain import events as ev
from locker.domain.compartment import Compartment, Status
from locker.domain.door import Position
from locker.domain.errors import Reason, Refusal
from locker.domain.fold import change
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.domain.throttle import Guessing
from locker.domain.tokens import Token
from locker.operations import pick_up, pickup_codes, present_code, service, upkeep
from locker.operations.open_door import grant, hindrance
from locker.operations.ports import Decided, World
from locker.operations.sign_in import roles_now
from locker.platform import LockerSecrets
from sync.seal import HEAD_BYTES
from tests.world.mutants.mutant import entry, everywhere, mutant, replaced, table


@mutant({8, 28}, "old codes")
def drop_off_code_outlives_intake() -> Iterator[None]:
    """Papers that a helper took out end their stay, and the right to hand them in lives on."""

    def taken(state: LockerState, stamp: Any, event: Any, seq: Any) -> LockerState:
        before = state.deposits[event.deposit].authorisation
        after = honest(state, stamp, event, seq)
        return change.authorisation(after, before, ended="", ended_ms=0)

    honest = fold._APPLY[ev.SubmissionTaken]
    with entry(fold._APPLY, ev.SubmissionTaken, taken):  # type: ignore[arg-type]  # a plain dict behind its type
        yield


@mutant({8, 9, 1}, "old codes")
def pickup_code_outlives_collection() -> Iterator[None]:
    """Who forgot something may look again: the code goes on opening the door that it once opened."""

    def generous(world: World, state: LockerState, offer: Any, _phone4: str) -> Decided[Any]:
        deposit = state.deposits[offer.deposit]
        if refusal := hindrance(state, deposit.door):
            return Decided(refusal)
        opened, requested = grant(world, deposit.door, Purpose.PICK_UP, deposit.deposit)
        return Decided(opened, (ev.CodeAccepted(f"code/{offer.code}", offer.form), requested))

    with replaced(pick_up, "ended", lambda *_: ()), replaced(pick_up, "_decide", generous):
        yield


@mutant({8}, "second codes")
def recipients_code_outlives_the_agents_collection() -> Iterator[None]:
    """A collection ends the code that it was made with, and no other."""

    def ended(state: LockerState, deposit: Any, reason: str) -> tuple[ev.CodeEnded, ...]:
        return tuple(each for each in honest(state, deposit, reason) if each.code == deposit.code)

    honest: Any = pick_up.ended
    with replaced(pick_up, "ended", ended):
        yield


@mutant({8}, "second codes")
def a_reissue_is_made_twice() -> Iterator[None]:
    """An order makes a code, and once more when it is journaled."""

    def twice(world: World, state: LockerState, says: Any) -> tuple[ev.Event, ...]:
        made = honest(world, state, says)
        return made + (honest(world, state, says) if isinstance(says, ev.CodeReissueOrdered) else ())

    honest = pickup_codes.follows
    with replaced(pickup_codes, "follows", twice):
        yield


@mutant({9}, "revoked badge")
def revoked_badge_works() -> Iterator[None]:
    """A revocation is journaled, and nobody acts on it."""

    def ignored(state: LockerState, *_: Any) -> LockerState:
        return state

    with entry(fold._APPLY, ev.StaffRevoked, ignored):  # type: ignore[arg-type]  # a plain dict behind its type
        yield


@mutant({9}, "foreign tokens")
def token_for_anywhere() -> Iterator[None]:
    """A token that the centre signed is a good token, wherever it is meant for."""
    with replaced(Token, "meant_for", lambda *_: True):
        yield


@mutant({9}, "foreign tokens")
def token_signed_by_anybody() -> Iterator[None]:
    """The signature is cut off and not looked at."""

    def trusting(_self: LockerSecrets, frame: bytes) -> bytes:
        return frame[HEAD_BYTES:]

    with replaced(LockerSecrets, "signed_by_centre", trusting):
        yield


@mutant({9, 8}, "expired codes")
def nothing_expires() -> Iterator[None]:
    """The end of a right is kept, and compared with nothing."""
    with everywhere(present_code.expired, lambda _world, _until_ms: False):
        yield


@mutant({23, 28, 9}, "wrong clock")
def expiry_by_any_clock() -> Iterator[None]:
    """The wall clock decides what has expired, whether or not anybody knows that it is right."""

    def by_any(world: World, until_ms: int) -> bool:
        return world.clock.wall_ms() > until_ms

    with everywhere(present_code.expired, by_any):
        yield


@mutant({21}, "wrong codes")
def failure_is_not_counted_first() -> Iterator[None]:
    """A wrong code on an existing record is kept in memory, to be written with the next minute's rows."""
    honest = present_code._judge

    def light(world: World, *given: Any) -> Decided[Any]:
        decided = honest(world, *given)
        if not any(isinstance(event, ev.CodeFailed) for event in decided.events):
            return decided
        present_code._count_unknown_code(world)
        return Decided(decided.answer)

    with replaced(present_code, "_judge", light):
        yield


@mutant({17, 20, 28}, "wrong codes")
def failures_are_forgotten_at_a_start() -> Iterator[None]:
    """A restart is a fresh start: nobody has failed yet."""

    def fresh(state: LockerState, stamp: Any, event: Any, seq: Any) -> LockerState:
        after = honest(state, stamp, event, seq)
        rights = {key: replace(a, failures=0) for key, a in after.authorisations.items()}
        codes = {key: replace(c, failures=0) for key, c in after.codes.items()}
        return replace(
            after,
            guessing=Guessing(),
            authorisations=MappingProxyType(rights),
            codes=MappingProxyType(codes),
        )

    honest = fold._APPLY[ev.Booted]
    with entry(fold._APPLY, ev.Booted, fresh):  # type: ignore[arg-type]  # a plain dict behind its type
        yield


@mutant({22, 23}, "wrong codes")
def scans_are_slowed_too() -> Iterator[None]:
    """One throttle for all: who scans a good code waits for those who typed wrong ones."""
    honest = present_code.present_scanned

    async def slowed(world: World, text: str) -> Any:
        if wait_s := present_code.keypad_wait_s(world):
            return Refusal(Reason.TOO_MANY_TRIES, wait_s)
        return await honest(world, text)

    with everywhere(honest, slowed):
        yield


@mutant({21}, "guesses")
def a_minute_is_one_guess() -> Iterator[None]:
    """A row a minute says that somebody guesses; how often, it does not say."""
    with replaced(upkeep, "GuessesCounted", lambda kind, _count: ev.GuessesCounted(kind, 1)):
        yield


@mutant({21}, "guesses")
def guesses_are_counted_again() -> Iterator[None]:
    """The sums of the minute are written down, and go on growing from there."""
    honest = upkeep._count_guesses

    async def hoarding(world: World) -> None:
        typed, scanned = world.guesses.typed, world.guesses.scanned
        await honest(world)
        world.guesses.typed, world.guesses.scanned = typed, scanned

    with replaced(upkeep, "_count_guesses", hoarding):
        yield


@mutant({4}, "doubts")
def doubtful_is_vacant() -> Iterator[None]:
    """Where no deposit is known nothing can lie: a compartment to be checked is given to the next person."""

    def usable(compartment: Compartment) -> bool:
        free = compartment.status in {Status.VACANT, Status.TO_CHECK} and not compartment.deposit
        return free and compartment.position is Position.CLOSED

    with replaced(allocation, "usable", usable):
        yield


@mutant({4}, "crowded")
def occupied_is_vacant() -> Iterator[None]:
    """The least worn of all doors that are shut, whatever lies behind it."""

    def usable(compartment: Compartment) -> bool:
        return compartment.position is Position.CLOSED and not compartment.fault

    with replaced(allocation, "usable", usable):
        yield


@mutant({12}, "technician")
def technician_opens_what_holds_something() -> Iterator[None]:
    """Technicians must be able to test every lock."""

    def bold(world: World, state: LockerState, who: Any, _action: Any, _door: Any) -> Refusal | None:
        known = who.local or roles_now(world, state, who.staff)
        return None if known else Refusal(Reason.NOT_ALLOWED)

    with replaced(service, "_refusal", bold), replaced(offers, "_fits", lambda *_: True):
        yield


MUTANTS = table(globals())
