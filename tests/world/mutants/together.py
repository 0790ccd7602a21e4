"""Mistakes in what two people do, in rounds that are taken over, in what is booked, barred and lost."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from locker.domain import allocation
from locker.domain import compartment as compartments
from locker.domain import events as ev
from locker.domain.allocation import choose
from locker.domain.compartment import Compartment, Size, Status
from locker.domain.deposit import Kind
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState
from locker.domain.surroundings import Sensed, Watched
from locker.operations import pickup_codes, rounds, second_person, service_window, stocktake
from locker.operations.ports import World
from sync.central.bookings import desk as bookings
from sync.central.bookings.slots import Wanted
from sync.central.desk import Refused
from sync.central.doors import bars
from sync.central.office import Repeatable
from sync.central.pickups.codes import Lost
from tests.world.centre import CLERK
from tests.world.mutants.cast import PIN, Cast, LostError, Papers
from tests.world.mutants.mutant import mutant, replaced, table
from tests.world.times import MINUTE_S, pause

# --- scenes ------------------------------------------------------------------------------------------------


async def _staff(cast: Cast, *roles: str) -> list[str]:
    """A badge each; their numbers are different ones."""
    badges = []
    for role in roles:
        cast._next()
        badges.append(await cast.badge(role))
    return badges


async def two_people(cast: Cast) -> None:
    """A stocktake: alone before an occupied door, then by two."""
    papers = [await cast.passed() for _ in range(2)]
    for each in papers:
        await cast.hands_in(each)
    first, second = await _staff(cast, "helper", "helper")
    await cast.signs_in(first)
    await cast.screen.act("round", kind="check")
    await cast.screen.act("stocktake")
    await cast.screen.act("stock_begin", scope="all")
    if (await cast.screen.act("stock_open", door=papers[0].door))["screen"] != "second":
        await _looks(cast, papers[0].door, "expected")
    await cast.screen.scanned(second)
    await cast.screen.act("second_pin", digits=PIN)
    await cast.screen.act("stock_open", door=papers[1].door)
    await _looks(cast, papers[1].door, "expected")
    for _ in range(2):
        door = int((await cast.sees("inspect", "stock_confirm"))["door"])
        here = door in {each.door for each in papers}
        await _looks(cast, door, "expected" if here else "empty")
    cast.shuts_all()


async def _looks(cast: Cast, door: int, found: str) -> None:
    await cast.sees("inspect")
    await cast.wait(1, 4)
    cast.shuts(door)
    await cast.sees("stock_confirm")
    await cast.screen.act("stock_say", found=found, door=door)


async def a_round_taken_over(cast: Cast) -> None:
    """One helper begins, another goes on with it and ends it."""
    papers = [await cast.passed() for _ in range(3)]
    for each in papers:
        await cast.hands_in(each)
    badges = await _staff(cast, "helper", "helper")
    for number, badge in enumerate(badges):
        await cast.signs_in(badge)
        await cast.screen.act("round", kind="intake")
        await cast.screen.act("round_go")
        await _takes_out(cast)
        if number == 0:
            # The next door stands open by itself: they leave it for the other.
            cast.shuts(int((await cast.sees("take_out"))["door"]))
            await cast.sees("intake_confirm", "not_taken")
            await cast.screen.act("menu")
        else:
            await _takes_out(cast)
            await cast.sees("round_done")
            await cast.screen.act("round_end")
        await cast.screen.act("sign_out")
        await cast.wait(5, 60)


async def _takes_out(cast: Cast) -> None:
    door = int((await cast.sees("take_out"))["door"])
    await cast.wait(1, 4)
    cast.world.contents.take(cast.machine, door)
    await cast.screen.act("intake_confirm", finding="complete")
    cast.shuts(door)
    await pause(2.0)


async def lost_codes(cast: Cast) -> None:
    """One code was stolen, another was only lost: both are shown, after the new ones have come."""
    (badge,) = await _staff(cast, "helper")
    for stolen in (True, False):
        licence, label = await cast.label()
        await cast.loads(badge, licence, label)
        lost = Papers(licence.case, licence.phone, licence.typed, licence.scan)
        if stolen:
            item = await cast._item(licence)
            await cast.centre.reissue(Lost(item, "stolen", stolen=True))
            await pause(20.0)
        else:
            await cast.loses(licence)
            await cast.wait(2 * MINUTE_S, 4 * MINUTE_S)
        await cast.screen.scanned(lost.scan)
        await cast.wait(6, 12)
        cast.shuts_all()
        await cast.wait(3, 5)
        view = await cast.screen.view()
        if "leave" in {act["act"] for act in view["acts"]}:
            await cast.screen.act("leave")


async def booked(cast: Cast) -> None:
    """All large compartments are booked, and somebody without a booking asks for one."""
    others = await cast.passed(size=Size.L)
    with suppress(Refused):
        while True:
            papers = await cast.passed(size=Size.L)
            await _books(cast, papers)
            await cast.wait(10, 20)
    for size in (Size.L, Size.M):
        if size is not Size.L:
            others = await cast.passed(size=size)
        view = await cast.screen.scanned(others.scan)
        if view["screen"] == "offer":
            view = await cast.screen.act("open")
        if not view["refused"]:
            door = await cast.opened(others)
            cast.puts(others)
            cast.shuts(door)
            await cast.leaves("receipt", "confirm_in")
        else:
            await cast.screen.act("leave")


async def _books(cast: Cast, papers: Papers) -> None:
    """Raises Refused."""
    centre, now_ms = cast.centre, cast.centre.desk.clock.wall_ms()
    assert cast.machine.built is not None
    rights = cast.machine.built.journal.state.authorisations.values()
    right = next((each for each in rights if each.case == papers.case), None)
    if right is None:
        raise LostError("the right did not come")
    wanted = Wanted(right.authorisation, now_ms, now_ms + 3_600_000)
    await centre.does(lambda office: bookings.book(office, CLERK, wanted, Repeatable()))


async def barred(cast: Cast) -> None:
    """The very door that would be next is barred from afar."""
    papers = await cast.passed()
    assert cast.machine.built is not None
    door = choose(cast.machine.built.journal.state, Kind.SUBMISSION, Size.S)
    assert door is not None
    await cast.centre.does(lambda office: bars.bar(office, CLERK, cast.machine.name, door, "painters"))
    await cast.wait(5, 15)
    await cast.hands_in(papers)


async def a_service_window(cast: Cast) -> None:
    """A technician opens one alone, a helper beside them or not; then with a helper, and a door by key."""
    technician, helper = await _staff(cast, "technician", "helper")
    assert cast.machine.built is not None
    around = cast.machine.built.surroundings
    around.report(Sensed(Watched.SERVICE_KEY, on=True))
    await cast.signs_in(technician)
    await cast.screen.act("service")
    await cast.screen.act("window")
    view = await cast.screen.act("window_open")
    if view["screen"] == "second":
        await cast.screen.scanned(helper)
        await cast.screen.act("second_pin", digits=PIN)
        await cast.screen.act("window_open")
    door = cast.rng.choice(list(cast.machine.model.numbers))
    cast.machine.do(door, "pry")
    await cast.wait(3, 9)
    cast.shuts(door)
    await cast.wait(3, 9)
    await cast.screen.act("window_close")
    around.report(Sensed(Watched.SERVICE_KEY, on=False))
    await pause(2.0)


# --- mistakes ----------------------------------------------------------------------------------------------


@mutant({12}, "two people")
def occupied_is_looked_into_alone() -> Iterator[None]:
    """Whoever may take stock may look: that two look where something lies is for the rules of the house."""
    with replaced(stocktake, "needs_two", lambda *_: False):
        yield


@mutant({6}, "two people")
def a_finding_is_laid_to_the_next_door() -> Iterator[None]:
    """Doors are counted from 0 here, and from 1 there."""
    honest = stocktake._facts

    def shifted(world: World, state: LockerState, staff: Any, door: Any, found: Any) -> tuple[ev.Event, ...]:
        made = honest(world, state, staff, door, found)
        last = max(state.compartments)
        return tuple(
            replace(each, door=CompartmentNumber(each.door % last + 1))
            if isinstance(each, ev.CompartmentChecked)
            else each
            for each in made
        )

    with replaced(stocktake, "_facts", shifted):
        yield


@mutant({5}, "a round taken over")
def a_round_has_one_slip() -> Iterator[None]:
    """Whoever goes on with a round works under the number with which it began."""
    honest = rounds.joined

    def under_the_first(world: World, state: LockerState, staff: Any, kind: Any) -> Any:
        going = state.rounds.open(kind)
        return (going.name, ()) if going is not None else honest(world, state, staff, kind)

    with replaced(rounds, "joined", under_the_first):
        yield


@mutant({8}, "lost codes")
def a_lost_code_lives_on() -> Iterator[None]:
    """Who finds the old code may use it: it opens their own compartment, after all."""
    with replaced(pickup_codes, "superseded", lambda *_: ()):
        yield


@mutant({8}, "lost codes")
def a_stolen_code_lives_until_the_centre_has_the_new_one() -> Iterator[None]:
    """All codes that are given up end in the same way."""
    honest: Any = pickup_codes.follows

    def gently(world: World, state: LockerState, says: Any) -> tuple[ev.Event, ...]:
        if isinstance(says, ev.CodeReissueOrdered):
            says = replace(says, stolen=False)
        made: tuple[ev.Event, ...] = honest(world, state, says)
        return made

    with replaced(pickup_codes, "follows", gently):
        yield


@mutant({28}, "booked")
def a_booked_slot_is_given_away() -> Iterator[None]:
    """A booking is a note for the picture; who stands here now comes first."""
    with replaced(allocation, "_leaves_bookings", lambda *_: True):
        yield


@mutant({4, 28}, "barred")
def barred_is_vacant() -> Iterator[None]:
    """A bar is drawn on the picture, and asked about nowhere."""
    honest = compartments.Compartment.status.fget  # type: ignore[attr-defined]  # a property

    def status(self: Compartment) -> Status:
        found: Status = honest(replace(self, barred=""))
        return found

    with replaced(compartments.Compartment, "status", property(status)):
        yield


@mutant({12}, "a service window")
def a_window_needs_nobody_beside() -> Iterator[None]:
    """The key is the proof that they may."""
    honest = second_person.two_may

    def alone(world: World, state: LockerState, first: Any, action: Any) -> Any:
        refusal = honest(world, state, first, action)
        return None if refusal is not None and refusal.reason.value == "second_needed" else refusal

    with replaced(service_window, "two_may", alone):
        yield


MUTANTS = table(globals())
SCENES = (two_people, a_round_taken_over, lost_codes, booked, barred, a_service_window)
