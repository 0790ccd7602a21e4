"""Mistakes in what is opened from afar, and the scenes in which they show."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from locker.domain import acts as domain
from locker.domain.acts import ActOrder, Acts
from locker.domain.door import Position
from locker.domain.opening import Phase as OpeningPhase
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.operations import acts, remote_open
from locker.operations.open_door import grant, open_door
from locker.operations.ports import Decided
from sync import seal, wire
from sync.central.acts.approvals import Thing
from sync.central.acts.sending import Wish
from tests.world import times
from tests.world.mutants.cast import Cast
from tests.world.mutants.mutant import everywhere, mutant, replaced, table
from tests.world.people.afar import APPROVERS, OPERATOR
from tests.world.times import pause

if TYPE_CHECKING:
    from locker.domain.entry import Entry
    from tests.world.machine import Machine

OPENINGS = 4
LATE_S = 900.0


# --- scenes ------------------------------------------------------------------------------------------------


async def _orders(cast: Cast, door: int) -> str:
    """Asked for and approved as it should be; it was sent, or refused at once."""
    centre = cast.centre
    act = await centre.ask(Wish(cast.machine.name, domain.ActKind.OPEN, door, "help line"), OPERATOR)
    row = (await centre.act(act)).row
    thing = Thing(row.locker, row.door, row.reason, row.nonce)
    for who in APPROVERS[:2]:
        await cast.wait(1, 8)
        await centre.agree(act, thing, who)
    return act


async def _linked(cast: Cast) -> None:
    machine = cast.machine
    await cast.until(lambda: machine.built is not None and machine.built.edge.status.centre_online, 400)
    await pause(15.0)


async def _shuts_soon(cast: Cast) -> None:
    await pause(8.0)
    cast.shuts_all()
    await pause(5.0)


async def opened_from_afar(cast: Cast) -> None:
    """More often than may be, with a restart on the way."""
    cut_after = cast.rng.randrange(OPENINGS - 1)
    for number in range(OPENINGS):
        await _linked(cast)
        await _orders(cast, cast.rng.choice(list(cast.machine.model.numbers)))
        await _shuts_soon(cast)
        await cast.wait(1, 20)
        if number == cut_after:
            await cast.cut(cast.rng.uniform(5, 20))


async def hostile_acts(cast: Cast) -> None:
    """Whoever has the centre's key says what it likes; whoever has the broker says it again, and late."""
    await _linked(cast)
    door, other, third = cast.rng.sample(list(cast.machine.model.numbers), 3)
    twice = _signed(cast, other, ("person:li", "person:li"), "a" * 16)
    _says(cast, twice)
    await _shuts_soon(cast)
    good = _signed(cast, door, ("person:li", "person:zhao"), "c" * 16)
    for parcel in (good, good):
        _says(cast, parcel)
        await _shuts_soon(cast)
    _says(cast, _aged(cast, third))
    await _shuts_soon(cast)


def _signed(
    cast: Cast, door: int, approvers: tuple[str, ...], act: str, agreed_ms: int | None = None
) -> bytes:
    centre = cast.centre
    now_ms = centre.desk.clock.wall_ms()
    if agreed_ms is None:
        centre.agreed_s[act] = cast.world.loop.time()
    said = wire.Act(
        cast.machine.name,
        now_ms,
        act,
        "open",
        door,
        "because",
        approvers,
        "ab" * 16,
        now_ms if agreed_ms is None else agreed_ms,
        120_000,
    )
    return seal.frame(centre.desk.keys.sign, wire.encode(said))


def _aged(cast: Cast, door: int) -> bytes:
    """Agreed to a quarter of an hour ago, and kept back since."""
    age_ms = round(LATE_S * 1000)
    cast.centre.agreed_s["e" * 16] = cast.world.loop.time() - LATE_S
    now_ms = cast.centre.desk.clock.wall_ms()
    return _signed(cast, door, ("person:li", "person:zhao"), "e" * 16, now_ms - age_ms)


