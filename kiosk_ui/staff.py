"""What helpers do: sign in, go their rounds, load, look again, sign out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from kiosk_ui.acts import CodeShown, Press
from kiosk_ui.flow import Signal, advance
from kiosk_ui.screens import Act, Screen, Visit, opening_of, screen_of
from kiosk_ui.visitors import name_in, not_empty, opened, refused
from locker.domain.allocation import Wish
from locker.domain.deposit import Deposit
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import CompartmentNumber, DepositId, Seq
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.operations import clear_submissions, load_outgoing, stocktake, withdraw_overdue
from locker.operations.open_door import Answer
from locker.operations.ports import World
from locker.operations.present_code import BadgeOffer, LoadOffer, present_scanned
from locker.operations.sign_in import sign_in

_NOT_NOW: Final = Refusal(Reason.NOT_NOW)


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
    if shown.typed:
        return refused(world, visit, _NOT_NOW)
    answer = await present_scanned(world, shown.scanned)
    if isinstance(answer, Refusal):
        return replace(visit, refusal=answer)
    if not isinstance(answer, LoadOffer):
        return refused(world, visit, _NOT_NOW)
    if screen_of(visit, world.journal.state) is Screen.SECOND_LOOK:
        return await _second_look(world, visit, answer)
    return await _label(world, visit, answer)


async def _second_look(world: World, visit: Visit, label: LoadOffer) -> Visit:
    refusal = await load_outgoing.confirm(world, visit.staff, visit.deposit, label)
    if refusal:
        return refused(world, visit, refusal)
    return _done(visit, Signal.LOAD, "loaded")


async def _label(world: World, visit: Visit, label: LoadOffer) -> Visit:
    state = world.journal.state
    visit = _free(visit)
    if refusal := load_outgoing.refusal_of(world, state, label):
        return refused(world, visit, refusal)
    item = state.items.get(label.item)
    named = await name_in(world, item.seq) if item else ""
    said = "" if item else "unannounced"
    return replace(visit, step=advance(visit.step, Signal.LABEL), offer=label, name=named, said=said)


def _free(visit: Visit) -> Visit:
    """The same person, busy with nothing."""
    return replace(visit, offer=None, deposit=DepositId(""), door=None, name="")


def _done(visit: Visit, task: Signal, said: str) -> Visit:
    return replace(_free(visit), step=advance(visit.step, task), said=said)


async def _round(world: World, visit: Visit, press: Press) -> Visit:
    kind = str(press.data["kind"])
    state = world.journal.state
    waiting: list[Deposit] = []
    if kind == "intake":
        waiting = clear_submissions.waiting(state)
    elif kind == "withdraw":
        waiting = withdraw_overdue.waiting(state)
    size = len(waiting) if kind != "check" else len(stocktake.doubtful(state))
    names = {deposit.deposit: await name_in(world, _seq(state, deposit)) for deposit in waiting}
    step = advance(visit.step, Signal(kind))
    return replace(visit, step=step, names=MappingProxyType(names), round_size=size)


async def _load(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(visit, step=advance(visit.step, Signal.LOAD))


async def _menu(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(_free(visit), step=advance(visit.step, Signal.BACK))


async def _intake_open(world: World, visit: Visit, press: Press) -> Visit:
    key = DepositId(str(press.data["deposit"]))
    return _opened(world, visit, key, await clear_submissions.open_compartment(world, visit.staff, key))


async def _withdraw_open(world: World, visit: Visit, press: Press) -> Visit:
    key = DepositId(str(press.data["deposit"]))
    return _opened(world, visit, key, await withdraw_overdue.open_compartment(world, visit.staff, key))


async def _check_open(world: World, visit: Visit, press: Press) -> Visit:
    door = CompartmentNumber(int(press.data["door"]))
    return opened(world, visit, await stocktake.open_compartment(world, visit.staff, door))


async def _load_open(world: World, visit: Visit, press: Press) -> Visit:
    wish = Wish.LOW if press.data.get("lower") else Wish.ANY
    return opened(world, visit, await _open_for_label(world, visit, wish))


async def _open_for_label(world: World, visit: Visit, wish: Wish = Wish.ANY) -> Answer:
    if not isinstance(visit.offer, LoadOffer):
        return _NOT_NOW
    return await load_outgoing.open_compartment(world, visit.staff, visit.offer, wish)


def _opened(world: World, visit: Visit, key: DepositId, answer: Answer) -> Visit:
    return opened(world, replace(visit, name=visit.names.get(key, "")), answer)


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
            answer = await stocktake.open_compartment(world, visit.staff, visit.door)
        case Purpose.LOAD:
            answer = await _open_for_label(world, visit)
    return opened(world, visit, answer)


async def _intake_confirm(world: World, visit: Visit, press: Press) -> Visit:
    finding = str(press.data["finding"])
    if press.data.get("deposit", visit.deposit) != visit.deposit:
        return refused(world, visit, _NOT_NOW)
    refusal = await clear_submissions.confirm(world, visit.staff, visit.deposit, finding)
    return refused(world, visit, refusal) if refusal else _done(visit, Signal.INTAKE, f"intake_{finding}")


async def _withdraw_confirm(world: World, visit: Visit, press: Press) -> Visit:
    if press.data.get("deposit", visit.deposit) != visit.deposit:
        return refused(world, visit, _NOT_NOW)
    refusal = await withdraw_overdue.confirm(world, visit.staff, visit.deposit)
    return refused(world, visit, refusal) if refusal else _done(visit, Signal.WITHDRAW, "withdrawn")


async def _check_confirm(world: World, visit: Visit, press: Press) -> Visit:
    empty = bool(press.data["empty"])
    if visit.door is None or press.data.get("door", visit.door) != visit.door:
        return refused(world, visit, _NOT_NOW)
    refusal = await stocktake.confirm(world, visit.staff, visit.door, empty=empty)
    said = "check_empty" if empty else "check_found"
    return refused(world, visit, refusal) if refusal else _done(visit, Signal.CHECK, said)


def _seq(state: LockerState, deposit: Deposit) -> Seq:
    item = state.items.get(deposit.item)
    authorisation = state.authorisations.get(deposit.authorisation)
    if item is not None:
        return item.seq
    return authorisation.seq if authorisation else Seq(0)


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.ROUND: _round,
    Act.LOAD: _load,
    Act.MENU: _menu,
    Act.INTAKE_OPEN: _intake_open,
    Act.INTAKE_CONFIRM: _intake_confirm,
    Act.LOAD_OPEN: _load_open,
    Act.WITHDRAW_OPEN: _withdraw_open,
    Act.WITHDRAW_CONFIRM: _withdraw_confirm,
    Act.CHECK_OPEN: _check_open,
    Act.CHECK_CONFIRM: _check_confirm,
    Act.AGAIN: _again,
    Act.NOT_EMPTY: not_empty,
}
