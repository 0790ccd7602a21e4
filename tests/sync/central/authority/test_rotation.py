"""Certificates through the years, under a moved clock: renewed in time, late, and too late."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from locker.ctl import provision_files, provision_steps
from locker.ctl.provision_hub import CannotProvision
from locker.ctl.provision_steps import Renewed
from sync import certificates
from sync.central.access.commands import MACHINE
from sync.central.access.tables import AUDIT
from sync.central.authority import keep, register
from sync.central.authority.issuing import DAY_MS, Purpose
from sync.central.authority.tables import CERTIFICATE
from sync.central.tables import ALARM
from tests.sync.central.authority import made
from tests.sync.central.authority.offices import Centre, Machine
from tests.sync.central.conftest import Parts

DUE: Final = 243
"""Days: two thirds of a year, the day before its first included."""

Takes = Callable[[Path], bool | None]


def yes(_pair: Path) -> bool | None:
    return True


def no(_pair: Path) -> bool | None:
    return False


def away(_pair: Path) -> bool | None:
    return None


@pytest.fixture
def centre(lone: Centre) -> Centre:
    return lone


@pytest.fixture
def machine(centre: Centre, machine: Machine) -> Machine:
    machine.ask(centre, centre.claim())
    return machine


def look(centre: Centre, machine: Machine, takes: Takes = yes, wall_ms: int | None = None) -> Renewed:
    now_ms = centre.parts.clock.wall_ms() if wall_ms is None else wall_ms
    return provision_steps.renew(machine.place.shelf, "loc-1", now_ms, centre, takes)


def pass_days(centre: Centre, days: int) -> None:
    centre.parts.clock.now_ms += days * DAY_MS


def renewals(parts: Parts) -> list[str]:
    return [row.detail for row in parts.rows(AUDIT) if row.action == "certificate_renewed"]


def test_it_is_renewed_at_two_thirds_of_its_life(centre: Centre, machine: Machine) -> None:
    first, posted = machine.worn.serial, len(centre.posted)
    pass_days(centre, DUE - 1)
    assert look(centre, machine).state == "not due"
    assert len(centre.posted) == posted
    pass_days(centre, 1)
    assert look(centre, machine).state == "worn"
    assert machine.worn.serial != first
    assert look(centre, machine).state == "not due"
    key = machine.files()["keys/link.pem"]
    assert certificates.is_for(key, key)
    assert {"keys/next.pem", "keys/next.key"}.isdisjoint(machine.files())


def test_both_are_good_until_the_new_one_has_worked(centre: Centre, machine: Machine) -> None:
    first = machine.worn.serial
    pass_days(centre, DUE)
    for takes in (away, no, away):
        assert look(centre, machine, takes).state == "waits"
        assert machine.worn.serial == first
        assert len(centre.certificates()) == 2
    assert look(centre, machine, yes).state == "worn"
    assert centre.certificates() == [machine.worn.serial, first]
    assert len(renewals(centre.parts)) == 1


def test_of_three_the_oldest_ends(centre: Centre, machine: Machine) -> None:
    first = machine.worn.serial
    pass_days(centre, DUE)
    look(centre, machine)
    kept = machine.files()["keys/link.pem"]
    centre.claim()
    machine.ask(centre, centre.claim())
    assert first not in centre.certificates()
    assert len(centre.certificates()) == 2
    revoked = centre.parts.store.read_now(register.revoked)
    assert [serial for serial, _ in revoked] == [first]
    machine.place.shelf.put(provision_files.LINK, kept)
    pass_days(centre, DUE)
    look(centre, machine)


def test_a_lost_answer_is_asked_for_again_by_the_same_key(centre: Centre, machine: Machine) -> None:
    pass_days(centre, DUE)
    centre.lost = 2
    for _ in range(2):
        with pytest.raises(CannotProvision, match="lost"):
            look(centre, machine)
    assert look(centre, machine).state == "worn"
    assert len(centre.parts.rows(CERTIFICATE)) == 2


def test_sixty_days_without_a_network_are_in_time(centre: Centre, machine: Machine) -> None:
    pass_days(centre, DUE)
    centre.away = True
    centre.lost = 1
    with pytest.raises(CannotProvision):
        look(centre, machine)
    pass_days(centre, 60)
    centre.away = False
    assert look(centre, machine, no).state == "waits"
    assert look(centre, machine, yes).state == "worn"
    assert "days_over" not in renewals(centre.parts)[0]


def test_one_that_ran_out_is_renewed_by_its_key_and_the_journal_says_so(
    centre: Centre, machine: Machine
) -> None:
    pass_days(centre, 365 + 60)
    assert look(centre, machine, no).state == "worn"
    assert '"days_over":60' in renewals(centre.parts)[0]
    assert centre.certificates() == [machine.worn.serial]


def test_after_the_grace_a_person_makes_a_new_claim(centre: Centre, machine: Machine) -> None:
    pass_days(centre, 365 + 91)
    with pytest.raises(CannotProvision, match="certificate_over"):
        look(centre, machine)
    own = machine.files()["keys/own.json"]
    machine.ask(centre, centre.claim())
    assert look(centre, machine).state == "not due"
    assert machine.files()["keys/own.json"] == own


def test_a_locker_whose_clock_stood_still_asks_the_hub_what_time_it_is(
    centre: Centre, machine: Machine
) -> None:
    stood_ms = centre.parts.clock.wall_ms()
    pass_days(centre, 365 + 10)
    assert look(centre, machine, away, wall_ms=stood_ms).state == "worn"


def test_a_revoked_one_is_not_renewed(centre: Centre, machine: Machine) -> None:
    parts = centre.parts
    pass_days(centre, DUE)
    now_ms = parts.clock.wall_ms()
    revoked = parts.store.write_now(
        lambda c: register.revoke(c, MACHINE, "loc-1", now_ms, "stolen 13800001111")
    )
    assert revoked == 1
    with pytest.raises(CannotProvision, match="certificate_revoked"):
        look(centre, machine)
    (row,) = [row for row in parts.rows(AUDIT) if row.action == "certificate_revoked"]
    assert (row.object, "13800001111" in row.detail) == ("loc-1", False)


def test_only_the_locker_itself_renews(centre: Centre, machine: Machine, tmp_path: Path) -> None:
    """Who has its certificate's key alone, or its own key alone, gets nothing."""
    other = Machine(tmp_path / "other")
    other.folder.mkdir()
    other.ask(centre, centre.claim("loc-2"))
    pass_days(centre, DUE)
    theirs, ours = other.files(), machine.files()
    stolen = theirs["keys/own.json"].replace("loc-2", "loc-1")
    for name, text in (("own.json", stolen), ("link.pem", theirs["keys/link.pem"])):
        machine.place.shelf.put(name, text)
        with pytest.raises(CannotProvision, match=r"bad_request|unknown_certificate"):
            look(centre, machine)
        machine.place.shelf.put(name, ours[f"keys/{name}"])
    assert renewals(centre.parts) == []


def test_a_locker_that_did_not_renew_is_an_alarm_once(centre: Centre, machine: Machine) -> None:
    parts = centre.parts

    def looked() -> list[str]:
        found: list[str] = parts.store.write_now(lambda c: keep.look(c, parts.clock.wall_ms()))
        return found

    def alarms() -> list[tuple[str, str, int]]:
        return [
            (row.locker, row.subject, row._mapping["count"])
            for row in parts.rows(ALARM)
            if row.kind == keep.KIND
        ]

    pem = made.pair(machine.folder, "broker", Purpose.SERVER, now_ms=parts.clock.wall_ms(), days=365)
    parts.store.write_now(lambda c: register.keep(c, pem, Purpose.SERVER, parts.clock.wall_ms()))
    pass_days(centre, DUE)
    assert (looked(), alarms()) == ([], [])
    pass_days(centre, 365 - 60 - DUE + 1)
    for _ in range(2):
        assert [told.split(" ends ")[0] for told in looked()] == ["the certificate of broker"]
        assert alarms() == [("loc-1", machine.worn.serial, 1)]
    look(centre, machine)
    assert len(looked()) == len(alarms()) == 1
