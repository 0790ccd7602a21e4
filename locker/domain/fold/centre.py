"""What the centre said: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from locker.domain import settings
from locker.domain.bookings import Booking
from locker.domain.centre_keys import CentreKeys
from locker.domain.codes import Authorisation
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import DepositId, Seq
from locker.domain.policy import Policy, unfit
from locker.domain.state import AnnouncedItem, DownCursor, LockerState, StaffGrant


def _granted(s: LockerState, t: Stamp, e: ev.AuthorisationGranted, seq: Seq) -> LockerState:
    before = s.authorisations.get(e.authorisation)
    # Said again it is no new code: what was tried at it stays counted.
    same = before if before and before.typed_digest == e.typed_digest else None
    record = Authorisation(
        e.authorisation,
        seq,
        e.case,
        e.service_item,
        e.papers,
        e.deferred,
        e.size,
        e.valid_from_ms,
        e.valid_until_ms,
        e.locator,
        e.typed_digest,
        e.phone4_digest,
        # A re-issue gives a new code; what was handed in, or ended, stays so.
        deposit=before.deposit if before else DepositId(""),
        ended=before.ended if before else "",
        ended_ms=before.ended_ms if before else 0,
        failures=same.failures if same else 0,
        phone_failures=same.phone_failures if same else 0,
    )
    s = change.renamed(s, before, t)
    return replace(s, authorisations=change.put(s.authorisations, e.authorisation, record))


def _revoked(s: LockerState, t: Stamp, e: ev.AuthorisationRevoked, seq: Seq) -> LockerState:
    s = replace(s, bookings=s.bookings.without_right(e.authorisation))
    return change.authorisation(s, e.authorisation, ended="revoked", ended_ms=t.wall_ms)


def _admitted(s: LockerState, t: Stamp, e: ev.TokenAdmitted, seq: Seq) -> LockerState:
    record = Authorisation(
        e.authorisation, seq, e.case, "", (), (), e.size, e.valid_from_ms, e.valid_until_ms, "", "", ""
    )
    return replace(s, authorisations=change.put(s.authorisations, e.authorisation, record))


def _announced(s: LockerState, t: Stamp, e: ev.ItemAnnounced, seq: Seq) -> LockerState:
    record = AnnouncedItem(
        e.item, seq, e.case, e.service_item, e.size, e.second_factor, e.phone4_digest, e.hold_days
    )
    s = change.renamed(s, s.items.get(e.item), t)
    return replace(s, items=change.put(s.items, e.item, record))


def _recalled(s: LockerState, t: Stamp, e: ev.ItemRecalled, seq: Seq) -> LockerState:
    if e.item not in s.items:
        return s
    recalled = replace(s.items[e.item], recalled=e.reason, recalled_ms=t.wall_ms)
    return replace(s, items=change.put(s.items, e.item, recalled))


def _enrolled(s: LockerState, t: Stamp, e: ev.StaffEnrolled, seq: Seq) -> LockerState:
    record = StaffGrant(e.staff, seq, e.roles, e.badge_digest, e.pin_digest, e.until_ms)
    s = change.renamed(s, s.staff.get(e.staff), t)
    return replace(s, staff=change.put(s.staff, e.staff, record))


def _staff_revoked(s: LockerState, t: Stamp, e: ev.StaffRevoked, seq: Seq) -> LockerState:
    s = change.renamed(s, s.staff.get(e.staff), t)
    return replace(s, staff=change.without(s.staff, (e.staff,)))


def _policy(s: LockerState, t: Stamp, e: ev.PolicyChanged, seq: Seq) -> LockerState:
    # A range may have become narrower since: then what was out of it is as if it had not been said.
    fits = unfit(Policy, e.name, e.value) is None
    own = s.given.own.with_value(e.name, e.value) if fits else s.given.own
    return _given(s, replace(s.given, own=own))


def _settings(s: LockerState, t: Stamp, e: ev.SettingsChanged, seq: Seq) -> LockerState:
    taken, _ = settings.judged(s.given, e.settings)
    return _given(s, replace(s.given, version=e.version, settings=taken))


def _given(s: LockerState, given: settings.Given) -> LockerState:
    return replace(s, given=given, policy=settings.in_force(given))


def _reported(s: LockerState, t: Stamp, e: ev.SettingsReported, seq: Seq) -> LockerState:
    return replace(s, given=replace(s.given, reported=settings.digest(s.given)))


def _keys(s: LockerState, t: Stamp, e: ev.CentreKeysTold, seq: Seq) -> LockerState:
    return replace(s, centre_keys=CentreKeys(e.keys, e.retired))


def _barred(s: LockerState, t: Stamp, e: ev.CompartmentBarred, seq: Seq) -> LockerState:
    return change.door(s, e.door, barred=e.reason)


def _unbarred(s: LockerState, t: Stamp, e: ev.CompartmentUnbarred, seq: Seq) -> LockerState:
    return change.door(s, e.door, barred="")


def _slot_booked(s: LockerState, t: Stamp, e: ev.SlotBooked, seq: Seq) -> LockerState:
    booking = Booking(e.booking, e.authorisation, e.size, e.from_ms, e.until_ms)
    return replace(s, bookings=s.bookings.put(booking))


def _slot_over(s: LockerState, t: Stamp, e: ev.SlotReleased | ev.SlotLapsed, seq: Seq) -> LockerState:
    return replace(s, bookings=s.bookings.without(e.booking))


def _down_started(s: LockerState, t: Stamp, e: ev.DownLogStarted, seq: Seq) -> LockerState:
    return replace(s, down=DownCursor(e.dn_epoch))


def _directive(s: LockerState, t: Stamp, e: ev.DirectiveApplied, seq: Seq) -> LockerState:
    return replace(s, down=DownCursor(e.dn_epoch, e.dn_seq, e.dn_hash))


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.AuthorisationGranted: _granted,
        ev.AuthorisationRevoked: _revoked,
        ev.TokenAdmitted: _admitted,
        ev.ItemAnnounced: _announced,
        ev.ItemRecalled: _recalled,
        ev.StaffEnrolled: _enrolled,
        ev.StaffRevoked: _staff_revoked,
        ev.PolicyChanged: _policy,
        ev.SettingsChanged: _settings,
        ev.SettingsReported: _reported,
        ev.CentreKeysTold: _keys,
        ev.CompartmentBarred: _barred,
        ev.CompartmentUnbarred: _unbarred,
        ev.SlotBooked: _slot_booked,
        ev.SlotReleased: _slot_over,
        ev.SlotLapsed: _slot_over,
        ev.DownLogStarted: _down_started,
        ev.DirectiveApplied: _directive,
    }
)
