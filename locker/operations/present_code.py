"""Somebody shows a code. One keypad and one scanner for all: the code says what it is for.

Whatever is not right is one and the same refusal, after the same time. A failure on an existing record is
durable before the answer; unknown ones are counted and journaled once a minute.
"""

from dataclasses import dataclass

from locker.domain import throttle
from locker.domain.codes import (
    Authorisation,
    CodeRecord,
    Form,
    ScanKind,
    ScannedCode,
    TypedCode,
    digits_to_bytes,
    matches,
    parse_scanned,
    parse_typed,
)
from locker.domain.errors import Reason, Refusal
from locker.domain.events import CodeFailed
from locker.domain.ids import AuthorisationId, CodeId, DepositId, ItemId, StaffId
from locker.domain.state import LockerState
from locker.domain.throttle import Guessing
from locker.domain.tokens import BadToken, Scope, Token, TokenPurpose, unpack
from locker.operations.ports import Decided, World


@dataclass(frozen=True, slots=True)
class DropOffOffer:
    """This case may be handed in. ``token`` is set where the locker knows it from the token alone."""

    authorisation: AuthorisationId
    deposit: DepositId
    """What was handed in already under it; empty before."""
    token: Token | None
    form: Form


@dataclass(frozen=True, slots=True)
class PickupOffer:
    code: CodeId
    deposit: DepositId
    asks_phone: bool
    form: Form


@dataclass(frozen=True, slots=True)
class BadgeOffer:
    """A badge of somebody enrolled here; the PIN comes next."""

    staff: StaffId


@dataclass(frozen=True, slots=True)
class LoadOffer:
    """A label of an outgoing item; of use to a helper only."""

    item: ItemId
    token: Token
    announced: bool


Offer = DropOffOffer | PickupOffer | BadgeOffer | LoadOffer
_WRONG = Refusal(Reason.CODE_NOT_ACCEPTED)
_USED = Refusal(Reason.CODE_NOT_ACCEPTED, hint="used")


async def present_typed(world: World, text: str, phone4: str = "") -> Offer | Refusal:
    """The offer behind a typed code, or why there is none. ``phone4`` is asked for while guesses rain."""
    now_ms = world.clock.mono_ms()
    code = parse_typed(text)
    if code is None:
        return Refusal(Reason.CODE_SLIP)
    if unheard := _unheard(world, world.journal.state, phone4):
        return unheard
    answer = await world.journal.commit("keypad", lambda s: _decide_typed(world, s, code, phone4))
    if isinstance(answer, Refusal):
        await world.clock.sleep_until(now_ms + world.journal.state.policy.refusal_floor_ms)
    return answer


async def present_scanned(world: World, text: str) -> Offer | Refusal:
    """The offer behind a scanned code, or why there is none. Never throttled."""
    code = parse_scanned(text)
    offer = _scanned(world, world.journal.state, code) if code else None
    return _unknown_scan(world, _WRONG) if offer is None else offer


def _unknown_scan(world: World, refusal: Refusal) -> Refusal:
    world.guesses.scanned += 1
    world.guesses.came()
    return refusal


def keypad_wait_s(world: World) -> int:
    """Seconds until the keypad listens again."""
    state = world.journal.state
    return throttle.wait_s(_guessing(world, state), world.clock.mono_ms(), state.policy)


def _unheard(world: World, state: LockerState, phone4: str) -> Refusal | None:
    """Why a typed code is not even looked at just now."""
    guessing, now_ms = _guessing(world, state), world.clock.mono_ms()
    if wait_s := throttle.wait_s(guessing, now_ms, state.policy):
        return Refusal(Reason.TOO_MANY_TRIES, wait_s)
    if not phone4 and throttle.asks_phone(guessing, now_ms, state.policy):
        return Refusal(Reason.PHONE_ASKED)
    return None


def _guessing(world: World, state: LockerState) -> Guessing:
    unknown = world.guesses
    if not unknown.typed:
        return state.guessing
    return throttle.failed(state.guessing, unknown.last_mono_ms, state.policy, unknown.typed)


def _count_unknown_code(world: World) -> None:
    world.guesses.typed += 1
    world.guesses.last_mono_ms = world.clock.mono_ms()
    world.guesses.came()


def _decide_typed(world: World, state: LockerState, code: TypedCode, phone: str) -> Decided[Offer | Refusal]:
    # Once more: others may have failed while this one waited for its turn.
    if unheard := _unheard(world, state, phone):
        return Decided(unheard)
    asks = throttle.asks_phone(_guessing(world, state), world.clock.mono_ms(), state.policy)
    phone4 = phone if asks else None
    digits = code.locator + code.secret
    authorisation = next(
        (a for a in state.authorisations.values() if a.locator == code.locator and not a.ended), None
    )
    pickup = next((c for c in state.codes.values() if c.locator == code.locator and not c.ended), None)
    # Both digests are computed always, so that time tells nothing about which locators exist.
    drop_off_digest = world.secrets.digest("drop_off", digits)
    pickup_digest = world.secrets.digest("pick_up", digits)
    if authorisation is not None and _live(state, authorisation):
        return _judge(world, state, authorisation, drop_off_digest, phone4)
    if pickup is not None and _live(state, pickup):
        return _judge(world, state, pickup, pickup_digest, phone4)
    matches(drop_off_digest, pickup_digest)
    _count_unknown_code(world)
    return Decided(_WRONG)


def _live(state: LockerState, record: Authorisation | CodeRecord) -> bool:
    """Whether the typed form may still be tried: ten failures freeze it, scanning goes on."""
    return record.failures < state.policy.failures_per_record


