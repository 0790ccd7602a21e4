"""Messages on their way: by a second channel, in one's own language, at a decent hour, never in a log."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from locker.domain.deposit import Kind
from locker.domain.door import Presence
from locker.domain.events import CompartmentReserved, ReceiptIssued, SubmissionDeposited
from locker.domain.ids import AuthorisationId, CaseNumber, ItemId
from sync.central import messages
from sync.central import tables as t
from sync.central.fleet.tables import SITE
from sync.central.messages import keep
from sync.central.messages.carriers import UnusableChannel, carrier_of
from sync.central.messages.routes import TRIES
from sync.central.messages.settings import Channel, Messages
from sync.central.messages.tables import ATTEMPT, UNSURE_RECEIPT
from sync.central.notify import IDLE_MS, Notifier, SmsSettings
from tests.sync.central.conftest import HandClock, Parts
from tests.sync.central.fake_locker import WALL_MS
from tests.sync.central.test_cases import PHONE, announce, authorise
from tests.sync.central.test_notify import BIRTH, DOOR, SCAN, STAY, TYPED, Gateway, arrive, loaded, states

# Apprise loads all its services at once, and one of them is old-fashioned.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
DAY_MS = 86_400_000
AWAKE = Messages(0, 0)


class Texts(Gateway):
    """Takes what the library sends: the finished text, to a number in the address."""

    def apprise(self) -> str:
        return f"json://{self.url.removeprefix('http://')}?:to={{to}}"


@pytest.fixture
async def first() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def second() -> AsyncIterator[Texts]:
    gateway = Texts()
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
def posting() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def until_settled(parts: Parts, notifier: Notifier) -> None:
    for _ in range(30):
        parts.clock.now_ms += await notifier.step()
        if not {state for _, state in states(parts)} & {"due", "held"}:
            return


async def test_what_the_first_channel_does_not_take_goes_by_the_second(
    parts: Parts,
    first: Gateway,
    second: Texts,
    posting: ThreadPoolExecutor,
    client: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    first.answers = [503] * 20
    second.answers = [500]
    channels = (Channel("spare", "apprise", second.apprise()),)
    ways = SmsSettings(first.url, 480, channels, AWAKE, "https://hub.example")
    notifier = Notifier(parts.store, parts.desk, client, ways, posting)
    loaded(parts)
    parts.store.write_now(
        lambda c: c.execute(
            SITE.insert().values(locker="hall-1", name="一号柜", address="东门", latitude=1.0, longitude=1.0)
        )
    )
    arrive(parts)
    await until_settled(parts, notifier)
    assert states(parts) == [("pickup_code", "sent")]
    tried = sorted(parts.rows(ATTEMPT), key=lambda row: row.number)
    assert [row.channel for row in tried] == ["sms"] * TRIES + ["spare"] * 2
    assert [row.outcome for row in tried] == ["status 503"] * TRIES + ["not taken", ""]
    (_, text) = second.taken
    assert "700 1234 5678" in text["message"]
    assert "一号柜" in text["message"]
    assert "https://hub.example/p/i" in text["message"]
    assert first.taken[0]["variables"]["address"] == "东门"
    kept = json.dumps([list(row) for row in parts.rows(ATTEMPT)])
    told = caplog.text + kept
    assert [secret for secret in (TYPED, "1234 5678", SCAN, PHONE) if secret in told] == []


async def test_a_channel_that_hangs_is_given_up(
    parts: Parts, posting: ThreadPoolExecutor, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"json://127.0.0.1:{server.sockets[0].getsockname()[1]}/?:to={{to}}"
    monkeypatch.setattr("sync.central.messages.carriers.LIBRARY_TIMEOUT_S", 0.2)
    ways = SmsSettings(channels=(Channel("slow", "apprise", url),), messages=AWAKE)
    notifier = Notifier(parts.store, parts.desk, client, ways, posting)
    loaded(parts)
    arrive(parts)
    await notifier.step()
    assert [(row.channel, row.outcome) for row in parts.rows(ATTEMPT)] == [("slow", "no answer in time")]
    released.set()
    server.close()


async def test_an_address_that_the_library_does_not_know_is_refused_at_once(
    posting: ThreadPoolExecutor, client: httpx.AsyncClient
) -> None:
    channel = Channel("odd", "apprise", "nosuch://{to}")
    with pytest.raises(UnusableChannel, match="odd"):
        carrier_of(channel, client, posting)
    with pytest.raises(UnusableChannel, match="threads"):
        carrier_of(Channel("odd", "apprise", "json://localhost/?:to={to}"), client, None)


async def test_a_message_that_no_channel_may_carry_is_a_clerks_matter(
    parts: Parts, first: Gateway, client: httpx.AsyncClient
) -> None:
    ways = SmsSettings(channels=(Channel("codes", url=first.url, templates=("receipt",)),), messages=AWAKE)
    notifier = Notifier(parts.store, parts.desk, client, ways)
    loaded(parts)
    arrive(parts)
    await notifier.step()
    assert (first.taken, states(parts)) == ([], [("pickup_code", "clerk")])


async def test_at_night_only_what_was_just_asked_for_goes_out(
    parts: Parts, first: Gateway, client: httpx.AsyncClient
) -> None:
    """It is 22:13."""
    notifier = Notifier(parts.store, parts.desk, client, SmsSettings(first.url))
    say(parts, "item_posted", urgent=False)
    say(parts, "case_decided", urgent=True)
    await notifier.step()
    assert [message["template"] for message in first.taken] == ["case_decided"]
    (waiting,) = [row for row in parts.rows(t.NOTICE) if row.state == "due"]
    assert (waiting.next_ms + 8 * 3_600_000) % DAY_MS == 7 * 3_600_000
    parts.clock.now_ms = waiting.next_ms
    await notifier.step()
    assert [message["template"] for message in first.taken] == ["case_decided", "item_posted"]


async def test_a_message_is_in_the_language_that_somebody_wants(
    parts: Parts, first: Gateway, client: httpx.AsyncClient
) -> None:
    notifier = Notifier(parts.store, parts.desk, client, SmsSettings(first.url, messages=AWAKE))
    say(parts, "case_decided", language="en")
    say(parts, "case_decided", language="zh")
    await notifier.step()
    told = {message["language"]: message["variables"]["decision"] for message in first.taken}
    assert told == {"en": "accepted", "zh": "已受理"}


async def test_an_idle_hub_does_not_even_read(
    parts: Parts, first: Gateway, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = Notifier(parts.store, parts.desk, client, SmsSettings(first.url, messages=AWAKE))
    reads: list[int] = []
    honest = notifier._look

    async def look() -> int:
        reads.append(parts.clock.now_ms)
        return await honest()

    monkeypatch.setattr(notifier, "_look", look)
    gate = StoppingClock(parts.clock, 10)
    object.__setattr__(parts.desk, "clock", gate)
    with pytest.raises(StoppedError):
        await notifier.run()
    assert len(reads) == 1
    gate.left = 3
    say(parts, "case_decided")
    with pytest.raises(StoppedError):
        await notifier.run()
    assert [message["template"] for message in first.taken] == ["case_decided"]


class StoppedError(Exception):
    """So many waits are over."""


class StoppingClock(HandClock):
    def __init__(self, before: HandClock, left: int) -> None:
        super().__init__(before.now_ms)
        self.left = left

    async def wait(self, event: asyncio.Event, timeout_ms: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoppedError
        assert timeout_ms <= IDLE_MS
        await super().wait(event, timeout_ms)


def say(parts: Parts, template: str, *, urgent: bool = False, language: str = "zh", once: str = "") -> None:
    contact = parts.desk.sealed({"phone": PHONE, "language": language})
    variables = {
        "decision": "accepted",
        "reason": "",
        "item": "x",
        "service_item": "x",
        "carrier": "y",
        "tracking": "z",
    }
    parts.store.write_now(
        lambda c: messages.say(
            c,
            parts.desk,
            template=template,
            case="GS-1",
            subject="a",
            contact_sealed=contact,
            variables=variables,
            locker="hall-1",
            urgent=urgent,
            once=once,
        )
    )


def test_the_same_thing_is_said_once_and_to_nobody_by_a_clerk(parts: Parts) -> None:
    for _ in range(2):
        say(parts, "case_decided", once="a")
    parts.store.write_now(
        lambda c: messages.say(
            c, parts.desk, template="case_decided", case="GS-1", subject="a", contact_sealed=""
        )
    )
    assert sorted(states(parts)) == [("case_decided", "clerk"), ("case_decided", "due")]


# --- what time makes of them --------------------------------------------------------------------------------


async def test_who_does_not_collect_is_reminded_three_days_and_one_before_and_at_the_end(
    parts: Parts,
) -> None:
    loaded(parts)
    arrive(parts)
    said = []
    for half in range(17):
        parts.clock.now_ms = WALL_MS + half * DAY_MS // 2 + 60_000
        for _ in range(2):
            await keep.look(parts.store, parts.desk)
        said.append(sum(template.startswith("pickup_") for template, _ in states(parts)) - 1)
    assert [half / 2 for half in range(1, 17) if said[half] > said[half - 1]] == [4.0, 6.0, 7.0]
    assert sorted(template for template, _ in states(parts)) == [
        "pickup_code",
        "pickup_overdue",
        "pickup_reminder",
        "pickup_reminder",
    ]


async def test_a_receipt_without_a_time_is_corrected_when_the_clock_was_good_again(parts: Parts) -> None:
    name = AuthorisationId(authorise(parts))
    parts.locker.quality = "unset"
    parts.locker.add(
        BIRTH,
        CompartmentReserved(STAY, DOOR, Kind.SUBMISSION, CaseNumber("GS-1"), name, ItemId("")),
        SubmissionDeposited(STAY, DOOR, Presence.PRESENT, 2),
        ReceiptIssued(STAY, "R-1", "{}", "k", "s"),
    )
    arrive(parts)
    assert await keep.look(parts.store, parts.desk) == 0
    assert len(parts.rows(UNSURE_RECEIPT)) == 1
    parts.locker.quality = "ntp"
    parts.locker.add(BIRTH, wall_ms=WALL_MS + 5_000)
    first = parts.locker.head
    parts.ingest(first, first)
    assert await keep.look(parts.store, parts.desk) == 1
    assert parts.rows(UNSURE_RECEIPT) == []
    (corrected,) = [row for row in parts.rows(t.NOTICE) if row.template == "receipt_corrected"]
    own, near = (json.loads(entry.public) for entry in parts.locker.entries[3:5])
    expected = near["time"] - (near["mono"] - own["mono"])
    assert json.loads(corrected.variables)["time_ms"] == expected
    assert [row.kind for row in parts.rows(t.DESK_FACT)][-1] == "receipt_corrected"


def test_a_person_is_asked_for_in_their_language_by_whoever_announces(parts: Parts) -> None:
    item = announce(parts)
    (row,) = [row for row in parts.rows(t.OUTGOING_ITEM) if row.item == item]
    assert parts.desk.opened(row.sealed)["language"] == "zh"
