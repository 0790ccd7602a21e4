"""What the locker says of itself: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import acts, throttle
from locker.domain import events as ev
from locker.domain.compartment import Compartment
from locker.domain.door import Position, Presence
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.state import LockerState
from locker.domain.surroundings import Surroundings


def _booted(s: LockerState, t: Stamp, e: ev.Booted, seq: Seq) -> LockerState:
    """Nothing is known of any door or contact, and monotonic time may have begun anew."""
    blank = {
        number: replace(c, position=Position.UNKNOWN, item=Presence.UNKNOWN)
        for number, c in s.compartments.items()
    }
    shut = {key: replace(d, shut_mono_ms=t.mono_ms) if d.shut_mono_ms else d for key, d in s.deposits.items()}
    return replace(
        s,
        boot=e.boot,
        compartments=MappingProxyType(blank),
        deposits=MappingProxyType(shut),
        guessing=throttle.rebased(s.guessing, t.mono_ms),
        silent_boards=frozenset(),
        surroundings=Surroundings(),
        acts=acts.rebased(s.acts, s.last_mono_ms, t.mono_ms),
    )


def _configured(s: LockerState, t: Stamp, e: ev.CompartmentsConfigured, seq: Seq) -> LockerState:
    known = s.compartments
    doors = {c.number: replace(known.get(c.number, Compartment(c)), spec=c) for c in e.compartments}
    # A door that left the configuration with something in it stays known, and out of service.
    kept = {n: replace(c, blocked="not configured") for n, c in known.items() if n not in doors and c.deposit}
    return replace(s, compartments=MappingProxyType({**doors, **kept}))


def _head_signed(s: LockerState, t: Stamp, e: ev.HeadSigned, seq: Seq) -> LockerState:
    return replace(s, signed_seq=e.seq, signed_wall_ms=t.wall_ms)


def _forgotten(s: LockerState, t: Stamp, e: ev.RecordsForgotten, seq: Seq) -> LockerState:
    held = {d.item for key, d in s.deposits.items() if key not in e.deposits}
    return replace(
        s,
        deposits=change.without(s.deposits, e.deposits),
        codes=change.without(s.codes, e.codes),
        authorisations=change.without(s.authorisations, e.authorisations),
        items=change.without(s.items, e.items),
        entrustments=s.entrustments.of_items(held | set(s.items) - set(e.items)),
    )


def _silent(s: LockerState, t: Stamp, e: ev.BoardWentSilent, seq: Seq) -> LockerState:
    s = replace(s, silent_boards=s.silent_boards | {e.board})
    for door in e.doors:
        s = change.door(s, door, position=Position.UNKNOWN, item=Presence.UNKNOWN)
    return s


def _answered(s: LockerState, t: Stamp, e: ev.BoardAnswered, seq: Seq) -> LockerState:
    return replace(s, silent_boards=s.silent_boards - {e.board})


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.Booted: _booted,
        ev.CompartmentsConfigured: _configured,
        ev.HeadSigned: _head_signed,
        ev.RecordsForgotten: _forgotten,
        ev.BoardWentSilent: _silent,
        ev.BoardAnswered: _answered,
    }
)
