"""A stocktake at the kiosk: the answer to one door opens the next, by the press that gave it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from kiosk_ui import second
from kiosk_ui.acts import Press
from kiosk_ui.flow import Signal, Step, advance
from kiosk_ui.names import Act
from kiosk_ui.screens import Visit
from kiosk_ui.visitors import name_in, opened, refused
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import CompartmentNumber, DepositId, Seq
from locker.domain.state import LockerState
from locker.domain.stocktakes import Found, Scope
from locker.operations import stocktake, vouch
from locker.operations.ports import World

_NOT_NOW: Final = Refusal(Reason.NOT_NOW)


async def _look(world: World, visit: Visit, press: Press) -> Visit:
    """What can be begun, or what is under way: whoever began it."""
    del world, press
    return _between(visit)


def _between(visit: Visit, signal: Signal = Signal.STOCKTAKE) -> Visit:
    """At no door."""
    together = replace(visit.together, taking=False)
    fresh = replace(visit, offer=None, deposit=DepositId(""), door=None, name="", together=together)
    return replace(fresh, step=advance(visit.step, signal), going=None)


async def _begin(world: World, visit: Visit, press: Press) -> Visit:
    refusal = await stocktake.begin(world, visit.staff, Scope(str(press.data["scope"])))
    if refusal:
        return refused(world, visit, refusal)
    return replace(visit, together=replace(visit.together, skipped=frozenset()))


async def _go(world: World, visit: Visit, press: Press) -> Visit:
    """The next door."""
    del press
    return await _next(world, visit)


async def _open(world: World, visit: Visit, press: Press) -> Visit:
    """This one, picked from the list."""
    return await _opened(world, visit, CompartmentNumber(int(press.data["door"])))


async def _opened(world: World, visit: Visit, door: CompartmentNumber) -> Visit:
    if all(each.spec.number != door for each in stocktake.left(world.journal.state)):
        return refused(world, visit, _NOT_NOW)
    answer = await stocktake.open_one(world, visit.staff, door)
    if isinstance(answer, Refusal) and answer.reason is Reason.SECOND_NEEDED:
        return second.asked(_between(visit), answer)
    name = await _expected_name(world, world.journal.state, door)
    together = replace(visit.together, taking=True)
    return opened(world, replace(visit, name=name, together=together), answer)


async def _expected_name(world: World, state: LockerState, door: CompartmentNumber) -> str:
    deposit = state.deposit_in(door)
    if deposit is None:
        return ""
    item, right = state.items.get(deposit.item), state.authorisations.get(deposit.authorisation)
    return await name_in(world, item.seq if item else right.seq if right else Seq(0))


async def _say(world: World, visit: Visit, press: Press) -> Visit:
    """What was found behind this door; the press that says so opens the next one."""
    found = Found(str(press.data["found"]))
    if visit.door is None or press.data.get("door", visit.door) != visit.door:
        return refused(world, visit, _NOT_NOW)
    refusal = await stocktake.settle(world, visit.staff, visit.door, found)
    if refusal is not None and refusal.reason is Reason.SECOND_NEEDED:
        return second.asked(_between(visit), refusal)
    if refusal is not None:
        return refused(world, visit, refusal)
    return await _next(world, replace(visit, said=f"stock_{found}"))


async def _skip(world: World, visit: Visit, press: Press) -> Visit:
    """Left for later: it stays on the list."""
    if visit.door is None or press.data.get("door", visit.door) != visit.door:
        return refused(world, visit, _NOT_NOW)
    skipped = visit.together.skipped | {visit.door}
    return await _next(world, replace(visit, together=replace(visit.together, skipped=skipped)))


async def _next(world: World, visit: Visit) -> Visit:
    state = world.journal.state
    if not state.stocktake.under_way:
        return _between(visit, Signal.STOCK_DONE)
    ahead = [c.spec.number for c in stocktake.left(state) if c.spec.number not in visit.together.skipped]
    if not ahead:
        # What is left was skipped: the list says so.
        return _between(visit)
    return await _opened(world, visit, ahead[0])


async def _again(world: World, visit: Visit, press: Press) -> Visit:
    del press
    if visit.door is None:
        return refused(world, visit, _NOT_NOW)
    return opened(world, visit, await stocktake.open_one(world, visit.staff, visit.door))


async def _end(world: World, visit: Visit, press: Press) -> Visit:
    del press
    if refusal := await stocktake.end(world, visit.staff):
        return refused(world, visit, refusal)
    return _between(visit, Signal.STOCK_DONE)


async def _vouch(world: World, visit: Visit, press: Press) -> Visit:
    del press
    refusal = await vouch.vouch(world, visit.staff)
    if refusal is not None and refusal.reason is Reason.SECOND_NEEDED:
        return second.asked(_between(visit), refusal)
    return refused(world, visit, refusal) if refusal else replace(visit, said="vouched")


def is_at_a_door(visit: Visit) -> bool:
    return visit.step is Step.STAFF_DOOR and visit.together.taking


again = _again
DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.STOCKTAKE: _look,
    Act.STOCK_BEGIN: _begin,
    Act.STOCK_GO: _go,
    Act.STOCK_OPEN: _open,
    Act.STOCK_SAY: _say,
    Act.STOCK_SKIP: _skip,
    Act.STOCK_END: _end,
    Act.VOUCH: _vouch,
}
