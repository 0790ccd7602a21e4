"""What the pages of a helper's round show: which buttons fit, how far it is, the slip at its end."""

from typing import Any, Final

from kiosk_ui.going import Going
from kiosk_ui.names import Act, Screen
from kiosk_ui.screens import Visit, opening_of
from kiosk_ui.texts import Texts
from locker.domain import rounds as domain
from locker.domain.deposit import Deposit, Phase
from locker.domain.ids import DepositId
from locker.domain.opening import Purpose
from locker.domain.rounds import UNDONE, Done, Left, Round, RoundKind
from locker.domain.state import LockerState
from locker.operations import rounds

WHYS: Final = tuple(why.value for why in Left)
CORRECTIONS: Final = ("complete", "missing", "wrong", UNDONE)
_ON_A_ROUND: Final = frozenset(
    {Screen.TAKE_OUT, Screen.NOT_TAKEN, Screen.INTAKE_CONFIRM, Screen.WITHDRAW_CONFIRM, Screen.STUCK}
    | {Screen.PUT_IN, Screen.SECOND_LOOK, Screen.LOAD, Screen.ROUND_DONE}
)
"""Where the count stands."""
_LISTS: Final = frozenset({Screen.ROUND_INTAKE, Screen.ROUND_WITHDRAW, Screen.LOAD, Screen.ROUND_DONE})
"""Where it says whose round this is."""


def kind_of(visit: Visit) -> str:
    return visit.going.kind if visit.going else ""


def picked_of(visit: Visit, state: LockerState) -> Done | None:
    """Whose finding is being corrected, or could be: the one that was picked, else the last."""
    own = domain.own(state.rounds, kind_of(visit), visit.staff)
    picked = visit.going.picked if visit.going else ""
    return next((each for each in own if each.deposit == picked), own[0] if own else None)


def fits(act: Act, visit: Visit, state: LockerState) -> bool:
    """Whether a button of the round is of use on the page that has it."""
    kind, opening = kind_of(visit), opening_of(visit, state)
    purpose = opening.purpose if opening else None
    going = state.rounds.open(kind)
    fit = True
    match act:
        case Act.INTAKE_CONFIRM:
            fit = purpose is Purpose.INTAKE
        case Act.WITHDRAW_CONFIRM:
            at_once = opening is not None and not opening.live
            fit = purpose is Purpose.WITHDRAW and (kind == RoundKind.WITHDRAW or at_once)
        case Act.SKIPPING:
            fit = kind in rounds.WAYS and purpose in {Purpose.INTAKE, Purpose.WITHDRAW}
        case Act.ROUND_UNDO:
            fit = _undoable(visit, state)
        case Act.ROUND_GO:
            fit = kind in rounds.WAYS and bool(rounds.ahead(state, kind))
        case Act.ROUND_END:
            fit = going is not None and bool(going.done or going.skipped)
        case Act.NAME_SEEN:
            fit = bool(visit.name) and visit.offer is not None
    return fit


def _undoable(visit: Visit, state: LockerState) -> bool:
    if kind_of(visit) != RoundKind.LOAD:
        return picked_of(visit, state) is not None
    last = domain.last_of(state.rounds, RoundKind.LOAD, visit.staff)
    record = state.deposits.get(last[1].deposit) if last else None
    if record is None or record.deposit == visit.deposit:
        return False
    return record.phase is Phase.AWAITING_PICKUP


