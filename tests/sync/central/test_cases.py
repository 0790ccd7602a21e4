"""A right to hand in: what the applicant gets, what the locker gets, and what nobody ever sees."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from locker.domain import codes, directives, tokens
from locker.domain.compartment import Size
from locker.domain.events import AuthorisationGranted, ItemAnnounced, StaffEnrolled
from sync import seal
from sync.central import cases, migrations, outgoing, staff
from sync.central import tables as t
from sync.central.desk import Refusal, Refused
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import WALL_MS

PHONE = "13812345678"
PASSED = cases.PreReview(
    case="GS-1",
    service_item="营业执照变更",
    papers=("申请书", "身份证"),
    deferred=("章程",),
    size=Size.S,
    applicant=cases.Person("张伟", PHONE),
    locker="hall-1",
    valid_hours=72,
)
READY = outgoing.Outgoing(
    item="",
    case="GS-1",
    service_item="营业执照",
    size=Size.M,
    recipient=cases.Person("张伟", PHONE),
    locker="hall-1",
    second_factor=True,
)


def authorise(parts: Parts, passed: cases.PreReview = PASSED) -> str:
    return parts.store.write_now(lambda c: cases.authorise(c, parts.desk, passed, "test"))


def announce(parts: Parts, ready: outgoing.Outgoing = READY) -> str:
    return parts.store.write_now(lambda c: outgoing.announce(c, parts.desk, ready, "test"))


def said(parts: Parts) -> list[directives.StateEntry | None]:
    return [directives.read(row.text).says for row in parts.rows(t.DIRECTIVE)]


def token_in(parts: Parts, digits: str) -> tokens.Token:
    scanned = codes.parse_scanned(digits)
    assert scanned is not None
    assert scanned.kind is codes.ScanKind.TOKEN
    frame = codes.digits_to_bytes(scanned.body)
    assert frame is not None
    return tokens.unpack(seal.open_frame(frame, seal.keyring(parts.desk.keys.sign.public)))


def test_the_code_that_is_sent_is_the_one_the_locker_knows_the_digest_of(parts: Parts) -> None:
    authorise(parts)
    (row,) = parts.rows(t.AUTHORISATION)
    (grant,) = said(parts)
    assert isinstance(grant, AuthorisationGranted)
    typed = codes.parse_typed(parts.desk.opened(row.sealed)["typed"])
    assert typed is not None
    assert int(typed.locator) in codes.CENTRE_LOCATORS
    assert grant.locator == typed.locator
    text = typed.locator + typed.secret
    assert grant.typed_digest == codes.keyed_digest(parts.code_key, "drop_off", text)
    assert grant.phone4_digest == codes.keyed_digest(parts.code_key, "phone4", "5678:GS-1")
    assert (grant.name, grant.phone, grant.deferred) == ("张*", "138******78", ("章程",))


def test_the_token_is_for_the_area_and_for_dropping_off(parts: Parts) -> None:
    name = authorise(parts)
    row = parts.store.read_now(lambda c: cases.authorisation_row(c, name))
    token = token_in(parts, cases.token_of(parts.desk, row))
    assert (token.purpose, token.scope, token.where) == (
        tokens.TokenPurpose.DROP_OFF,
        tokens.Scope.AREA,
        "north",
    )
    assert (token.reference, token.case, token.size) == (name, "GS-1", Size.S)
    assert token.valid_from_ms < WALL_MS
    assert token.valid_until_ms > WALL_MS + 71 * 3_600_000


def test_the_label_is_for_this_locker_and_for_loading(parts: Parts) -> None:
    name = announce(parts)
    row = parts.store.read_now(lambda c: outgoing.item_row(c, name))
    token = token_in(parts, cases.token_of(parts.desk, row))
    assert (token.purpose, token.scope, token.where) == (
        tokens.TokenPurpose.LOAD,
        tokens.Scope.LOCKER,
        "hall-1",
    )
    assert (token.reference, token.size) == (name, Size.M)
    (item,) = said(parts)
    assert isinstance(item, ItemAnnounced)
    assert (item.second_factor, item.hold_days, item.name) == (True, 7, "张*")


def test_locators_are_not_shared_and_rest_a_day(parts: Parts) -> None:
    for number in range(len(codes.CENTRE_LOCATORS)):
        authorise(parts, replace(PASSED, case=f"GS-{number}"))
    assert len({row.locator for row in parts.rows(t.AUTHORISATION)}) == len(codes.CENTRE_LOCATORS)
    with pytest.raises(Refused) as refused:
        authorise(parts)
    assert refused.value.reason is Refusal.NO_LOCATOR
    parts.clock.now_ms += 73 * 3_600_000
    with pytest.raises(Refused):
        authorise(parts)
    parts.clock.now_ms += 24 * 3_600_000
    assert authorise(parts)


def test_badge_and_pin_go_down_as_digests_only(parts: Parts) -> None:
    person = staff.Enrolment("helper-1", "李强", frozenset({"helper"}), "246810", ("hall-1",))
    badge = parts.store.write_now(lambda c: staff.enrol(c, parts.desk, person))
    scanned = codes.parse_scanned(badge)
    assert scanned is not None
    (enrolled,) = said(parts)
    assert isinstance(enrolled, StaffEnrolled)
    assert enrolled.badge_digest == codes.keyed_digest(parts.code_key, "badge", scanned.body)
    assert enrolled.pin_digest == codes.keyed_digest(parts.code_key, "pin:helper-1", "246810")
    assert enrolled.until_ms == WALL_MS + 7 * 86_400_000


def test_grants_of_staff_are_renewed_when_a_day_has_passed(parts: Parts) -> None:
    person = staff.Enrolment("helper-1", "李强", frozenset({"helper"}), "246810", ("hall-1",))
    parts.store.write_now(lambda c: staff.enrol(c, parts.desk, person))
    assert parts.store.write_now(lambda c: staff.renew(c, WALL_MS + 3_600_000)) == []
    later_ms = WALL_MS + 25 * 3_600_000
    assert parts.store.write_now(lambda c: staff.renew(c, later_ms)) == ["hall-1"]
    first, second = said(parts)
    assert isinstance(first, StaffEnrolled)
    assert second == replace(first, until_ms=later_ms + 7 * 86_400_000)


@pytest.mark.rule("CEN-11")
def test_the_down_log_is_gapless_and_chained(parts: Parts) -> None:
    for number in range(3):
        authorise(parts, replace(PASSED, case=f"GS-{number}"))
    link = bytes(32)
    for number, row in enumerate(parts.rows(t.DIRECTIVE), 1):
        link = directives.link(link, row.text)
        assert (row.seq, row.hash) == (number, link.hex())
        assert json.loads(row.text)["seq"] == number
    head = parts.store.read_now(lambda c: c.execute(select(t.LOCKER)).one())
    assert (head.dn_head, head.dn_hash) == (3, link.hex())


def test_an_unknown_locker_and_a_known_item_are_refused_and_change_nothing(parts: Parts) -> None:
    with pytest.raises(Refused):
        authorise(parts, replace(PASSED, locker="nowhere"))
    announce(parts, replace(READY, item="i-1"))
    with pytest.raises(Refused):
        announce(parts, replace(READY, item="i-1"))
    assert len(parts.rows(t.DIRECTIVE)) == 1


def test_no_digit_of_a_code_and_no_phone_stands_in_the_database(parts: Parts, tmp_path: Path) -> None:
    authorise(parts)
    announce(parts)
    person = staff.Enrolment("helper-1", "李强", frozenset({"helper"}), "246810", ("hall-1",))
    badge = parts.store.write_now(lambda c: staff.enrol(c, parts.desk, person))
    secrets = {PHONE, "246810", badge[1:40], parts.code_key.hex()}
    for row in (*parts.rows(t.AUTHORISATION), *parts.rows(t.OUTGOING_ITEM)):
        opened = parts.desk.opened(row.sealed)
        secrets |= {opened["token"], opened.get("typed", opened["token"])}
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("central.sqlite")]
    if parts.store.url is not None:  # no file of it is ours to read
        files = [repr(parts.rows(table)).encode() for table in migrations.metadata().sorted_tables]
    assert files
    assert [secret for secret in secrets if any(secret.encode() in content for content in files)] == []
