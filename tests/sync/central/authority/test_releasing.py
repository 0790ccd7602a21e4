"""A locker's name for another controller: two people, the old key heard no more, what lies there kept."""

from dataclasses import replace

import pytest

from locker.domain.ids import Epoch
from locker.journal import verify_evidence
from sync import seal, wire
from sync.central import lockers
from sync.central import tables as t
from sync.central.access.actor import HUB, Actor, Role, person
from sync.central.access.tables import AUDIT
from sync.central.authority import releasing
from sync.central.authority.releasing import AGREED_WITHIN_MS
from sync.central.custody import evidence
from sync.central.desk import Refusal, Refused
from sync.central.ingest import KEYS_READ_EVERY_MS
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.test_ingest import Hub
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

ONE, OTHER = (person(name, [Role.FLEET_OPERATOR], ["north"]) for name in ("one", "other"))
FAR = person("far", [Role.FLEET_OPERATOR], ["south"])
NEW = seal.SigningKey.from_seed(b"2" * 32)


def asked(parts: Parts, locker: str = "hall-1") -> str:
    return parts.store.write_now(lambda c: releasing.ask(c, parts.desk, ONE, locker, "burnt"))


def refusal(parts: Parts, actor: Actor, release: str) -> Refusal:
    with pytest.raises(Refused) as refused:
        parts.store.write_now(lambda c: releasing.agree(c, parts.desk, actor, release))
    return refused.value.reason


def shown(parts: Parts, who: Actor) -> list[bool]:
    """Whether they may agree to each that they see."""
    seen = parts.store.read_now(lambda c: releasing.waiting(c, who, parts.clock.now_ms))
    return [each.may_agree for each in seen]


def given_up(parts: Parts) -> None:
    release = asked(parts)
    parts.store.write_now(lambda c: releasing.agree(c, parts.desk, OTHER, release))


@pytest.mark.rule("CEN-62")
def test_a_second_person_agrees_in_time_and_nobody_else(parts: Parts) -> None:
    release = asked(parts)
    assert [shown(parts, who) for who in (ONE, OTHER, FAR)] == [[False], [True], []]
    assert refusal(parts, ONE, release) is Refusal.SAME_PERSON
    assert refusal(parts, FAR, release) is Refusal.UNKNOWN_LOCKER
    assert refusal(parts, OTHER, "nothing") is Refusal.UNKNOWN_LOCKER
    again = asked(parts)
    assert refusal(parts, OTHER, release) is Refusal.UNKNOWN_LOCKER  # the later one is the one
    parts.clock.now_ms += AGREED_WITHIN_MS
    assert refusal(parts, OTHER, again) is Refusal.NOT_NOW
    (row,) = parts.rows(t.LOCKER)
    assert row.public == parts.locker.public
    given_up(parts)
    (row,) = parts.rows(t.LOCKER)
    assert row.public == ""
    told = [(each.actor, each.action) for each in parts.rows(AUDIT) if each.object == "hall-1"][-2:]
    assert told == [("person:one", "name_release_asked"), ("person:other", "name_released")]
    with pytest.raises(Refused):
        asked(parts)  # it has no key to give up
    with pytest.raises(Refused):
        asked(parts, "hall-9")


@pytest.mark.rule("CEN-62")
async def test_the_old_key_is_heard_no_more_and_the_new_one_takes_its_place(parts: Parts) -> None:
    hub = Hub(parts)
    old = parts.locker.add(BIRTH, CABINET)
    await hub.take(wire.Name.LINK, old.link())
    await hub.take(wire.Name.LOG, old.batch(1, 1))
    given_up(parts)
    parts.clock.now_ms += KEYS_READ_EVERY_MS
    heard = len(hub.said)
    await hub.take(wire.Name.LOG, old.batch(2, 2))
    await hub.take(wire.Name.LINK, replace(old.link(), conn=2))
    assert (len(hub.said), hub.ingest.dropped["UnknownKey"]) == (heard, 2)
    with pytest.raises(lockers.CannotEnrol, match="gave up this key"):
        enrolled(parts, old.key)
    code_key = parts.centre["code_key"]
    known = enrolled(parts, NEW)
    # It is told that it is not the first, and digests codes as the one before.
    assert (known["known"], known["code_key"]) == (True, code_key)
    new = FakeLocker(epoch=name_of("another"), key=NEW).add(replace(BIRTH, epoch=Epoch(name_of("another"))))
    await hub.take(wire.Name.LINK, new.link(), new)
    hello = hub.said[-1]
    assert (hello.up_epoch, hello.stored_to) == (new.epoch, 0)
    said = [row.text for row in parts.rows(t.DIRECTIVE) if row.dn_epoch == hello.dn_epoch]
    assert '"HistoryRestored"' in said[-1]
    await hub.take(wire.Name.LINK, replace(old.link(), conn=3))
    assert hub.ingest.dropped["UnknownKey"] == 3


def enrolled(parts: Parts, key: seal.SigningKey) -> dict[str, object]:
    return parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "hall-1", "north", key.public.hex()))


def test_what_the_old_one_signed_stays_evidence(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    given_up(parts)
    enrolled(parts, NEW)
    (made,) = parts.store.read_now(lambda c: evidence.export(c, parts.desk, HUB, "GS-1"))
    keys = {
        "lockers": parts.store.read_now(lambda c: dict(lockers.every_key(c))),
        "centre": [each.hex() for each in parts.desk.keys.publics],
    }
    assert keys["lockers"] == {"hall-1": [NEW.public.hex(), parts.locker.public]}
    assert verify_evidence.check(made.page, keys).wrong == ""
    assert verify_evidence.check(made.page, keys | {"lockers": {"hall-1": NEW.public.hex()}}).wrong