def facts(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """How far the round is, and on its lists who began it and when."""
    kind = kind_of(visit)
    if not kind:
        return []
    counted, going = rounds.count(state, kind), state.rounds.open(kind)
    found: list[dict[str, Any]] = []
    if screen in _ON_A_ROUND and (going is not None or screen is Screen.LOAD):
        key = "word.round_loaded" if kind == RoundKind.LOAD else "word.round_of"
        value = texts.say(key, {"done": counted.done, "size": counted.size})
        found.append({"label": texts.say("word.round", {}), "value": value})
    if screen in _LISTS and going is not None:
        begun_by = (visit.going.begun_by if visit.going else "") or going.parts[0].staff
        found.append({"label": texts.say("word.begun_by", {}), "value": begun_by})
        label = texts.say("word.begun_at", {})
        found.append({"label": label, "value": "", "time_ms": going.parts[0].since_ms})
    if screen is Screen.CORRECTING and (done := picked_of(visit, state)):
        found.append({"label": texts.say("word.found", {}), "value": texts.say(f"slip.{done.finding}", {})})
    return found


def values(visit: Visit, state: LockerState) -> dict[str, object]:
    """What texts may mention."""
    kind = kind_of(visit)
    counted = rounds.count(state, kind) if kind else rounds.Count(0, 0, 0)
    shown = rounds.Count(len(_handed(state, kind)), 0, 0) if visit.step.value == "round_slip" else counted
    done = picked_of(visit, state)
    record = state.deposits.get(done.deposit) if done else None
    return {
        "done": shown.done,
        "size": counted.size,
        "skipped": counted.skipped,
        "flagged": sum(each.finding not in _GOOD for each in _done(state, kind)),
        "last": record.case if record else "",
    }


_GOOD: Final = frozenset({"complete", "withdrawn", "loaded"})


def _done(state: LockerState, kind: str) -> tuple[Done, ...]:
    known = state.rounds.latest(kind)
    return known.done if known else ()


def _handed(state: LockerState, kind: str) -> tuple[Done, ...]:
    return _done(state, kind)


def slip(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> dict[str, Any] | None:
    """The hand-over slips of a round that has just ended, one for each helper who went a part of it, and what
    it left where it was."""
    known = state.rounds.latest(kind_of(visit)) if kind_of(visit) else None
    if screen not in {Screen.ROUND_SLIP, Screen.ROUND_DONE} or known is None:
        return None
    own = known.part_of(visit.staff) or known.parts[-1]
    ended = screen is Screen.ROUND_SLIP
    parts = [own, *(part for part in known.parts if part is not own)]
    return {
        "number": grouped(own.slip) if ended and known.kind != RoundKind.LOAD else "",
        "label": texts.say("word.slip", {}),
        "photograph": texts.say("word.slip_scan", {}),
        "lists": [
            {
                "title": texts.say(
                    "word.slip_part", {"slip": grouped(part.slip), "count": len(part.counted)}
                ),
                "lines": [_line(state, each, texts) for each in _sorted(state, part.counted)],
            }
            for part in parts
            if part.counted
        ]
        + _left(state, known, texts),
    }


def slip_code(visit: Visit, state: LockerState) -> str:
    """What stands in the code on the page; empty where none does."""
    if visit.step.value != "round_slip" or kind_of(visit) == RoundKind.LOAD:
        return ""
    known = state.rounds.latest(kind_of(visit))
    own = known.part_of(visit.staff) if known else None
    return own.slip if own else ""


def grouped(number: str) -> str:
    """As people read it out: in fours."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def _sorted(state: LockerState, done: tuple[Done, ...]) -> list[Done]:
    """By what it is about, as windows are; then by case."""
    return sorted(done, key=lambda each: (_what(state, each.deposit), _case(state, each.deposit)))


def _line(state: LockerState, done: Done, texts: Texts) -> dict[str, str]:
    note = "" if done.finding in _GOOD else texts.say(f"slip.{done.finding}", {})
    return {"case": _case(state, done.deposit), "what": _what(state, done.deposit), "note": note}


def _left(state: LockerState, known: Round, texts: Texts) -> list[dict[str, Any]]:
    still = {each.deposit for each in rounds.waiting(state, known.kind)}
    lines = [
        {
            "case": _case(state, each.deposit),
            "what": _what(state, each.deposit),
            "note": texts.say(f"skipped.{each.why}", {}),
        }
        for each in known.skipped
        if each.deposit in still
    ]
    return [{"title": texts.say("word.slip_left", {"count": len(lines)}), "lines": lines}] if lines else []


def findings(visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """A row for all that this helper found on the round, the last first; each can be picked."""
    picked = picked_of(visit, state)
    return [
        {
            "door": state.deposits[each.deposit].door,
            "title": _case(state, each.deposit),
            "text": _what(state, each.deposit),
            "note": texts.say(f"slip.{each.finding}", {}),
            "act": Act.ROUND_UNDO.value,
            "data": {"deposit": each.deposit},
            "label": texts.say("act.picked" if each == picked else "act.pick", {}),
        }
        for each in domain.own(state.rounds, kind_of(visit), visit.staff)
        if each.deposit in state.deposits
    ]


def _case(state: LockerState, key: DepositId) -> str:
    record = state.deposits.get(key)
    return record.case if record else key


def _what(state: LockerState, key: DepositId) -> str:
    record = state.deposits.get(key)
    return what_of(state, record) if record else ""


def what_of(state: LockerState, deposit: Deposit) -> str:
    """The service that it is about, where that is known here."""
    item = state.items.get(deposit.item)
    authorisation = state.authorisations.get(deposit.authorisation)
    if authorisation is not None:
        return authorisation.service_item
    return item.service_item if item else ""


def notices(screen: Screen, texts: Texts, *, offline: bool) -> list[str]:
    """What nobody could ask the centre about."""
    wanted = {
        Screen.ROUND_INTAKE: "round_offline",
        Screen.ROUND_WITHDRAW: "round_offline",
        Screen.ROUND_SLIP: "slip_offline",
        Screen.LOAD: "load_offline",
        Screen.SECOND_LOOK: "load_offline",
    }
    return [texts.say(f"notice.{wanted[screen]}", {})] if offline and screen in wanted else []


def variant(screen: Screen, visit: Visit, state: LockerState) -> str:
    """Which of its ways of speaking a page of a round has; empty for all others."""
    going = visit.going
    if going is None:
        return ""
    if screen in {Screen.ROUND_INTAKE, Screen.ROUND_WITHDRAW}:
        begun = state.rounds.open(going.kind) is not None
        return "_late" if going.late else "_open" if begun else ""
    if screen in {Screen.LOAD, Screen.ROUND_SLIP}:
        return "_load" if going.kind == RoundKind.LOAD else ""
    return _at_door(going, visit, state) if screen is Screen.TAKE_OUT else ""


def _at_door(going: Going, visit: Visit, state: LockerState) -> str:
    if going.verdict is not None:
        return "_left" if going.verdict.why else "_found"
    if going.kind == RoundKind.LOAD:
        return "_undo"
    opening = opening_of(visit, state)
    return "_withdraw" if opening is not None and opening.purpose is Purpose.WITHDRAW else ""


def follows(screen: Screen, visit: Visit, state: LockerState) -> str:
    """Which sentence says what comes after a page of a round; empty for the usual one."""
    going = visit.going
    if going is None:
        return ""
    loads = going.kind == RoundKind.LOAD
    if screen is Screen.ROUND_SLIP:
        return "load" if loads else ""
    if screen not in {Screen.TAKE_OUT, Screen.INTAKE_CONFIRM, Screen.WITHDRAW_CONFIRM}:
        return ""
    return "undo" if loads else _after_this_door(going, visit, state)


def _after_this_door(going: Going, visit: Visit, state: LockerState) -> str:
    if not going.guided:
        return "single"
    if all(each.deposit == visit.deposit for each in rounds.ahead(state, going.kind)):
        return "last"
    return "said" if going.verdict is not None else ""
