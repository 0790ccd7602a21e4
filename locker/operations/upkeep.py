"""What time alone brings about: reservations given back, words not said, holds run out, heads signed."""

from collections.abc import Callable

from locker.domain import deposit as deposits
from locker.domain.codes import CodeRecord
from locker.domain.deposit import Deposit, Phase, Proof
from locker.domain.door import Position
from locker.domain.events import (
    UNKNOWN_CODE,
    DoorStuck,
    Event,
    GuessesCounted,
    HeadSigned,
    ItemOverdue,
    PulseUncertain,
    RecordsForgotten,
    SlotLapsed,
)
from locker.domain.opening import Phase as OpeningPhase
from locker.domain.state import LockerState
from locker.operations import drop_off, pick_up, pickup_codes, service_window
from locker.operations.ports import Decided, World
from locker.operations.present_code import trusted

DAY_MS = 86_400_000
MINUTE_MS = 60_000
LOST_MS = 60_000
"""Far beyond any deadline: no pulse of a grant this old is still to come, nor a word about it."""


async def upkeep(world: World) -> None:
    """One round; the daemon calls it every few seconds. Each step is a decision of its own."""
    await _count_guesses(world)
    # Most rounds find nothing: that takes no turn at the journal.
    if _due(world, world.journal.state):
        await world.journal.commit("clock", lambda state: Decided(None, _due(world, state)))


def next_ms(world: World) -> int | None:
    """Monotonic: when a round finds something at the earliest, as far as that hangs on short times.

    What days or the wall clock bring about is not in it, nor what an entry or a word of the centre changes.
    """
    state, now_ms, guesses = world.journal.state, world.clock.mono_ms(), world.guesses
    moments = [o.requested_ms + LOST_MS for o in state.openings.values() if o.phase is OpeningPhase.REQUESTED]
    for deposit in state.deposits.values():
        if deposit.phase in deposits.TENTATIVE:
            moments.append(now_ms - _idle_ms(state, deposit, now_ms) + state.policy.reservation_ms)
        elif pick_up.awaiting_word(state, deposit):
            moments.append(deposit.shut_mono_ms + state.policy.reopen_ms)
    if guesses.typed or guesses.scanned:
        moments.append(guesses.counted_mono_ms + MINUTE_MS)
    if state.window.staff:
        moments.append(state.window.until_mono_ms)
    if pickup_codes.awaits_centre(state):
        moments.append(now_ms)
    return min(moments) + 1 if moments else None


async def sign_head(world: World, head: Callable[[], bytes]) -> None:
    """Sign the chain's head every so many entries, or hourly where anything happened since."""

    def decide(state: LockerState) -> Decided[None]:
        if not _unsigned_long(world, state):
            return Decided(None)
        text = head().hex()
        key, signature = world.secrets.sign(f"{state.epoch}:{state.seq}:{text}")
        return Decided(None, (HeadSigned(state.seq, text, key, signature),))

    if _unsigned_long(world, world.journal.state):
        await world.journal.commit("clock", decide)


def _unsigned_long(world: World, state: LockerState) -> bool:
    unsigned = state.seq - state.signed_seq
    waited_ms = abs(world.clock.wall_ms() - state.signed_wall_ms)
    # Our own signature is one entry: an idle locker does not go on signing it.
    hourly = unsigned > 1 and waited_ms >= state.policy.sign_every_ms
    return hourly or unsigned >= state.policy.sign_every_entries


async def _count_guesses(world: World) -> None:
    """One row a kind and minute, so that nobody can fill the journal."""
    guesses, now_ms = world.guesses, world.clock.mono_ms()
    if not (guesses.typed or guesses.scanned) or now_ms < guesses.counted_mono_ms + MINUTE_MS:
        return
    typed, scanned = guesses.typed, guesses.scanned
    kinds = ((UNKNOWN_CODE, typed), ("unknown_scan", scanned))
    facts = tuple(GuessesCounted(kind, count) for kind, count in kinds if count)
    guesses.counted_mono_ms = now_ms
    await world.journal.commit("keypad", lambda _s: Decided(None, facts))
    # Until it is durable they count here: a slow disk makes nobody's next guess cheaper.
    guesses.typed -= typed
    guesses.scanned -= scanned


