"""A helper's round at the kiosk: go on, say what was found, skip, take back, end, hand over."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from kiosk_ui.acts import CodeShown, Press
from kiosk_ui.flow import Signal, Step, advance
from kiosk_ui.going import Going
from kiosk_ui.names import Act, Screen
from kiosk_ui.screens import Visit, opening_of, screen_of
from kiosk_ui.visitors import name_in, opened, refused
from locker.domain import rounds as domain
from locker.domain.codes import parse_bag
from locker.domain.deposit import Deposit
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import DepositId, Seq
from locker.domain.opening import Phase
from locker.domain.rounds import RoundKind
from locker.domain.state import LockerState
from locker.operations import load_outgoing, rounds, withdraw_overdue
from locker.operations.open_door import Answer, Opened
from locker.operations.ports import World
from locker.operations.present_code import LoadOffer, present_scanned
from locker.operations.rounds import Verdict

_NOT_NOW: Final = Refusal(Reason.NOT_NOW)
_WRONG: Final = Refusal(Reason.WRONG_LABEL)


def busy_with_nothing(visit: Visit) -> Visit:
    """The same person, on the same round, at no door."""
    going = replace(visit.going, verdict=None, picked=DepositId(""), late=False) if visit.going else None
    return replace(visit, offer=None, deposit=DepositId(""), door=None, name="", going=going)


def _told(visit: Visit, refusal: Refusal) -> Visit:
    """It did not go, and they are where they were."""
    return replace(visit, refusal=refusal)


# --- the list, and what it opens ------------------------------------------------------------------------


async def look(world: World, visit: Visit, kind: str) -> Visit:
    """The list: what waits, and how far the round is that goes on."""
    state = world.journal.state
    names = {each.deposit: await name_in(world, _seq(state, each)) for each in rounds.waiting(state, kind)}
    step = advance(visit.step, Signal(kind))
    fresh = replace(busy_with_nothing(visit), names=MappingProxyType(names))
    return replace(fresh, step=step, going=Going(kind, begun_by=await _begun_by(world, state, kind)))


async def _begun_by(world: World, state: LockerState, kind: str) -> str:
    going = state.rounds.open(kind)
    record = state.staff.get(going.parts[0].staff) if going else None
    return await name_in(world, record.seq) if record else ""


def _stands_open(world: World, visit: Visit, pick: DepositId = DepositId("")) -> Answer | None:
    """A door of this round that the same helper opened and that stands open still: a restart came between. It
    is not opened again; what is said of it counts as if nothing had been."""
    state, kind = world.journal.state, visit.going.kind if visit.going else ""
    for each in rounds.waiting(state, kind):
        opening = state.opening_of(each.door)
        theirs = opening is not None and opening.staff == visit.staff and opening.deposit == each.deposit
        if opening is not None and theirs and opening.live and pick in {"", each.deposit}:
            return Opened(opening.grant, each.door, each.deposit)
    return None


async def _go(world: World, visit: Visit, press: Press) -> Visit:
    del press
    if visit.going is None or visit.going.kind not in rounds.WAYS:
        return refused(world, visit, _NOT_NOW)
    kind = visit.going.kind
    visit = replace(visit, going=replace(visit.going, guided=True, late=False))
    answer = _stands_open(world, visit) or await rounds.go_on(world, visit.staff, kind)
    return await _with_name(world, _at(world, visit, answer))


async def _pick(world: World, visit: Visit, press: Press) -> Visit:
    if visit.going is None:
        return refused(world, visit, _NOT_NOW)
    key, kind = DepositId(str(press.data["deposit"])), visit.going.kind
    visit = replace(visit, going=replace(visit.going, guided=False))
    answer = _stands_open(world, visit, key) or await rounds.go_on(world, visit.staff, kind, key)
    return await _with_name(world, _at(world, visit, answer))


async def _with_name(world: World, visit: Visit) -> Visit:
    """With the name of whoever began the round, which may have begun just now."""
    if visit.going is None or visit.going.begun_by:
        return visit
    named = await _begun_by(world, world.journal.state, visit.going.kind)
    return replace(visit, going=replace(visit.going, begun_by=named))


def _at(world: World, visit: Visit, answer: Answer) -> Visit:
    """At the door that was commanded, with the name that belongs to it."""
    if isinstance(answer, Refusal):
        return refused(world, visit, answer)
    going = replace(visit.going, verdict=None) if visit.going else None
    return opened(world, replace(visit, name=visit.names.get(answer.deposit, ""), going=going), answer)


# --- what a helper says of a door -----------------------------------------------------------------------


async def _found(world: World, visit: Visit, press: Press) -> Visit:
    if press.data.get("deposit", visit.deposit) != visit.deposit:
        return refused(world, visit, _NOT_NOW)
    return await _say(world, visit, Verdict(finding=str(press.data["finding"])))


async def _withdrawn(world: World, visit: Visit, press: Press) -> Visit:
    if press.data.get("deposit", visit.deposit) != visit.deposit:
        return refused(world, visit, _NOT_NOW)
    if visit.going is not None and visit.going.kind == RoundKind.LOAD:
        return await _loaded_no_more(world, visit)
    return await _say(world, visit, Verdict(finding=withdraw_overdue.FINDING))


async def _skip(world: World, visit: Visit, press: Press) -> Visit:
    at_door = replace(visit, step=advance(visit.step, Signal.RESUME))
    if press.data.get("deposit", visit.deposit) != visit.deposit:
        return refused(world, at_door, _NOT_NOW)
    return await _say(world, at_door, Verdict(why=str(press.data["why"])))


async def scanned(world: World, visit: Visit, shown: CodeShown) -> Visit:
    """A label at the door says: this is what I have in my hand, and it is the right one. Another one says so,
    and changes nothing."""
    record = world.journal.state.deposits.get(visit.deposit)
    if record is None or visit.going is None or visit.going.kind not in rounds.WAYS:
        return _told(visit, _WRONG)
    if visit.going.kind == RoundKind.WITHDRAW:
        offer = await present_scanned(world, shown.scanned)
        if not isinstance(offer, LoadOffer) or offer.item != record.item:
            return _told(visit, _WRONG)
        return await _say(world, visit, Verdict(finding=withdraw_overdue.FINDING))
    if refusal := await _wrong_papers(world, visit, record, shown.scanned):
        return _told(visit, refusal)
    return await _say(world, visit, Verdict(finding="complete"))


async def _wrong_papers(world: World, visit: Visit, record: Deposit, text: str) -> Refusal | None:
    """None where the label, or the number of the case, is that of this door."""
    label = parse_bag(text)
    if text == record.case or (label and label == record.bag):
        return None
    if not label or record.bag:
        return _WRONG
    # What had no label has one from now on.
    return await rounds.note_label(world, visit.staff, visit.deposit, label)


async def _say(world: World, visit: Visit, verdict: Verdict) -> Visit:
    """At once where the door is shut; where it stands open, once it is."""
    if visit.going is None:
        return refused(world, visit, _NOT_NOW)
    verdict = replace(verdict, given_mono_ms=world.clock.mono_ms())
    visit = replace(visit, going=replace(visit.going, verdict=verdict))
    opening = opening_of(visit, world.journal.state)
    if opening is not None and opening.live:
        return replace(visit, said="")
    policy = world.journal.state.policy
    return await _settled(world, visit, world.clock.mono_ms() + policy.pulse_deadline_ms)


async def shut(world: World, visit: Visit) -> Visit:
    """Its door was shut just now, and what was said of it counts. The next one opens for who stands here."""
    state = world.journal.state
    record = state.deposits.get(visit.deposit)
    if visit.going is None or visit.going.verdict is None or record is None:
        return visit
    waits = record.shut_mono_ms - visit.going.verdict.given_mono_ms <= rounds.GO_ON_MS
    return await _settled(world, visit, record.shut_mono_ms + state.policy.pulse_deadline_ms if waits else 0)


async def _settled(world: World, visit: Visit, until_ms: int) -> Visit:
    going = visit.going
    assert going is not None  # noqa: S101  # both callers have looked
    assert going.verdict is not None  # noqa: S101  # both callers have looked
    settled = await rounds.settle(
        *(world, visit.staff, going.kind, visit.deposit, going.verdict),
        until_ms=until_ms if going.guided else 0,
    )
    said = _words_of(going, going.verdict)
    visit = replace(visit, going=replace(going, verdict=None), said="")
    if settled.refusal is not None:
        return _told(visit, settled.refusal)
    if settled.opened is not None:
        return replace(_at(world, visit, settled.opened), said=said)
    return replace(_where(world, visit, late=going.guided), said=said)


def _words_of(going: Going, verdict: Verdict) -> str:
    if verdict.why:
        return "skipped"
    return f"intake_{verdict.finding}" if going.kind == RoundKind.INTAKE else verdict.finding


def _where(world: World, visit: Visit, *, late: bool = False) -> Visit:
    """Between two doors: the list, or where one walked through all of it the count."""
    going = visit.going
    kind = going.kind if going else ""
    over = going is not None and going.guided and not rounds.ahead(world.journal.state, kind)
    fresh = busy_with_nothing(visit)
    fresh = replace(fresh, going=replace(fresh.going, late=late and not over) if fresh.going else None)
    return replace(fresh, step=advance(visit.step, Signal.ROUND_DONE if over else Signal(kind)))


# --- skipping, taking back, ending ----------------------------------------------------------------------


async def _skipping(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    going = replace(visit.going, verdict=None) if visit.going else None
    return replace(visit, step=advance(visit.step, Signal.SKIPPING), going=going)


async def _resume(world: World, visit: Visit, press: Press) -> Visit:
    """Back to the door, or where there is none to the list."""
    del press
    return _resumed(world, visit)


def _resumed(world: World, visit: Visit) -> Visit:
    visit = replace(visit, going=replace(visit.going, picked=DepositId(""))) if visit.going else visit
    if visit.deposit:
        return replace(visit, step=advance(visit.step, Signal.RESUME))
    return _where(world, visit)


async def _undo(world: World, visit: Visit, press: Press) -> Visit:
    """A finding was a slip of the finger: the last one, or whichever is picked. The last item loaded is taken
    out again."""
    kind, state = visit.going.kind if visit.going else "", world.journal.state
    if visit.going is not None and kind != RoundKind.LOAD:
        own = [each.deposit for each in domain.own(state.rounds, kind, visit.staff)]
        picked = DepositId(str(press.data.get("deposit", own[0] if own else "")))
        if picked not in own:
            return refused(world, visit, _NOT_NOW)
        going = replace(visit.going, verdict=None, picked=picked)
        return replace(visit, step=advance(visit.step, Signal.CORRECTING), going=going)
    last = domain.last_of(state.rounds, kind, visit.staff)
    if last is None:
        return refused(world, visit, _NOT_NOW)
    answer = await withdraw_overdue.open_compartment(world, visit.staff, last[1].deposit)
    return opened(world, busy_with_nothing(visit), answer)


async def _correct(world: World, visit: Visit, press: Press) -> Visit:
    key, finding = DepositId(str(press.data["deposit"])), str(press.data["finding"])
    kind = visit.going.kind if visit.going else ""
    refusal = await rounds.correct(world, visit.staff, kind, key, finding)
    back = _resumed(world, visit)
    return _told(back, refusal) if refusal else replace(back, said="corrected")


async def _loaded_no_more(world: World, visit: Visit) -> Visit:
    refusal = await withdraw_overdue.confirm(world, visit.staff, visit.deposit)
    if refusal:
        return refused(world, visit, refusal)
    return replace(busy_with_nothing(visit), step=advance(visit.step, Signal.LOAD), said="load_undone")


async def _end(world: World, visit: Visit, press: Press) -> Visit:
    del press
    kind = visit.going.kind if visit.going else ""
    if refusal := await rounds.end(world, visit.staff, kind):
        return refused(world, visit, refusal)
    return replace(busy_with_nothing(visit), step=advance(visit.step, Signal.SLIP))


# --- loading --------------------------------------------------------------------------------------------


async def load(world: World, visit: Visit) -> Visit:
    """From now on a label opens a door by itself."""
    state = world.journal.state
    going = Going(RoundKind.LOAD, guided=True, begun_by=await _begun_by(world, state, RoundKind.LOAD))
    return replace(busy_with_nothing(visit), step=advance(visit.step, Signal.LOAD), going=going)


async def _low(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    going = visit.going
    return replace(visit, going=replace(going, low=not going.low)) if going else visit


async def _name_seen(world: World, visit: Visit, press: Press) -> Visit:
    """The second look without a scanner: the name on the label is the one on the screen."""
    del press
    if not isinstance(visit.offer, LoadOffer) or not visit.name:
        return refused(world, visit, _NOT_NOW)
    return await second_look(world, visit, visit.offer)


async def second_look(world: World, visit: Visit, label: LoadOffer) -> Visit:
    refusal = await load_outgoing.confirm(world, visit.staff, visit.deposit, label)
    if refusal:
        return refused(world, visit, refusal)
    fresh = await _with_name(world, busy_with_nothing(visit))
    return replace(fresh, step=advance(visit.step, Signal.LOAD), said="loaded")


def _seq(state: LockerState, deposit: Deposit) -> Seq:
    item = state.items.get(deposit.item)
    authorisation = state.authorisations.get(deposit.authorisation)
    if item is not None:
        return item.seq
    return authorisation.seq if authorisation else Seq(0)


def has_shut(visit: Visit, state: LockerState) -> bool:
    """Whether something was said of this visit's door, and that is shut now."""
    if visit.going is None or visit.going.verdict is None or visit.step is not Step.STAFF_DOOR:
        return False
    opening = opening_of(visit, state)
    return opening is not None and opening.phase is Phase.CLOSED


def hears_papers(visit: Visit, state: LockerState) -> bool:
    """Whether what is scanned now is what the helper has in their hand."""
    return screen_of(visit, state) in {Screen.TAKE_OUT, Screen.INTAKE_CONFIRM, Screen.WITHDRAW_CONFIRM}


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.ROUND_GO: _go,
    Act.INTAKE_OPEN: _pick,
    Act.WITHDRAW_OPEN: _pick,
    Act.INTAKE_CONFIRM: _found,
    Act.WITHDRAW_CONFIRM: _withdrawn,
    Act.SKIPPING: _skipping,
    Act.SKIP: _skip,
    Act.RESUME: _resume,
    Act.ROUND_UNDO: _undo,
    Act.CORRECT: _correct,
    Act.ROUND_END: _end,
    Act.LOAD_LOW: _low,
    Act.NAME_SEEN: _name_seen,
}
