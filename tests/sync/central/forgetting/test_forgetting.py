"""What is personal leaves the centre in time, and what happened stays: trail, figures, evidence."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from locker.domain.deposit import Kind, Proof
from locker.domain.events import (
    AuthorisationGranted,
    CompartmentReserved,
    Event,
    ItemAnnounced,
    ItemLoaded,
    ItemPickedUp,
    ItemWithdrawn,
)
from locker.domain.ids import AuthorisationId, CaseNumber, ItemId, StaffId
from locker.journal import verify_evidence
from sync.central import cases, queries
from sync.central import tables as t
from sync.central.config import BadConfig, load
from sync.central.desk import Refused
from sync.central.figures.count import Calendar, count
from sync.central.figures.tables import FIGURE
from sync.central.forgetting.keep import walk
from sync.central.forgetting.settings import DAY_MS, Personal
from sync.central.onward.tables import ONWARD
from sync.central.personal.case import look
from sync.central.personal.link import About
from sync.central.personal.link import Kind as Page
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.test_evidence import exported, keys_of
from tests.sync.central.test_cases import PHONE, announce, authorise, said
from tests.sync.central.test_hello import greeted, row_of
from tests.sync.central.test_notify import BIRTH, DOOR, STAY

PERSONAL = Personal()
MASKED = ("138******78", "张*", PHONE)


def forgot(parts: Parts, days: float) -> int:
    parts.clock.now_ms += round(days * DAY_MS)
    return asyncio.run(walk(parts.store, parts.clock, PERSONAL))


def told(parts: Parts, *events: Event) -> None:
    first = parts.locker.head + 1
    parts.locker.add(*events, wall_ms=parts.clock.now_ms)
    parts.ingest(first)


def waits(parts: Parts) -> str:
    """A case whose right has run out unused, and whose result waits in the locker."""
    authorise(parts)
    item = ItemId(announce(parts))
    granted = [each for each in said(parts) if isinstance(each, AuthorisationGranted | ItemAnnounced)]
    reserved = CompartmentReserved(STAY, DOOR, Kind.OUTGOING, CaseNumber("GS-1"), AuthorisationId(""), item)
    told(parts, BIRTH, *granted, reserved, ItemLoaded(STAY, item, StaffId("h"), Proof.SENSED, announced=True))
    row = row_of(parts)
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(dn_stored_to=row.dn_head)))
    return item


def named(parts: Parts) -> set[str]:
    """Tables in which something of a person lies."""
    held: dict[str, list[Any]] = {
        table.name: [value for row in parts.rows(table) for value in (row.name, row.phone, row.sealed)]
        for table in (t.AUTHORISATION, t.OUTGOING_ITEM)
    }
    held["notice"] = [row.contact_sealed for row in parts.rows(t.NOTICE)]
    held["ledger"] = [value for row in parts.rows(t.LEDGER) for value in (row.personal, row.salt)]
    held["directive"] = [row.text for row in parts.rows(t.DIRECTIVE) if MASKED[0] in row.text]
    held["kept"] = [row.directive for row in parts.rows(t.AUTHORISATION) if MASKED[0] in row.directive]
    return {name for name, values in held.items() if any(values)}


def happened(parts: Parts) -> list[Any]:
    """What a trail, the figures and the evidence of the case say."""
    parts.store.write_now(lambda c: count(c, Calendar(480)))
    trail = parts.store.read_now(lambda c: queries.trail(c, "GS-1"))
    (made,) = exported(parts, "GS-1")
    verdict = verify_evidence.check(made.page, keys_of(parts))
    assert verdict.wrong == ""
    return [trail, parts.rows(FIGURE), (verdict.shown[:-2], verdict.not_shown)]


def test_two_weeks_after_its_end_nobody_stands_in_a_case_and_all_that_happened_does(parts: Parts) -> None:
    item = waits(parts)
    assert forgot(parts, 20) == 0, "it waits to be collected"
    assert {"authorisation", "outgoing_item", "kept"} <= named(parts)
    told(parts, ItemPickedUp(STAY, Proof.SENSED))
    before = happened(parts)
    assert forgot(parts, 13.9) == 0
    assert forgot(parts, 0.2) == 1
    assert named(parts) == {"notice"}, "a message still waits to be sent"
    parts.store.write_now(lambda c: c.execute(t.NOTICE.update().values(state="sent")))
    forgot(parts, 0)
    assert named(parts) == set()
    assert happened(parts) == before
    about = About(Page.ITEM, item)
    assert parts.store.read_now(lambda c: look(c, about, parts.clock.now_ms)) is None
    row = next(row for row in parts.rows(t.OUTGOING_ITEM))
    with pytest.raises(Refused, match="ended long ago"):
        cases.token_of(parts.desk, row)
    assert forgot(parts, 1) == 0


def test_no_byte_of_it_is_left_in_file_and_log(parts: Parts, tmp_path: Path) -> None:
    if parts.store.url is not None:
        pytest.skip("a server's files and logs are its own")
    waits(parts)
    told(parts, ItemPickedUp(STAY, Proof.SENSED))

    def found() -> set[str]:
        data = b"".join(each.read_bytes() for each in tmp_path.glob("central.sqlite*"))
        return {text for text in MASKED if text.encode() in data}

    assert found() == {"138******78", "张*"}
    assert forgot(parts, 17.1) == 1, "its right was good for three days"
    assert found() == set()


def test_what_is_on_its_way_keeps_whose_it_is(parts: Parts) -> None:
    item = waits(parts)
    told(parts, ItemWithdrawn(STAY, StaffId("h"), Proof.SENSED))
    way = {"item": item, "state": "posted", "who": "w", "at_ms": parts.clock.now_ms}
    parts.store.write_now(lambda c: c.execute(ONWARD.insert().values(way)))
    assert forgot(parts, 100) == 0
    parts.store.write_now(lambda c: c.execute(ONWARD.update().values(state="delivered")))
    assert forgot(parts, 1) == 1


def test_a_case_that_never_ends_here_is_forgotten_half_a_year_later(parts: Parts) -> None:
    waits(parts)
    told(parts, ItemWithdrawn(STAY, StaffId("h"), Proof.SENSED))
    assert forgot(parts, 182) == 0
    assert "authorisation" in named(parts)
    assert forgot(parts, 1.1) == 1


def test_a_locker_that_falls_back_behind_what_was_taken_out_is_told_everything_anew(parts: Parts) -> None:
    waits(parts)
    before = row_of(parts)
    first = parts.rows(t.DIRECTIVE)[0]
    back = parts.locker.link(dn_epoch=before.dn_epoch, dn_applied=1, dn_hash=first.hash)
    assert greeted(parts, back).dn_epoch == before.dn_epoch, "nothing is taken out yet: it goes on"
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(dn_stored_to=before.dn_head)))
    forgot(parts, 15)
    whole = parts.locker.link(dn_epoch=before.dn_epoch, dn_applied=before.dn_head, dn_hash=before.dn_hash)
    assert greeted(parts, whole).dn_epoch == before.dn_epoch
    anew = greeted(parts, back)
    assert anew.dn_epoch != before.dn_epoch
    assert {type(each) for each in said(parts)} >= {ItemAnnounced}
    assert parts.rows(t.ALARM) == []


def test_what_a_locker_has_not_acknowledged_is_kept_for_it(parts: Parts) -> None:
    authorise(parts)
    forgot(parts, 15)
    assert "directive" in named(parts)
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(dn_stored_to=1)))
    forgot(parts, 1)
    assert "directive" not in named(parts)


@pytest.mark.parametrize("line", ["days = 0", "days = 31", "unfinished_days = 29"])
def test_how_long_has_a_range(tmp_path: Path, line: str) -> None:
    path = tmp_path / "central.toml"
    path.write_text(f"[personal]\n{line}\n")
    with pytest.raises(BadConfig, match="personal"):
        load(path)