def _due(world: World, state: LockerState) -> tuple[Event, ...]:
    now_ms = world.clock.mono_ms()
    events: list[Event] = []
    for deposit in state.deposits.values():
        if not deposit.ended:
            events += _deposit_due(world, state, deposit, now_ms)
    events += pickup_codes.superseded(world, state)
    events += _lost(state, now_ms)
    events += _lapsed(world, state)
    events += service_window.due(world, state)
    events += _forgettable(world, state)
    return tuple(events)


def _deposit_due(world: World, state: LockerState, deposit: Deposit, now_ms: int) -> tuple[Event, ...]:
    if deposit.phase in deposits.TENTATIVE and _idle_ms(state, deposit, now_ms) > state.policy.reservation_ms:
        return drop_off.released(state, deposit.deposit)
    waited_ms = now_ms - deposit.shut_mono_ms
    if pick_up.awaiting_word(state, deposit) and waited_ms > state.policy.reopen_ms:
        return pick_up.collected(state, deposit, Proof.ASSUMED)
    if deposit.phase is Phase.AWAITING_PICKUP and not deposit.overdue and trusted(world):
        item = state.items.get(deposit.item)
        hold_days = item.hold_days if item else state.policy.hold_days
        if world.clock.wall_ms() - deposit.since_ms > hold_days * DAY_MS:
            return (ItemOverdue(deposit.deposit),)
    return ()


def _lost(state: LockerState, now_ms: int) -> tuple[Event, ...]:
    """Whoever waited for a pulse is gone without a word of it; the sensor saw the door shut all along."""
    lost = (
        o
        for o in state.openings.values()
        if o.phase is OpeningPhase.REQUESTED
        and now_ms - o.requested_ms > LOST_MS
        and state.compartments[o.door].position is Position.CLOSED
    )
    return tuple(event for o in lost for event in (PulseUncertain(o.grant), DoorStuck(o.door, o.grant)))


def _lapsed(world: World, state: LockerState) -> tuple[Event, ...]:
    """Booked, and nobody came; whoever stands there just now is not told that they are late."""
    if not state.bookings.held or not trusted(world):
        return ()
    before_ms = world.clock.wall_ms() - state.policy.slot_grace_ms
    late = (each for each in state.bookings.held if each.until_ms < before_ms)
    there = {d.authorisation for d in state.deposits.values() if d.phase in deposits.TENTATIVE}
    return tuple(
        SlotLapsed(each.booking, each.authorisation) for each in late if each.authorisation not in there
    )


def _idle_ms(state: LockerState, deposit: Deposit, now_ms: int) -> int:
    opening = state.opening_of(deposit.door)
    begun_ms = opening.requested_ms if opening and opening.deposit == deposit.deposit else 0
    # Monotonic time may have begun anew since: then everything from before is old.
    last_ms = max(begun_ms, deposit.shut_mono_ms)
    return now_ms - last_ms if last_ms <= now_ms else state.policy.reservation_ms + 1


def _is_held(state: LockerState, code: CodeRecord) -> bool:
    deposit = state.deposits.get(code.deposit)
    return deposit is not None and not deposit.ended


def _forgettable(world: World, state: LockerState) -> tuple[Event, ...]:
    """Ended records leave the state once their locators may be used again."""
    if not trusted(world):
        return ()
    before_ms = world.clock.wall_ms() - state.policy.locator_rest_ms
    codes = tuple(
        key
        for key, c in state.codes.items()
        # That an order was obeyed is known as long as it could be repeated.
        if c.ended_ms < before_ms and c.ended and not (c.order and _is_held(state, c))
    )
    gone = tuple(key for key, d in state.deposits.items() if d.since_ms < before_ms and d.ended)
    if gone:
        codes_left = {c.deposit for key, c in state.codes.items() if key not in codes}
        gone = tuple(key for key in gone if key not in codes_left)
    authorisations = tuple(
        key
        for key, a in state.authorisations.items()
        # A signed token outlives its use: the record stays until no clock can call the token valid.
        if a.valid_until_ms < before_ms and (not a.deposit or a.deposit in gone)
    )
    if not (codes or gone or authorisations):
        return ()
    held = {d.item for key, d in state.deposits.items() if key not in gone}
    loaded = {state.deposits[key].item for key in gone}
    items = tuple(key for key in state.items if key in loaded and key not in held)
    return (RecordsForgotten(gone, codes, authorisations, items),)
