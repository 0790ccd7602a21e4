"""What the locker says of itself: what follows for the state."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from locker.domain import acts, asked, purposes, throttle
from locker.domain import events as ev
from locker.domain.compartment import Compartment
from locker.domain.door import Position, Presence
from locker.domain.entrustments import Entrustments
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.pairs import Pair, Window
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
        pair=Pair(),
        window=Window(),
        acts=acts.rebased(s.acts, s.last_mono_ms, t.mono_ms),
        asked=asked.rebased(s.asked, s.last_mono_ms, t.mono_ms),
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
    left = s.entrustments.of_items(held | set(s.items) - set(e.items))
    named = s.named
    for gone, at_ms in _unread(s, e, left, t.wall_ms):
        named = named.ends((gone,), at_ms)
    return replace(
        s,
        named=named,
        deposits=change.without(s.deposits, e.deposits),
        codes=change.without(s.codes, e.codes),
        authorisations=change.without(s.authorisations, e.authorisations),
        items=change.without(s.items, e.items),
        entrustments=left,
    )


def _unread(
    s: LockerState, e: ev.RecordsForgotten, left: Entrustments, now_ms: int
) -> Iterator[tuple[Seq, int]]:
    """Whose names nobody reads any more, and when what they were for ended: now, where nobody can say."""
    for right in (s.authorisations[key] for key in e.authorisations if key in s.authorisations):
        yield right.seq, min(purposes.right_ended_ms(s, right) or now_ms, now_ms)
    ends = {key: purposes.item_ended_ms(s, s.items[key]) for key in e.items if key in s.items}
    for key, ended_ms in ends.items():
        yield s.items[key].seq, min(ended_ms or now_ms, now_ms)
    for each in s.entrustments.known:
        if each not in left.known:
            yield each.seq, min(ends.get(each.item) or now_ms, now_ms)


def _names_purged(s: LockerState, t: Stamp, e: ev.NamesPurged, seq: Seq) -> LockerState:
    gone = frozenset(e.seqs)
    return replace(
        s,
        named=s.named.without(gone, e.past),
        authorisations=_unnamed(s.authorisations, gone),
        items=_unnamed(s.items, gone),
        staff=_unnamed(s.staff, gone),
        entrustments=s.entrustments.unnamed(gone),
    )


def _unnamed(records: Mapping[Any, Any], gone: frozenset[Seq]) -> Mapping[Any, Any]:
    if not any(record.seq in gone for record in records.values()):
        return records
    return MappingProxyType(
        {key: replace(each, seq=Seq(0)) if each.seq in gone else each for key, each in records.items()}
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
        ev.NamesPurged: _names_purged,
        ev.BoardWentSilent: _silent,
        ev.BoardAnswered: _answered,
    }
)
