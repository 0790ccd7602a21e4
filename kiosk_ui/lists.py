"""The tables and figures on a page: facts of a case, papers, rounds, the cabinet's picture, the receipt."""

import json
from typing import Any, Final, Protocol

from kiosk_ui import round_page, together_page
from kiosk_ui.backroom import Offline
from kiosk_ui.names import Screen
from kiosk_ui.screens import Visit, door_of
from kiosk_ui.texts import Texts
from locker.domain.asked import Neighbour
from locker.domain.codes import Authorisation
from locker.domain.deposit import Deposit
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import AuthorisationId, CompartmentNumber, ItemId
from locker.domain.state import LockerState
from locker.operations import clear_submissions, stocktake, withdraw_overdue
from locker.operations.present_code import DropOffOffer, LoadOffer

_KEEP: Final = 4


class Named(Protocol):
    """The part of the settings that texts mention."""

    @property
    def help_line(self) -> str: ...


def masked(case: str) -> str:
    """A case number that its owner recognises and nobody else can use."""
    if len(case) <= 2 * _KEEP:
        return "****" + case[-3:]
    return f"{case[:_KEEP]}****{case[-_KEEP:]}"


def shown_case(visit: Visit, state: LockerState) -> str:
    """Staff compare the whole number with the paper in their hand."""
    case = case_of(visit, state)
    return case if visit.staff or not case else masked(case)