def _judge(
    world: World,
    state: LockerState,
    record: Authorisation | CodeRecord,
    digest: str,
    phone4: str | None,
) -> Decided[Offer | Refusal]:
    right = matches(digest, record.typed_digest)
    if phone4 is not None:
        right &= matches(
            world.secrets.digest("phone4", f"{phone4}:{_case(state, record)}"), _phone(state, record)
        )
    if not right:
        return Decided(_WRONG, (CodeFailed(_name(record)),))
    if isinstance(record, Authorisation):
        return Decided(_drop_off(world, record, None, Form.TYPED))
    return Decided(_pickup(world, state, record, Form.TYPED))


def _name(record: Authorisation | CodeRecord) -> str:
    if isinstance(record, Authorisation):
        return f"authorisation/{record.authorisation}"
    return f"code/{record.code}"


def _case(state: LockerState, record: Authorisation | CodeRecord) -> str:
    return record.case if isinstance(record, Authorisation) else state.deposits[record.deposit].case


def _phone(state: LockerState, record: Authorisation | CodeRecord) -> str:
    if isinstance(record, Authorisation):
        return record.phone4_digest
    return phone_of(state, record)


def phone_of(state: LockerState, code: CodeRecord) -> str:
    """The digest of the phone of whoever this code was made for; empty where none is known."""
    if code.entrustment:
        agent = state.entrustments.find(code.entrustment)
        return agent.phone4_digest if agent else ""
    item = state.items.get(state.deposits[code.deposit].item)
    return item.phone4_digest if item else ""


def asks_phone(state: LockerState, code: CodeRecord) -> bool:
    """Always for an agent; else where the item's class asks for it.

    Of everybody whose phone is known while the centre's memory is lacking: a code that it ended meanwhile,
    because somebody else had it, may still be good here.
    """
    item = state.items.get(state.deposits[code.deposit].item)
    by_class = item is not None and item.second_factor
    return bool(code.entrustment) or by_class or (state.history.vouched and bool(phone_of(state, code)))


def untimely(world: World, state: LockerState, code: CodeRecord) -> Refusal | None:
    """Why an agent's code opens nothing just now; the recipient's own never runs out."""
    if not code.entrustment:
        return None
    agent = state.entrustments.find(code.entrustment)
    if agent is None or agent.ended:
        return _WRONG
    late = expired(world, agent.valid_until_ms) or too_early(world, agent.valid_from_ms)
    return Refusal(Reason.CODE_EXPIRED) if late else None


def _drop_off(world: World, record: Authorisation, token: Token | None, form: Form) -> DropOffOffer | Refusal:
    # What was handed in may be looked at until intake; only an unused right runs out.
    unused = not record.deposit
    if unused and (expired(world, record.valid_until_ms) or too_early(world, record.valid_from_ms)):
        return Refusal(Reason.CODE_EXPIRED)
    return DropOffOffer(record.authorisation, record.deposit, token, form)


def expired(world: World, until_ms: int) -> bool:
    """Only a clock that is trusted can say so; otherwise the applicant is honoured."""
    return trusted(world) and world.clock.wall_ms() > until_ms


def too_early(world: World, from_ms: int) -> bool:
    return trusted(world) and world.clock.wall_ms() < from_ms


def trusted(world: World) -> bool:
    return world.clock.quality() in {"ntp", "centre", "rtc"}


def _pickup(world: World, state: LockerState, record: CodeRecord, form: Form) -> PickupOffer | Refusal:
    if refusal := untimely(world, state, record):
        return refusal
    return PickupOffer(record.code, record.deposit, asks_phone(state, record), form)


def _scanned(world: World, state: LockerState, code: ScannedCode) -> Offer | Refusal | None:
    match code.kind:
        case ScanKind.PICKUP:
            digest = world.secrets.digest("scan", code.body)
            found = [c for c in state.codes.values() if matches(digest, c.scan_digest)]
            if found and all(c.ended for c in found):
                return _unknown_scan(world, _USED)
            return (
                _pickup(world, state, next(c for c in found if not c.ended), Form.SCANNED) if found else None
            )
        case ScanKind.BADGE:
            digest = world.secrets.digest("badge", code.body)
            staff = [s for s in state.staff.values() if matches(digest, s.badge_digest)]
            return BadgeOffer(staff[0].staff) if staff else None
        case ScanKind.TOKEN:
            return _token(world, state, code.body)


def _token(world: World, state: LockerState, digits: str) -> Offer | Refusal | None:
    frame = digits_to_bytes(digits)
    body = world.secrets.signed_by_centre(frame) if frame is not None else None
    try:
        token = unpack(body) if body is not None else None
    except BadToken:
        return None
    if token is None:
        return None
    if not token.meant_for(world.locker, world.area):
        # By the centre's own signature: whoever holds it may know where it is good.
        where = token.where if token.scope is Scope.LOCKER else ""
        return _unknown_scan(world, Refusal(Reason.CODE_NOT_ACCEPTED, hint="elsewhere", where=where))
    if token.purpose is TokenPurpose.LOAD:
        item = ItemId(token.reference)
        return LoadOffer(item, token, item in state.items)
    return _drop_off_token(world, state, token)


def _drop_off_token(world: World, state: LockerState, token: Token) -> Offer | Refusal | None:
    key = AuthorisationId(token.reference)
    record = state.authorisations.get(key)
    if record is not None:
        if record.ended:
            return _unknown_scan(world, _USED)
        return _drop_off(world, record, token, Form.SCANNED)
    if expired(world, token.valid_until_ms) or too_early(world, token.valid_from_ms):
        return Refusal(Reason.CODE_EXPIRED)
    return DropOffOffer(key, DepositId(""), token, Form.SCANNED)
