"""Who was let in, who was not: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from locker.domain import throttle
from locker.domain.codes import CodeRecord
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import AuthorisationId, CodeId, Seq, StaffId
from locker.domain.pairs import Pair
from locker.domain.state import LockerState


def _code_failed(s: LockerState, t: Stamp, e: ev.CodeFailed, seq: Seq) -> LockerState:
    guessing = throttle.failed(s.guessing, t.mono_ms, s.policy, weight=throttle.KNOWN_WEIGHT)
    return _count(replace(s, guessing=guessing), e.record, "failures")


def _phone_failed(s: LockerState, t: Stamp, e: ev.PhoneFailed, seq: Seq) -> LockerState:
    return _count(s, e.record, "phone_failures")


def _count(s: LockerState, record: str, counter: str) -> LockerState:
    kind, _, key = record.partition("/")
    if kind == "code":
        code = CodeId(key)
        return change.code(s, code, **{counter: getattr(s.codes[code], counter) + 1})
    authorisation = AuthorisationId(key)
    return change.authorisation(
        s, authorisation, **{counter: getattr(s.authorisations[authorisation], counter) + 1}
    )


def _guesses(s: LockerState, t: Stamp, e: ev.GuessesCounted, seq: Seq) -> LockerState:
    if e.kind != ev.UNKNOWN_CODE:
        return s
    return replace(s, guessing=throttle.failed(s.guessing, t.mono_ms, s.policy, e.count))


def _code_made(s: LockerState, t: Stamp, e: ev.PickupCodeMade, seq: Seq) -> LockerState:
    record = CodeRecord(
        e.code,
        e.deposit,
        e.locator,
        e.typed_digest,
        e.scan_digest,
        seq=seq,
        entrustment=e.entrustment,
        order=e.order,
    )
    if e.order:
        s = _superseded(s, record)
    return replace(s, codes=change.put(s.codes, e.code, record))


def _superseded(s: LockerState, heir: CodeRecord) -> LockerState:
    """What the same hands hold already gives way to it, once the centre can send it."""
    for code in tuple(s.codes.values()):
        if (code.deposit, code.entrustment, code.ended) == (heir.deposit, heir.entrustment, ""):
            s = change.code(s, code.code, heir=heir.code)
    return s


def _code_accepted(s: LockerState, t: Stamp, e: ev.CodeAccepted, seq: Seq) -> LockerState:
    """Which of several codes opened the door is known when it shuts."""
    kind, _, key = e.record.partition("/")
    code = s.codes.get(CodeId(key)) if kind == "code" else None
    if code is None or code.deposit not in s.deposits:
        return s
    return change.deposit(s, code.deposit, code=code.code)


def _code_ended(s: LockerState, t: Stamp, e: ev.CodeEnded, seq: Seq) -> LockerState:
    return change.code(s, e.code, ended=e.reason, ended_ms=t.wall_ms)


def _signed_in(s: LockerState, t: Stamp, e: ev.StaffSignedIn, seq: Seq) -> LockerState:
    return _pin_failures(s, e.staff, 0)


def _sign_in_failed(s: LockerState, t: Stamp, e: ev.StaffSignInFailed, seq: Seq) -> LockerState:
    return _pin_failures(s, e.staff, s.staff[e.staff].pin_failures + 1)


def _second_joined(s: LockerState, t: Stamp, e: ev.SecondJoined, seq: Seq) -> LockerState:
    until_ms = t.mono_ms + s.policy.second_person_ms
    return replace(_pin_failures(s, e.staff, 0), pair=Pair(e.beside, e.staff, until_ms))


def _second_left(s: LockerState, t: Stamp, e: ev.SecondLeft, seq: Seq) -> LockerState:
    return replace(s, pair=Pair())


def _signed_out(s: LockerState, t: Stamp, e: ev.StaffSignedOut, seq: Seq) -> LockerState:
    return replace(s, pair=Pair()) if s.pair.has(e.staff) else s


def _pin_failures(s: LockerState, staff: StaffId, count: int) -> LockerState:
    return replace(s, staff=change.put(s.staff, staff, replace(s.staff[staff], pin_failures=count)))


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.CodeAccepted: _code_accepted,
        ev.CodeFailed: _code_failed,
        ev.PhoneFailed: _phone_failed,
        ev.GuessesCounted: _guesses,
        ev.PickupCodeMade: _code_made,
        ev.CodeEnded: _code_ended,
        ev.StaffSignedIn: _signed_in,
        ev.StaffSignInFailed: _sign_in_failed,
        ev.StaffSignedOut: _signed_out,
        ev.SecondJoined: _second_joined,
        ev.SecondLeft: _second_left,
    }
)