def values(visit: Visit, state: LockerState, settings: Named) -> dict[str, object]:
    """What texts may mention."""
    door = shown_door(visit, state)
    authorisation = authorisation_of(visit, state)
    deposit = state.deposits.get(authorisation.deposit) if authorisation else None
    used = deposit.openings if deposit else 0
    return {
        "door": "" if door is None else door,
        "name": visit.name,
        "case": shown_case(visit, state),
        "item": service_item_of(visit, state),
        "left": max(0, state.policy.openings_per_drop_off - used),
        "receipt": deposit.receipt if deposit else "",
        "help": state.policy.help_line or settings.help_line,
        "reference": _reference(visit) or f"{state.locker} · {state.seq}",
        "minutes": -(-visit.form.wait_s // 60) if visit.form else 0,
        **_counts(visit, state),
        "done": max(0, visit.round_size - _left(visit, state)),
        "size": visit.round_size,
        **(round_page.values(visit, state) if visit.going else {"skipped": 0, "flagged": 0, "last": ""}),
    }


def _counts(visit: Visit, state: LockerState) -> dict[str, object]:
    """What there is to do; only staff are told, so for nobody else the cabinet is walked through."""
    return {
        "intake": len(clear_submissions.waiting(state)) if visit.staff else 0,
        "withdraw": len(withdraw_overdue.waiting(state)) if visit.staff else 0,
        "check": len(stocktake.doubtful(state)) if visit.staff else 0,
    }


def _reference(visit: Visit) -> str:
    return (visit.form.reference if visit.form else "") or visit.reference


def _left(visit: Visit, state: LockerState) -> int:
    screens = {
        "round_intake": Screen.ROUND_INTAKE,
        "round_withdraw": Screen.ROUND_WITHDRAW,
        "round_check": Screen.ROUND_CHECK,
    }
    screen = screens.get(visit.step.value)
    return len(waiting(screen, state)) if screen else 0


def waiting(screen: Screen, state: LockerState) -> list[Any]:
    """What a round has before it."""
    match screen:
        case Screen.ROUND_INTAKE:
            return _skipped_last(clear_submissions.waiting(state), "intake", state)
        case Screen.ROUND_WITHDRAW:
            return _skipped_last(withdraw_overdue.waiting(state), "withdraw", state)
        case _:
            return list(stocktake.doubtful(state))


def _skipped_last(found: list[Deposit], kind: str, state: LockerState) -> list[Any]:
    going = state.rounds.open(kind)
    return sorted(found, key=lambda each: bool(going and going.left_as(each.deposit)))


def shown_door(visit: Visit, state: LockerState) -> CompartmentNumber | None:
    """The visit's door, or the one where the papers of its code lie already."""
    door, authorisation = door_of(visit, state), authorisation_of(visit, state)
    deposit = state.deposits.get(authorisation.deposit) if authorisation else None
    return deposit.door if door is None and deposit is not None else door


def authorisation_of(visit: Visit, state: LockerState) -> Authorisation | None:
    deposit = state.deposits.get(visit.deposit)
    key = deposit.authorisation if deposit else AuthorisationId("")
    if not key and isinstance(visit.offer, DropOffOffer):
        key = visit.offer.authorisation
    return state.authorisations.get(key)


def case_of(visit: Visit, state: LockerState) -> str:
    deposit = state.deposits.get(visit.deposit)
    if deposit is not None:
        return deposit.case
    authorisation = authorisation_of(visit, state)
    if authorisation is not None:
        return authorisation.case
    token = visit.offer.token if isinstance(visit.offer, DropOffOffer | LoadOffer) else None
    return token.case if token else ""


def service_item_of(visit: Visit, state: LockerState) -> str:
    authorisation = authorisation_of(visit, state)
    if authorisation is not None:
        return authorisation.service_item
    deposit = state.deposits.get(visit.deposit)
    key = deposit.item if deposit else ItemId("")
    if isinstance(visit.offer, LoadOffer):
        key = visit.offer.item
    item = state.items.get(key)
    return item.service_item if item else ""


_WITH_FACTS: Final = frozenset(
    {Screen.OFFER, Screen.OFFER_AGAIN, Screen.TAKE, Screen.CONFIRM_TAKEN, Screen.STILL_INSIDE}
    | {Screen.RECEIPT, Screen.LABEL, Screen.SECOND_LOOK, Screen.PUT_IN}
    | {Screen.TAKE_OUT, Screen.INTAKE_CONFIRM, Screen.WITHDRAW_CONFIRM}
)


def facts(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """Whose and what: masked, and only as much as is known. Times are for the page to write."""
    if screen not in _WITH_FACTS and not (screen is Screen.PLACE and _bagged(visit, state)):
        return []
    known = {
        "case": shown_case(visit, state),
        "item": service_item_of(visit, state),
        "name": "" if screen is Screen.TAKE_OUT and papers(screen, visit, state, texts) else visit.name,
    }
    stay = state.deposits.get(visit.deposit)
    known["bag"] = stay.bag if stay else ""
    found = [{"label": texts.say(f"word.{key}", {}), "value": text} for key, text in known.items() if text]
    return found + (_times(visit, state, texts) if screen in _TIMED else [])


_TIMED: Final = frozenset({Screen.OFFER, Screen.RECEIPT})


def _bagged(visit: Visit, state: LockerState) -> bool:
    stay = state.deposits.get(visit.deposit)
    return stay is not None and bool(stay.bag)


def _times(visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """Until when a compartment is kept for them and their code is good, and by when other papers are due."""
    right = authorisation_of(visit, state)
    if right is None:
        return []
    kept = [each.until_ms for each in state.bookings.held if each.authorisation == right.authorisation]
    until = {"papers_due": right.papers_due_ms}
    if not right.deposit:
        until = {"booked": kept[0] if kept else 0, "valid_until": right.valid_until_ms} | until
    return [
        {"label": texts.say(f"word.{key}", {}), "value": "", "time_ms": ms} for key, ms in until.items() if ms
    ]


_WITH_PAPERS: Final = frozenset({Screen.OFFER, Screen.PLACE, Screen.INTAKE_CONFIRM, Screen.TAKE_OUT})


def papers(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """What belongs inside, and what may follow later."""
    authorisation = authorisation_of(visit, state)
    if screen not in _WITH_PAPERS or authorisation is None:
        return []
    first = "expected" if visit.staff else "papers"
    lists = {first: authorisation.papers, "deferred": authorisation.deferred}
    return [
        {"kind": kind, "label": texts.say(f"word.{kind}", {"count": len(names)}), "names": list(names)}
        for kind, names in lists.items()
        if names
    ]


def has_papers(visit: Visit, state: LockerState) -> bool:
    authorisation = authorisation_of(visit, state)
    return authorisation is not None and bool(authorisation.papers or authorisation.deferred)


def rows(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """The round: one row a compartment, oldest first, each with the act that opens it."""
    match screen:
        case Screen.ROUND_INTAKE:
            return [_deposit_row(d, "intake_open", visit, state, texts) for d in waiting(screen, state)]
        case Screen.ROUND_WITHDRAW:
            return [_deposit_row(d, "withdraw_open", visit, state, texts) for d in waiting(screen, state)]
        case Screen.ROUND_CHECK:
            return [_door_row(c.spec.number, c.doubt, texts) for c in waiting(screen, state)]
        case Screen.CORRECTING:
            return round_page.findings(visit, state, texts)
        case Screen.STOCK_LIST:
            return together_page.rows(visit, state, texts)
        case _:
            return []


def _deposit_row(
    deposit: Deposit, act: str, visit: Visit, state: LockerState, texts: Texts
) -> dict[str, Any]:
    what, name = round_page.what_of(state, deposit), visit.names.get(deposit.deposit, "")
    going = state.rounds.open(round_page.kind_of(visit))
    why = going.left_as(deposit.deposit) if going else ""
    note = f"skipped.{why}" if why else f"note.{_note(deposit, state)}"
    return {
        "door": deposit.door,
        "title": deposit.case,
        "text": " · ".join(part for part in (what, name) if part),
        "note": texts.say(note, {}),
        "act": act,
        "data": {"deposit": deposit.deposit},
        "label": texts.say("act.open_door", {"door": deposit.door}),
    }


def _note(deposit: Deposit, state: LockerState) -> str:
    item = state.items.get(deposit.item)
    if item is not None and item.recalled:
        return "recalled"
    if deposit.overdue:
        return "overdue"
    if state.compartments[deposit.door].doubt:
        return "doubtful"
    return deposit.phase.value


def _door_row(door: CompartmentNumber, doubt: str, texts: Texts) -> dict[str, Any]:
    key = "doubt." + doubt.replace(" ", "_")
    return {
        "door": door,
        "title": texts.say("word.door", {"door": door}),
        "text": texts.say(key if texts.has(key) else "doubt.other", {}),
        "note": "",
        "act": "check_open",
        "data": {"door": door},
        "label": texts.say("act.open_door", {"door": door}),
    }


def cabinet(state: LockerState) -> list[dict[str, Any]]:
    """The picture: where each door is, and how it stands. Nothing of what lies inside."""
    return [
        {
            "n": number,
            "cabinet": c.spec.cabinet,
            "row": c.spec.row,
            "column": c.spec.column,
            "size": c.spec.size.name,
            "position": c.position.value,
        }
        for number, c in state.compartments.items()
    ]


def receipt(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> dict[str, Any] | None:
    """The receipt as the screen shows it; ``qr`` says whether its signed text is at hand."""
    deposit = state.deposits.get(visit.deposit)
    if screen is not Screen.RECEIPT or deposit is None or not deposit.receipt:
        return None
    signed: dict[str, Any] = json.loads(visit.receipt.text) if visit.receipt else {}
    return {
        "number": deposit.receipt,
        "label": texts.say("word.receipt", {}),
        "time_label": texts.say("word.time", {}),
        "time_ms": signed.get("time", deposit.since_ms),
        "time_unsure": texts.say("word.time_unsure", {"seq": signed.get("seq", "")}),
        "declared": texts.say("word.declared", {"count": signed.get("declared", 0)}),
        "qr": visit.receipt is not None,
        "photograph": texts.say("word.photograph", {}),
    }


_NEIGHBOURS_SHOWN: Final = 3
_KILOMETRE_M: Final = 1_000


def neighbours(refusal: Refusal | None, state: LockerState, texts: Texts) -> list[dict[str, str]]:
    """Where else to go: those with room, the nearest first; or the one that a code is for."""
    reason = refusal.reason if refusal else None
    known = state.asked.neighbours
    if refusal is not None and refusal.hint == "elsewhere":
        shown = [each for each in known if each.locker == refusal.where]
    elif reason is Reason.NO_ROOM:
        shown = [each for each in known if each.free > 0][:_NEIGHBOURS_SHOWN]
    else:
        shown = []
    return [
        {
            "name": each.name,
            "far": _far(each, texts),
            "room": texts.say("word.room", {"free": each.free}) if reason is Reason.NO_ROOM else "",
        }
        for each in shown
    ]


def as_known(refusal: Refusal | None, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """When the centre said how much room there is elsewhere."""
    shown = refusal is not None and refusal.reason is Reason.NO_ROOM and neighbours(refusal, state, texts)
    label = texts.say("word.room_known", {})
    return [{"label": label, "value": "", "time_ms": state.asked.told_wall_ms}] if shown else []


def named(refusal: Refusal | None, state: LockerState, texts: Texts) -> str:
    """The locker that a code is for, and how far it is: as much as is known here."""
    if refusal is None or refusal.hint != "elsewhere":
        return ""
    for each in state.asked.neighbours:
        if each.locker == refusal.where:
            return texts.say("word.other_locker", {"name": each.name, "far": _far(each, texts)})
    return refusal.where or texts.say("word.other_area", {})


def _far(each: Neighbour, texts: Texts) -> str:
    if each.metres < _KILOMETRE_M:
        return texts.say("word.metres", {"far": each.metres})
    return texts.say("word.kilometres", {"far": f"{each.metres / _KILOMETRE_M:.1f}"})


def since(offline: Offline, now_mono_ms: int, texts: Texts) -> dict[str, Any]:
    """Since when there is no link. The page writes the time; in minutes it is true by any clock."""
    minutes = (now_mono_ms - offline.mono_ms) // 60_000
    return {
        "label": texts.say("word.offline_since", {}),
        "value": texts.say("word.minutes_ago", {"minutes": minutes}),
        "time_ms": offline.wall_ms or None,
    }