def _says(cast: Cast, frame: bytes) -> None:
    topic = wire.down(cast.machine.name, wire.Name.ACT).topic
    cast.world.broker.publish(topic, frame, qos=1, retain=False, expiry_s=None)


async def cut_while_opening_from_afar(cast: Cast) -> None:
    """The power goes as soon as an act is durable; then everything that was said comes again."""

    def cuts(machine: "Machine", _state: LockerState, entries: "tuple[Entry, ...]") -> None:
        if any(type(entry.event).__name__ == "ActAccepted" for entry in entries):
            times.at(cast.world.loop.time(), machine.cut_power)

    await _linked(cast)
    cast.world.on_entries.append(cuts)
    await _orders(cast, cast.rng.choice(list(cast.machine.model.numbers)))
    await cast.wait(2, 10)
    cast.world.on_entries.remove(cuts)
    cast.machine.power_on()
    await cast.up()
    await _linked(cast)
    topic = wire.down(cast.machine.name, wire.Name.ACT).topic
    for parcel in [each for each in cast.world.broker.heard if each.topic == topic]:
        cast.world.broker.replay(parcel)
    await _shuts_soon(cast)


# --- mistakes ----------------------------------------------------------------------------------------------


@mutant({10}, "hostile acts")
def one_approver_twice_is_two() -> Iterator[None]:
    """Approvers are counted, and nobody asks whether they are different people."""
    honest = remote_open.objection

    def counting(state: LockerState, order: ActOrder, now_ms: int) -> Any:
        names = tuple(f"{name}/{number}" for number, name in enumerate(order.approvers))
        return honest(state, replace(order, approvers=names), now_ms)

    with everywhere(honest, counting):
        yield


@mutant({10}, "hostile acts")
def an_act_is_good_for_ever() -> Iterator[None]:
    """When it was agreed to is written down, and compared with nothing."""

    def always(_world: Any, _order: Any, arrived_ms: int) -> int:
        return arrived_ms + 10**9

    with everywhere(remote_open.good_until_ms, always):
        yield


@mutant({10}, "hostile acts")
def an_old_act_fires_again() -> Iterator[None]:
    """Its number is kept, and a frame that comes again is a frame like any other."""
    with replaced(acts, "_is_stale", lambda *_: False):
        yield


@mutant({10}, "opened from afar")
def no_cap_is_kept() -> Iterator[None]:
    """The centre counts already; why should every locker?"""
    with replaced(domain, "capped", lambda *_: False):
        yield


@mutant({10}, "opened from afar")
def a_restart_begins_a_new_day() -> Iterator[None]:
    """Monotonic time began anew: what was counted by the old one counts no more."""

    def forgetful(kept: Acts, *_: int) -> Acts:
        return Acts(kept.aseq)

    with replaced(domain, "rebased", forgetful):
        yield


def _decided(what: Decided[Any], _state: LockerState) -> Decided[Any]:
    return what


@mutant({10}, "cut while opening from afar")
def an_act_is_begun_again_after_a_crash() -> Iterator[None]:
    """What was accepted and not done must be done: nobody will order it a second time."""
    honest = acts.Acts.settle

    async def again(self: acts.Acts) -> None:
        world = self._world
        for act in world.journal.state.acts.recent:
            opening = world.journal.state.openings.get(act.grant)
            shut = world.journal.state.compartments[act.door].position is Position.CLOSED
            if (
                act.phase is domain.Phase.UNKNOWN
                and opening
                and opening.phase is OpeningPhase.UNKNOWN
                and shut
            ):
                opened, requested = grant(world, act.door, Purpose.REMOTE)
                await open_door(world, acts.CAUSE, partial(_decided, Decided(opened, (requested,))))
        await honest(self)

    with replaced(acts.Acts, "settle", again):
        yield


MUTANTS = table(globals())
SCENES = (opened_from_afar, hostile_acts, cut_while_opening_from_afar)
