"""What applicants do: each press, the operation behind it, and where the visit stands after."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from kiosk_ui.acts import CodeShown, Press
from kiosk_ui.flow import Signal, Step, advance
from kiosk_ui.names import Act, Screen
from kiosk_ui.screens import Visit, door_of, screen_of
from locker.domain import deposit as deposits
from locker.domain.allocation import Wish
from locker.domain.door import Position
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import DepositId, Seq
from locker.domain.state import LockerState
from locker.operations import drop_off, pick_up
from locker.operations.open_door import Answer
from locker.operations.ports import World
from locker.operations.present_code import (
    BadgeOffer,
    DropOffOffer,
    Offer,
    PickupOffer,
    present_scanned,
    present_typed,
)

_SLIPS: Final = frozenset({Reason.CODE_SLIP, Reason.PHONE_WRONG, Reason.SIGN_IN_FAILED, Reason.NOT_NOW})
_AT_A_DOOR: Final = frozenset(
    {Reason.DOOR_OPEN, Reason.DOOR_BUSY, Reason.STILL_INSIDE, Reason.NOTHING_INSIDE, Reason.WRONG_LABEL}
)
_DOORS: Final = frozenset({Step.DOOR, Step.STAFF_DOOR, Step.REFUSING})


def refused(world: World, visit: Visit, refusal: Refusal) -> Visit:
    """Small slips stay on the page as a banner, all else gets a page of its own."""
    banner = refusal.reason in _SLIPS or (refusal.reason in _AT_A_DOOR and visit.step in _DOORS)
    reference = f"{world.locker} · {world.journal.state.seq}"
    visit = replace(visit, refusal=refusal, reference=reference)
    return visit if banner else replace(visit, step=advance(visit.step, Signal.REFUSED))


async def code(world: World, visit: Visit, shown: CodeShown) -> Visit:
    """One keypad and one scanner for all: the code says what it is for."""
    if shown.typed:
        answer = await present_typed(world, shown.typed, shown.phone4)
    else:
        answer = await present_scanned(world, shown.scanned)
    fresh = replace(Visit(visit=world.secrets.new_id()), step=visit.step, typed=shown.typed)
    if not visit.deposit:
        # Whoever helps does so for one visit: the next code after it is another one.
        fresh = replace(fresh, together=visit.together)
    if isinstance(answer, Refusal):
        return _no_offer(world, visit, fresh, answer)
    return await _offered(world, fresh, answer, shown.phone4)


def _no_offer(world: World, visit: Visit, fresh: Visit, refusal: Refusal) -> Visit:
    if refusal.reason is Reason.PHONE_ASKED:
        return replace(fresh, step=advance(visit.step, Signal.PHONE_ASKED))
    state = world.journal.state
    if visit.step is Step.DOOR and screen_of(visit, state) is not Screen.INTERRUPTED:
        # A finished visit stays on the screen: somebody may still photograph their receipt.
        return replace(visit, refusal=refusal)
    if visit.step is Step.HOME and refusal.reason is Reason.CODE_SLIP:
        return refused(world, Visit(visit=fresh.visit), refusal)
    return refused(world, replace(fresh, typed=""), refusal)


async def _offered(world: World, visit: Visit, offer: Offer, phone4: str) -> Visit:
    helped = bool(visit.together.helper)
    visit = replace(visit, offer=offer, typed="")
    match offer:
        case DropOffOffer():
            named = await name_in(world, _authorisation_seq(world.journal.state, offer))
            return replace(visit, step=advance(visit.step, Signal.DROP_OFF), name=named)
        case PickupOffer():
            if offer.asks_phone and not phone4:
                return replace(visit, step=advance(visit.step, Signal.PHONE_ASKED))
            return await _collect(world, visit, offer, phone4)
        case BadgeOffer() if not helped:
            named = await name_in(world, _staff_seq(world.journal.state, offer))
            return replace(visit, step=advance(visit.step, Signal.BADGE), name=named)
        case _:
            # Labels are for staff who signed in; to anybody else they are no code at all.
            return refused(world, replace(visit, offer=None), Refusal(Reason.CODE_NOT_ACCEPTED))


async def _collect(world: World, visit: Visit, offer: PickupOffer, phone4: str) -> Visit:
    state = world.journal.state
    deposit = state.deposits.get(offer.deposit)
    item = state.items.get(deposit.item) if deposit else None
    named = await name_in(world, item.seq if item else Seq(0))
    visit = replace(visit, offer=offer, phone4=phone4)
    answer = await pick_up.open_compartment(world, offer, phone4, visit.together.helper)
    return opened(world, replace(visit, name=named), answer)


def opened(world: World, visit: Visit, answer: Answer) -> Visit:
    """A door was commanded, or why not."""
    if isinstance(answer, Refusal):
        return refused(world, visit, answer)
    step = advance(visit.step, Signal.OPENED)
    return replace(visit, step=step, deposit=answer.deposit, door=answer.door, refusing="", kept=False)


async def _phone4(world: World, visit: Visit, press: Press) -> Visit:
    digits = str(press.data["digits"])
    if isinstance(visit.offer, PickupOffer):
        return await _collect(world, visit, visit.offer, digits)
    return await code(world, visit, CodeShown(typed=visit.typed, phone4=digits))


async def _open(world: World, visit: Visit, press: Press) -> Visit:
    wish = Wish.LOW if press.data.get("lower") else Wish.ANY
    return await _open_for(world, visit, wish)


async def _again(world: World, visit: Visit, press: Press) -> Visit:
    del press
    return await _open_for(world, visit, Wish.ANY)


async def _open_for(world: World, visit: Visit, wish: Wish) -> Visit:
    match visit.offer:
        case DropOffOffer():
            answer = await drop_off.open_compartment(world, visit.offer, wish, visit.together.helper)
            return opened(world, visit, answer)
        case PickupOffer():
            helper = visit.together.helper
            answer = await pick_up.open_compartment(world, visit.offer, visit.phone4, helper)
            return opened(world, visit, answer)
        case _:
            return refused(world, visit, Refusal(Reason.NOT_NOW))


def answered(world: World, visit: Visit, refusal: Refusal | None) -> Visit:
    return refused(world, visit, refusal) if refusal else visit


async def _confirm_in(world: World, visit: Visit, press: Press) -> Visit:
    del press
    return answered(world, visit, await drop_off.confirm(world, visit.deposit))


async def _taken(world: World, visit: Visit, press: Press) -> Visit:
    del press
    return answered(world, visit, await pick_up.confirm_taken(world, visit.deposit))


async def _take_back(world: World, visit: Visit, press: Press) -> Visit:
    del press
    return answered(world, visit, await drop_off.take_back(world, visit.deposit))


async def _still_inside(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(visit, kept=True)


async def _refusing(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(visit, step=advance(visit.step, Signal.REFUSE))


async def refuse(world: World, visit: Visit, press: Press) -> Visit:
    """The recipient gives a reason: it counts once the item is back and the door is shut."""
    reason = str(press.data["reason"])
    if visit.step is Step.REFUSING:
        visit = replace(visit, step=advance(visit.step, Signal.REASON_GIVEN))
    visit = replace(visit, refusing=reason)
    door = door_of(visit, world.journal.state)
    if door is not None and world.journal.state.compartments[door].position is Position.OPEN:
        return visit
    return answered(world, visit, await pick_up.refuse(world, visit.deposit, reason))


async def _back(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    step = advance(visit.step, Signal.BACK) if visit.step is Step.REFUSING else visit.step
    return replace(visit, step=step, refusing="")


async def not_empty(world: World, visit: Visit, press: Press) -> Visit:
    """Something of somebody else lies there: nobody is sent to this door until staff have looked."""
    del press
    door = door_of(visit, world.journal.state)
    if door is None:
        return refused(world, visit, Refusal(Reason.NOT_NOW))
    await pick_up.report_not_empty(world, door)
    if visit.staff:
        return replace(visit, said="marked")
    reference = f"{world.locker} · {world.journal.state.seq}"
    return replace(visit, step=advance(visit.step, Signal.NOT_EMPTY), reference=reference)


async def another_door(world: World, visit: Visit) -> Visit:
    """The door that was not empty is shut again: the same code gets another one where that is sure."""
    await drop_off.leave(world, visit.deposit)
    deposit = world.journal.state.deposits.get(visit.deposit)
    if visit.offer is None or deposit is None or deposit.phase is not deposits.Phase.CANCELLED:
        return visit
    step = advance(visit.step, Signal.DROP_OFF)
    return replace(visit, step=step, deposit=DepositId(""), said="another")


async def bag(world: World, visit: Visit, number: str) -> Visit:
    """The label of the bag that their papers are in."""
    refusal = await drop_off.note_bag(world, visit.deposit, number)
    return replace(visit, refusal=refusal) if refusal else replace(visit, refusal=None, said="bag")


def _authorisation_seq(state: LockerState, offer: DropOffOffer) -> Seq:
    record = state.authorisations.get(offer.authorisation)
    return record.seq if record else Seq(0)


def _staff_seq(state: LockerState, offer: BadgeOffer) -> Seq:
    record = state.staff.get(offer.staff)
    return record.seq if record else Seq(0)


async def name_in(world: World, seq: Seq) -> str:
    """The masked name in one entry; empty where there is none (any more)."""
    return (await world.journal.personal(seq)).get("name", "") if seq else ""


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.PHONE4: _phone4,
    Act.OPEN: _open,
    Act.AGAIN: _again,
    Act.CONFIRM_IN: _confirm_in,
    Act.TAKEN: _taken,
    Act.TAKE_BACK: _take_back,
    Act.STILL_INSIDE: _still_inside,
    Act.REFUSING: _refusing,
    Act.REFUSE: refuse,
    Act.BACK: _back,
    Act.NOT_EMPTY: not_empty,
}
