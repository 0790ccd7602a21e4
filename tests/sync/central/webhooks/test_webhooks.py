"""Events to other systems: once each in order, again until taken, signed, and nowhere they must not go."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from hw_sim.free_port import free_port
from locker.domain.deposit import Proof
from locker.domain.events import Stopped, SubmissionTaken
from locker.domain.ids import StaffId
from sync.central import desk as desks
from sync.central.access.actor import Role, person
from sync.central.desk import Refused
from sync.central.tables import ALARM, DESK_FACT
from sync.central.webhooks import deliver, gather
from sync.central.webhooks import subscriptions as subs
from sync.central.webhooks.deliver import Courier
from sync.central.webhooks.settings import NotAllowed, Webhooks
from sync.central.webhooks.subscriptions import Subscriptions, Wanted
from sync.central.webhooks.tables import DELIVERY, FACT_TAKEN, POSITION, WEBHOOK
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH, CABINET, STAY, VISIT
from tests.sync.central.webhooks.receiver import Receiver, receiving

ADMIN = person("root", [Role.ADMINISTRATOR], ["*"])
HERE = Webhooks(private_networks=("127.0.0.0/8",))
EVERYTHING = ("doclocker.locker.*", "doclocker.centre.*")
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def _receiver() -> Iterator[Receiver]:
    with receiving(free_port()) as receiver:
        yield receiver


@pytest.fixture
def receiver(_receiver: Receiver) -> Receiver:
    _receiver.answers.clear()
    _receiver.got.clear()
    return _receiver


@pytest.fixture
async def courier(parts: Parts) -> AsyncIterator[Courier]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield Courier(parts.store, parts.desk, client, HERE)


def subscriptions(parts: Parts) -> Subscriptions:
    return Subscriptions(parts.store, parts.desk, HERE)


async def subscribed(parts: Parts, url: str, kinds: tuple[str, ...] = EVERYTHING) -> tuple[str, str]:
    return await subscriptions(parts).make(Wanted("case system", url, kinds, frozenset("*")), ADMIN)


def visited(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()


def noted(parts: Parts, kind: str = "handed_over", **detail: str | int | bool) -> None:
    now_ms = parts.clock.now_ms
    parts.store.write_now(lambda c: desks.note(c, "GS-1", kind, "ref", "person:li", now_ms, **detail))


def bodies(receiver: Receiver) -> list[dict[str, object]]:
    return [json.loads(body) for _, body in receiver.got]


def states(parts: Parts) -> list[str]:
    return [row.state for row in sorted(parts.rows(DELIVERY), key=lambda row: row.number)]


async def test_events_arrive_signed_in_order_and_once(
    parts: Parts, receiver: Receiver, courier: Courier
) -> None:
    noted(parts)
    webhook, secret = await subscribed(parts, receiver.url)
    visited(parts)
    noted(parts, locker="hall-1", phone="13812345678", note="张伟 13812345678", item="13812345678")
    while await courier.step():
        pass
    told = bodies(receiver)
    of_locker = [each for each in told if each["source"] == "/lockers/hall-1"]
    assert [each["id"] for each in of_locker] == [
        f"{parts.locker.epoch}/{n}" for n in range(1, parts.locker.head + 1)
    ]
    (of_centre,) = [each for each in told if each["source"] == "/centre"]
    assert (of_centre["type"], of_centre["subject"]) == ("doclocker.centre.handed_over", "GS-1")
    fact = {"reference": "ref", "locker": "hall-1"}
    assert of_centre["data"] == {"case": "GS-1", "fact": fact}
    for headers, body in receiver.got:
        event = JSONFormat().read(CloudEvent, body)
        assert event.get_specversion() == "1.0"
        assert headers["content-type"].startswith("application/cloudevents+json")
        said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert "13812345678" not in body.decode()
        assert int(headers["webhook-timestamp"]) == parts.clock.now_ms // 1000
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == len(receiver.got)
    assert not await courier.step()
    assert set(states(parts)) == {"sent"}
    assert secret not in str(parts.rows(WEBHOOK))
    assert webhook


async def test_only_what_was_asked_for_is_told(parts: Parts, receiver: Receiver, courier: Courier) -> None:
    await subscribed(parts, receiver.url, ("doclocker.locker.SubmissionDeposited",))
    visited(parts)
    noted(parts)
    await courier.step()
    assert [each["type"] for each in bodies(receiver)] == ["doclocker.locker.SubmissionDeposited"]
    (sent,) = bodies(receiver)
    assert (sent["subject"], sent["timequality"]) == ("GS-1", "ntp")


async def test_a_receiver_of_another_area_hears_nothing(
    parts: Parts, receiver: Receiver, courier: Courier
) -> None:
    await subscribed(parts, receiver.url)
    south = {"areas": '["south"]'}
    parts.store.write_now(lambda c: c.execute(WEBHOOK.update().values(south)))
    visited(parts)
    noted(parts, locker="hall-1")
    noted(parts)
    await courier.step()
    assert receiver.got == []


async def test_what_is_not_taken_holds_back_the_next_and_comes_again(
    parts: Parts, receiver: Receiver, courier: Courier
) -> None:
    await subscribed(parts, receiver.url, ("doclocker.centre.*",))
    noted(parts, "first")
    noted(parts, "second")
    receiver.answers = [500, 307, 429]
    waits = []
    for _ in range(3):
        await courier.step()
        await courier.step()
        first, second = sorted(parts.rows(DELIVERY), key=lambda row: row.number)
        assert (first.state, second.attempts) == ("due", 0)
        waits.append(first.next_ms - parts.clock.now_ms)
        parts.clock.now_ms = first.next_ms
    assert first.detail == "status 429"
    for wait_ms, least_ms in zip(waits, (1_000, 2_000, 4_000), strict=True):
        assert least_ms <= wait_ms <= 2 * least_ms
    await courier.step()
    assert [each["type"].rpartition(".")[2] for each in bodies(receiver)] == ["first"] * 4 + ["second"]  # type: ignore[attr-defined]  # a text
    assert len({body for _, body in receiver.got[:4]}) == 1
    assert {headers["webhook-id"] for headers, _ in receiver.got[:4]} == {receiver.got[0][0]["webhook-id"]}


async def test_a_slow_one_is_not_waited_for(
    parts: Parts, receiver: Receiver, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "TIMEOUT_S", 0.2)
    await subscribed(parts, receiver.url, ("doclocker.centre.*",))
    noted(parts)
    receiver.answers = [0]
    await courier.step()
    (row,) = parts.rows(DELIVERY)
    assert (row.state, row.detail) in {("due", "TimeoutError"), ("due", "ReadTimeout")}


async def test_one_that_says_it_is_gone_is_switched_off_with_an_alarm(
    parts: Parts, receiver: Receiver, courier: Courier
) -> None:
    webhook, _ = await subscribed(parts, receiver.url, ("doclocker.centre.*",))
    noted(parts)
    receiver.answers = [410]
    await courier.step()
    (row,) = parts.rows(WEBHOOK)
    assert (row.state, row.why) == ("off", "webhook_gone")
    assert [(alarm.kind, alarm.subject) for alarm in parts.rows(ALARM)] == [("webhook_gone", webhook)]
    noted(parts)
    await courier.step()
    assert len(receiver.got) == 1
    await subscriptions(parts).switch(webhook, ADMIN, on=True)
    await courier.step()
    assert len(receiver.got) == 2, "what waited is sent, what happened meanwhile is not"


async def test_after_three_days_it_is_parked_and_can_be_replayed(
    parts: Parts, receiver: Receiver, courier: Courier
) -> None:
    webhook, _ = await subscribed(parts, receiver.url, ("doclocker.centre.*",))
    noted(parts)
    receiver.answers = [503, 503]
    await courier.step()
    parts.clock.now_ms += 3 * DAY_MS
    await courier.step()
    (row,) = parts.rows(DELIVERY)
    assert (row.state, row.detail, row.attempts) == ("parked", "status 503", 2)
    assert [alarm.kind for alarm in parts.rows(ALARM)] == ["webhook_parked"]
    await subscriptions(parts).replay(webhook, row.number, ADMIN)
    await courier.step()
    assert states(parts) == ["sent"]
    with pytest.raises(Refused):
        await subscriptions(parts).replay(webhook, row.number + 1, ADMIN)
    parts.clock.now_ms += 15 * DAY_MS
    await courier.step()
    assert parts.rows(DELIVERY) == []


async def test_nothing_is_lost_or_doubled_when_the_hub_dies_before_the_commit(
    parts: Parts, receiver: Receiver, courier: Courier
) -> None:
    await subscribed(parts, receiver.url)
    visited(parts)

    def dies(connection: object) -> None:
        gather.gather(connection, parts.clock.now_ms)  # type: ignore[arg-type]  # a connection
        raise KeyError

    with pytest.raises(KeyError):
        parts.store.write_now(dies)
    assert parts.rows(DELIVERY) == []
    while await courier.step():
        pass
    parts.locker.add(SubmissionTaken(STAY, StaffId("h"), Proof.SENSED, "complete"))
    parts.ingest(parts.locker.head)
    while await courier.step():
        pass
    ids = [each["id"] for each in bodies(receiver)]
    assert ids == [f"{parts.locker.epoch}/{n}" for n in range(1, parts.locker.head + 1)]


async def test_a_backlog_is_taken_over_in_pieces(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr(gather, "ENTRIES_AT_ONCE", 3)
    await subscribed(parts, receiver.url)
    parts.locker.add(BIRTH, *(Stopped(str(n)) for n in range(7)))
    parts.ingest()
    more = []
    while parts.store.read_now(gather.is_there_news):
        more.append(parts.store.write_now(lambda c: gather.gather(c, parts.clock.now_ms)))
    assert more == [True, True, False]
    assert len(parts.rows(DELIVERY)) == 8


async def test_a_fact_whose_number_becomes_visible_late_is_told(parts: Parts, receiver: Receiver) -> None:
    """Of two transactions the one with the lower number may commit last."""
    await subscribed(parts, receiver.url)
    row = {"case_number": "GS-1", "kind": "k", "at_ms": parts.clock.now_ms}
    for number in (9, 8, 7):
        parts.store.write_now(lambda c, n=number: c.execute(DESK_FACT.insert().values(number=n, **row)))  # type: ignore[misc]  # bound now
        parts.store.write_now(lambda c: gather.gather(c, parts.clock.now_ms))
    assert [told.event for told in parts.rows(DELIVERY)] == ["centre/9", "centre/8", "centre/7"]
    parts.clock.now_ms += gather.SETTLED_MS + 1
    parts.store.write_now(lambda c: gather.gather(c, parts.clock.now_ms))
    assert parts.rows(FACT_TAKEN) == []
    assert [row.taken_to for row in parts.rows(POSITION) if not row.locker] == [9]
    assert not parts.store.read_now(gather.is_there_news)


async def test_too_many_waiting_switch_it_off(
    parts: Parts, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "QUEUED_MAX", 2)
    await subscribed(parts, receiver.url)
    for _ in range(3):
        noted(parts)
    parts.store.write_now(lambda c: gather.gather(c, parts.clock.now_ms))
    assert [row.why for row in parts.rows(WEBHOOK)] == ["webhook_overflow"]
    assert [alarm.kind for alarm in parts.rows(ALARM)] == ["webhook_overflow"]


# --- where it may go ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://case.example/x",
        "ftp://case.example",
        "https://",
        "https://u:p@case.example",
        "https://case.example/#a",
        "https://case.example:0",
        "https://case.example:99999",
        "https://[::1",
        "https://case.exa mple",
        "https://例.example",
        "https://case.example/" + "x" * 500,
    ],
)
def test_an_address_of_the_wrong_form_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        Webhooks().require_url(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # nobody binds to it
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "255.255.255.255",
    ],
)
def test_private_addresses_are_reached_by_configuration_only(address: str) -> None:
    with pytest.raises(NotAllowed):
        Webhooks().require_address(address, encrypted=True)
    assert Webhooks().require_address("1.1.1.1", encrypted=True) == "1.1.1.1"


def test_configured_networks_are_reached_even_without_encryption_and_nothing_beside_them() -> None:
    settings = Webhooks(private_networks=("10.1.2.0/24",))
    assert settings.require_address("::ffff:10.1.2.3", encrypted=False) == "10.1.2.3"
    for other in ("10.1.3.1", "1.1.1.1"):
        with pytest.raises(NotAllowed):
            settings.require_address(other, encrypted=False)
    assert [key for key, _ in Webhooks(private_networks=("10.1.2.3/8", "x")).problems()] == [
        "private_networks"
    ] * 2


async def test_a_name_that_leads_inside_is_not_followed(parts: Parts, receiver: Receiver) -> None:
    """What is sent goes to the address that was looked at, whatever the name answers the next time."""
    looked: list[str] = []

    def names(*answers: list[str]) -> Callable[[str, int], object]:
        left = list(answers)

        async def resolved(host: str, port: int) -> list[str]:
            looked.append(f"{host}:{port}")
            return left.pop(0)

        return resolved

    url = receiver.url.replace("127.0.0.1", "case.example")
    await subscribed(parts, url, ("doclocker.centre.*",))
    noted(parts)
    async with httpx.AsyncClient(trust_env=False) as client:
        answers = names(["127.0.0.1", "10.0.0.1"], [], ["127.0.0.1"])
        courier = Courier(parts.store, parts.desk, client, HERE, answers)  # type: ignore[arg-type]  # as loosely typed as a test may
        for taken in (0, 0, 1):
            await courier.step()
            assert len(receiver.got) == taken
            parts.clock.now_ms += DAY_MS // 4
    assert looked == [f"case.example:{receiver.port}"] * 3
    assert receiver.got[0][0]["host"] == f"case.example:{receiver.port}"


async def test_what_a_subscription_may_not_be_is_refused(parts: Parts, receiver: Receiver) -> None:
    own = subscriptions(parts)
    clerk = person("li", [Role.ADMINISTRATOR], ["north"])
    for wanted in (
        Wanted("x", "ftp://x", EVERYTHING, frozenset("*")),
        Wanted("x", receiver.url, ("other.*",), frozenset("*")),
        Wanted("x", receiver.url, (), frozenset("*")),
        Wanted("x", receiver.url, EVERYTHING, frozenset({"nowhere"})),
        Wanted("x", receiver.url, EVERYTHING, frozenset()),
    ):
        with pytest.raises(Refused):
            await own.make(wanted, ADMIN)
    with pytest.raises(Refused):
        await own.make(Wanted("x", receiver.url, EVERYTHING, frozenset("*")), clerk)
    webhook, _ = await own.make(Wanted("x", receiver.url, EVERYTHING, frozenset("*")), ADMIN)
    assert parts.store.read_now(lambda c: subs.listed(c, clerk)) == []
    with pytest.raises(Refused):
        await own.remove(webhook, clerk)
    await own.remove(webhook, ADMIN)
    assert parts.store.read_now(lambda c: subs.listed(c, ADMIN)) == []
