"""What helpers do: sign in, go their rounds, load, look again, sign out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from kiosk_ui import rounds, second
from kiosk_ui.acts import CodeShown, Press
from kiosk_ui.flow import Signal, Step, advance
from kiosk_ui.names import Act, Screen
from kiosk_ui.screens import Visit, opening_of, screen_of
from kiosk_ui.visitors import name_in, not_empty, opened, refused
from locker.domain.allocation import Wish
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import CompartmentNumber
from locker.domain.opening import Purpose
from locker.domain.rounds import RoundKind
from locker.operations import clear_submissions, load_outgoing, stocktake, withdraw_overdue
from locker.operations.open_door import Answer
from locker.operations.ports import World
from locker.operations.present_code import BadgeOffer, LoadOffer, Offer, present_scanned
from locker.operations.sign_in import sign_in

_NOT_NOW: Final = Refusal(Reason.NOT_NOW)
_WRONG: Final = Refusal(Reason.WRONG_LABEL)


async def pin(world: World, visit: Visit, press: Press) -> Visit:
    """The PIN of the badge that was shown."""
    if not isinstance(visit.offer, BadgeOffer):
        return refused(world, visit, _NOT_NOW)
    answer = await sign_in(world, visit.offer, str(press.data["digits"]))
    if isinstance(answer, Refusal):
        return refused(world, visit, answer)
    return replace(visit, step=advance(visit.step, Signal.SIGNED_IN), staff=answer.staff, offer=None)


async def code(world: World, visit: Visit, shown: CodeShown) -> Visit:
    """Signed in, labels are what is scanned: the first look, or the second one after the door was shut."""
    if visit.step is Step.SECOND:
        return await second.badge(world, visit, shown)
    if shown.typed:
        return refused(world, visit, _NOT_NOW)
    if rounds.hears_papers(visit, world.journal.state):
        return await rounds.scanned(world, visit, shown)
    answer = await present_scanned(world, shown.scanned)
    if isinstance(answer, Refusal):
        return replace(visit, refusal=answer)
    return await _heard(world, visit, answer)


async def _heard(world: World, visit: Visit, answer: Offer) -> Visit:
    if not isinstance(answer, LoadOffer):
        return refused(world, visit, _NOT_NOW)
    screen = screen_of(visit, world.journal.state)
    if screen is Screen.SECOND_LOOK:
        return await rounds.second_look(world, visit, answer)
    if screen is Screen.PUT_IN:
        same = isinstance(visit.offer, LoadOffer) and visit.offer.item == answer.item
        return replace(visit, said="shut_scan") if same else refused(world, visit, _WRONG)
    return await _label(world, visit, answer)


async def _label(world: World, visit: Visit, label: LoadOffer) -> Visit:
    state = world.journal.state
    visit = rounds.busy_with_nothing(visit)
    if refusal := load_outgoing.refusal_of(world, state, label):
        return refused(world, visit, refusal)
    item = state.items.get(label.item)
    named = await name_in(world, item.seq) if item else ""
    said = "" if item else "unannounced"
    visit = replace(visit, step=advance(visit.step, Signal.LABEL), offer=label, name=named, said=said)
    if visit.going is None or visit.going.kind != RoundKind.LOAD:
        return visit
    # On a round of loading the label itself says which door is wanted.
    wish = Wish.LOW if visit.going.low else Wish.ANY
    return opened(world, visit, await _open_for_label(world, visit, wish))


def _done(visit: Visit, task: Signal, said: str) -> Visit:
    return replace(rounds.busy_with_nothing(visit), step=advance(visit.step, task), said=said)


async def _round(world: World, visit: Visit, press: Press) -> Visit:
    kind = str(press.data["kind"])
    if kind != "check":
        return await rounds.look(world, visit, kind)
    size = len(stocktake.doubtful(world.journal.state))
    return replace(visit, step=advance(visit.step, Signal(kind)), round_size=size, going=None)


async def _load(world: World, visit: Visit, press: Press) -> Visit:
    del press
    return await rounds.load(world, visit)


async def _menu(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    fresh = rounds.busy_with_nothing(visit)
    together = replace(visit.together, taking=False)
    return replace(fresh, step=advance(visit.step, Signal.BACK), going=None, together=together)


async def _check_open(world: World, visit: Visit, press: Press) -> Visit:
    door = CompartmentNumber(int(press.data["door"]))
    return opened(world, visit, await stocktake.open_compartment(world, visit.staff, door))


async def _load_open(world: World, visit: Visit, press: Press) -> Visit:
    wish = Wish.LOW if press.data.get("lower") else Wish.ANY
    return opened(world, visit, await _open_for_label(world, visit, wish))


async def _open_for_label(world: World, visit: Visit, wish: Wish = Wish.ANY) -> Answer:
    if not isinstance(visit.offer, LoadOffer):
        return _NOT_NOW
    on_round = visit.going is not None and visit.going.kind == RoundKind.LOAD
    return await load_outgoing.open_compartment(world, visit.staff, visit.offer, wish, on_round=on_round)


async def _again(world: World, visit: Visit, press: Press) -> Visit:
    del press
    opening = opening_of(visit, world.journal.state)
    purpose = opening.purpose if opening else None
    answer: Answer = _NOT_NOW
    match purpose:
        case Purpose.INTAKE:
            answer = await clear_submissions.open_compartment(world, visit.staff, visit.deposit)
        case Purpose.WITHDRAW:
            answer = await withdraw_overdue.open_compartment(world, visit.staff, visit.deposit)
        case Purpose.CHECK if visit.door is not None:
            answer = await stocktake.open_one(world, visit.staff, visit.door)
        case Purpose.LOAD:
            answer = await _open_for_label(world, visit)
    return opened(world, visit, answer)


async def _check_confirm(world: World, visit: Visit, press: Press) -> Visit:
    empty = bool(press.data["empty"])
    if visit.door is None or press.data.get("door", visit.door) != visit.door:
        return refused(world, visit, _NOT_NOW)
    refusal = await stocktake.confirm(world, visit.staff, visit.door, empty=empty)
    said = "check_empty" if empty else "check_found"
    return refused(world, visit, refusal) if refusal else _done(visit, Signal.CHECK, said)


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    **rounds.DOES,
    Act.ROUND: _round,
    Act.LOAD: _load,
    Act.MENU: _menu,
    Act.LOAD_OPEN: _load_open,
    Act.CHECK_OPEN: _check_open,
    Act.CHECK_CONFIRM: _check_confirm,
    Act.AGAIN: _again,
    Act.NOT_EMPTY: not_empty,
}
