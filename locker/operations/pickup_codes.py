"""Pickup codes are made here: at the loading, for an agent, and in place of one that was lost."""

from typing import Final

from locker.domain.codes import (
    BEARER_BITS,
    BEARER_DIGITS,
    LOCKER_LOCATORS,
    SECRET_DIGITS,
    CodeRecord,
    ScanKind,
    bearer_text,
    free_locator,
    typed_text,
)
from locker.domain.deposit import ENDED, Deposit, Phase
from locker.domain.encoding import canonical
from locker.domain.entrustments import Entrustment
from locker.domain.events import (
    AgentEntrusted,
    AuthorisationExtended,
    CodeEnded,
    CodeReissueOrdered,
    EntrustmentEnded,
    Event,
    HoldExtended,
    PapersDue,
    PickupCodeMade,
)
from locker.domain.ids import CodeId, DepositId, EntrustmentId, ItemId, OrderId
from locker.domain.state import LockerState
from locker.operations.ports import World
from locker.operations.present_code import expired

NOTHING_WAITS: Final = "nothing of this waits here"
NO_LOCATOR: Final = "no pickup code is free"
RECIPIENT: Final = EntrustmentId("")


def at_loading(world: World, state: LockerState, deposit: Deposit) -> tuple[PickupCodeMade, ...] | None:
    """The recipient's code, and one for each agent whose entrustment came first. None: none is free."""
    holders = [RECIPIENT, *(each.entrustment for each in _entrusted(world, state, deposit.item))]
    made: list[PickupCodeMade] = []
    for holder in holders:
        code = _make(world, state, deposit.deposit, holder, without=frozenset(c.locator for c in made))
        if code is None:
            return None
        made.append(code)
    return tuple(made)


def objection(state: LockerState, says: object) -> str:
    """What speaks against a state entry about pickups, for staff to look at; empty where nothing does."""
    return NO_LOCATOR if isinstance(says, CodeReissueOrdered | AgentEntrusted) and _full(state) else ""


def moot(world: World, state: LockerState, says: object) -> str:
    """Why a state entry about pickups changes nothing any more: what it speaks of is over, or was done.

    ``repeated`` where the code of this very order was made; else ``void: why``; empty where it counts.
    """
    match says:
        case CodeReissueOrdered() if _answered(state, says.order):
            return "repeated"
        case CodeReissueOrdered():
            why = _not_reissued(world, state, says)
        case AgentEntrusted() if says.item not in state.items and not _stays(state, says.item):
            why = NOTHING_WAITS
        case AgentEntrusted():
            stays = _stays(state, says.item)
            why = NOTHING_WAITS if stays and all(d.phase in ENDED for d in stays) else ""
        case EntrustmentEnded():
            known = state.entrustments.find(says.entrustment)
            why = "" if known is not None and not known.ended else "no such entrustment lives"
        case HoldExtended():
            why = "" if says.item in state.items else "no such item"
        case AuthorisationExtended() | PapersDue():
            right = state.authorisations.get(says.authorisation)
            why = "" if right is not None and not right.ended else "no such right lives"
        case _:
            return ""
    return f"void: {why}" if why else ""


def _answered(state: LockerState, order: OrderId) -> bool:
    """A code of an earlier epoch answers nothing: a centre that asks again has never had it."""
    return any(code.order == order and code.seq for code in state.codes.values())


def _not_reissued(world: World, state: LockerState, says: CodeReissueOrdered) -> str:
    if _waiting(state, says.item) is None:
        return NOTHING_WAITS
    agents = {each.entrustment for each in _entrusted(world, state, says.item)}
    return "" if not says.entrustment or says.entrustment in agents else "no such entrustment lives"


def follows(world: World, state: LockerState, says: object) -> tuple[Event, ...]:
    """The codes that a state entry makes and ends, beside itself; `objection` and `moot` had nothing."""
    match says:
        case CodeReissueOrdered() if deposit := _waiting(state, says.item):
            code = _make(world, state, deposit.deposit, says.entrustment, says.order)
            before = _live(state, deposit.deposit, says.entrustment) if says.stolen else ()
            ended = tuple(CodeEnded(each.code, "reissued") for each in before)
            return (*ended, code) if code else ended
        case AgentEntrusted() if deposit := _waiting(state, says.item):
            if any(code.entrustment == says.entrustment for code in state.codes.values()):
                return ()
            if expired(world, says.valid_until_ms):
                return ()
            code = _make(world, state, deposit.deposit, says.entrustment)
            return (code,) if code else ()
        case EntrustmentEnded():
            mine = (c for c in state.codes.values() if c.entrustment == says.entrustment and not c.ended)
            return tuple(CodeEnded(code.code, "revoked") for code in mine)
        case _:
            return ()


def superseded(world: World, state: LockerState) -> tuple[CodeEnded, ...]:
    """The codes whose heirs the centre has, so that it can send them."""
    stored_to = world.journal.acknowledged
    return tuple(
        CodeEnded(code.code, "reissued")
        for code in state.codes.values()
        if not code.ended and code.heir in state.codes and 0 < state.codes[code.heir].seq <= stored_to
    )


def awaits_centre(state: LockerState) -> bool:
    """Whether a code is to end as soon as the centre has the one in its place."""
    return any(code.heir and not code.ended for code in state.codes.values())


def _waiting(state: LockerState, item: ItemId) -> Deposit | None:
    """The stay from which this item may be collected just now."""
    return next((d for d in _stays(state, item) if d.phase is Phase.AWAITING_PICKUP), None)


def _stays(state: LockerState, item: ItemId) -> tuple[Deposit, ...]:
    return tuple(d for d in state.deposits.values() if d.item == item)


def _entrusted(world: World, state: LockerState, item: ItemId) -> tuple[Entrustment, ...]:
    return tuple(e for e in state.entrustments.living(item) if not expired(world, e.valid_until_ms))


def _live(state: LockerState, deposit: DepositId, holder: EntrustmentId) -> tuple[CodeRecord, ...]:
    codes = state.codes.values()
    return tuple(c for c in codes if (c.deposit, c.entrustment, c.ended) == (deposit, holder, ""))


def _full(state: LockerState) -> bool:
    return len({code.locator for code in state.codes.values()}) >= len(LOCKER_LOCATORS)


def _make(
    world: World,
    state: LockerState,
    deposit: DepositId,
    holder: EntrustmentId,
    order: OrderId = OrderId(""),
    without: frozenset[str] = frozenset(),
) -> PickupCodeMade | None:
    """A fresh pickup code; its digits leave this function sealed only. None where no locator is free."""
    draw = world.secrets.draw
    taken = without | frozenset(code.locator for code in state.codes.values())
    locator = free_locator(taken, LOCKER_LOCATORS, draw)
    if locator is None:
        return None
    secret = f"{draw(10**SECRET_DIGITS):0{SECRET_DIGITS}d}"
    bits = draw(2**BEARER_BITS)
    body = f"{bits:0{BEARER_DIGITS}d}"
    plain = {"typed": typed_text(locator, secret), "scan": bearer_text(ScanKind.PICKUP, bits)}
    return PickupCodeMade(
        CodeId(world.secrets.new_id()),
        deposit,
        locator,
        world.secrets.digest("pick_up", locator + secret),
        world.secrets.digest("scan", body),
        world.secrets.seal(canonical(plain)),
        holder,
        order,
    )
