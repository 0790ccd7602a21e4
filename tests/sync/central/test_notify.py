"""Messages: what calls for one, when it may go, what it says, and what happens when nobody takes it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from locker.domain import codes
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.encoding import canonical
from locker.domain.events import (
    AuthorisationGranted,
    AuthorisationRevoked,
    CodeEnded,
    CompartmentReserved,
    EpochStarted,
    ItemLoaded,
    ItemPickedUp,
    PickupCodeMade,
    ReceiptIssued,
    Stopped,
    SubmissionDeposited,
)
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    Epoch,
    ItemId,
    LockerId,
    StaffId,
)
from sync.central import notices
from sync.central import tables as t
from sync.central.messages.settings import Messages
from sync.central.notify import Notifier, SmsSettings
from tests.sync.central.conftest import Parts
from tests.sync.central.test_cases import PHONE, announce, authorise, said
from tests.sync.central.test_hello import meet

DOOR = CompartmentNumber(1)
STAY = DepositId("d1")
BIRTH = EpochStarted(Epoch("e"), LockerId("hall-1"))
TYPED, SCAN = "70012345678", codes.bearer_text(codes.ScanKind.PICKUP, 7)


class Gateway:
    """A small real HTTP server that takes messages, or does not."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/sms"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.taken.append(json.loads(await reader.readexactly(length)))
        status = self.answers.pop(0) if self.answers else 202
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def notifier(parts: Parts, gateway: Gateway) -> AsyncIterator[Notifier]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield Notifier(
            parts.store, parts.desk, client, SmsSettings(gateway.url, 480, messages=Messages(0, 0))
        )


def granted(parts: Parts) -> AuthorisationGranted:
    name = authorise(parts)
    return next(s for s in said(parts) if isinstance(s, AuthorisationGranted) and s.authorisation == name)


def arrive(parts: Parts, *, whole: bool = True) -> None:
    """The locker's entries come in; with its head known."""
    meet(parts, parts.locker.link())
    parts.ingest(1, None if whole else parts.locker.head - 1)
    parts.store.write_now(lambda c: notices.release(c, "hall-1"))


def loaded(parts: Parts) -> str:
    """An item in the locker, with its pickup code made."""
    item = ItemId(announce(parts))
    sealed = parts.seal_for_centre(canonical({"typed": TYPED, "scan": SCAN}))
    parts.locker.add(
        BIRTH,
        CompartmentReserved(STAY, DOOR, Kind.OUTGOING, CaseNumber("GS-1"), AuthorisationId(""), item),
        PickupCodeMade(CodeId("c1"), STAY, "700", "d", "d", sealed),
        ItemLoaded(STAY, item, StaffId("h"), Proof.SENSED, announced=True),
    )
    return item


def states(parts: Parts) -> list[tuple[str, str]]:
    return [(row.template, row.state) for row in parts.rows(t.NOTICE)]


async def test_the_drop_off_code_goes_out_when_the_locker_has_the_grant(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    grant = granted(parts)
    await notifier.step()
    assert gateway.taken == []
    parts.locker.add(BIRTH, grant)
    arrive(parts)
    await notifier.step()
    (message,) = gateway.taken
    variables = message["variables"]
    assert (message["to"], message["template"]) == (PHONE, "drop_off_code")
    assert message["idempotency_key"] == f"hall-1/{parts.locker.epoch}/2/drop_off_code"
    typed = codes.parse_typed(variables["typed"])
    assert typed is not None
    digest = codes.keyed_digest(parts.code_key, "drop_off", typed.locator + typed.secret)
    assert digest == grant.typed_digest
    assert codes.parse_scanned(variables["scan"]) is not None
    assert set(variables) == {"typed", "scan", "locker", "case", "expires"}
    await notifier.step()
    assert len(gateway.taken) == 1


async def test_the_same_grant_told_again_is_no_second_message(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    grant = granted(parts)
    parts.locker.add(BIRTH, grant, grant)
    arrive(parts)
    await notifier.step()
    assert len(gateway.taken) == 1


async def test_the_pickup_code_is_opened_from_its_seal(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    loaded(parts)
    arrive(parts)
    await notifier.step()
    (message,) = gateway.taken
    assert (message["to"], message["template"]) == (PHONE, "pickup_code")
    assert message["variables"] == {
        "typed": TYPED,
        "scan": SCAN,
        "locker": "hall-1",
        "case": "GS-1",
        "item": "营业执照",
    }
    assert [row.state for row in parts.rows(t.OUTGOING_ITEM)] == ["awaiting_pickup"]


@pytest.mark.parametrize("quality", ["ntp", "unset"])
async def test_the_receipt_tells_a_time_only_by_a_good_clock(
    parts: Parts, gateway: Gateway, notifier: Notifier, quality: str
) -> None:
    name = AuthorisationId(authorise(parts))
    parts.locker.quality = quality
    parts.locker.add(
        BIRTH,
        CompartmentReserved(STAY, DOOR, Kind.SUBMISSION, CaseNumber("GS-1"), name, ItemId("")),
        SubmissionDeposited(STAY, DOOR, Presence.PRESENT, 2),
        ReceiptIssued(STAY, "R-1", "{}", "k", "s"),
    )
    arrive(parts)
    await notifier.step()
    (message,) = gateway.taken
    time = "2026-09-21 22:13" if quality == "ntp" else "待确认"
    assert message["variables"] == {"number": "R-1", "case": "GS-1", "time": time, "locker": "hall-1"}


async def test_nothing_goes_out_before_the_stream_has_caught_up(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    loaded(parts)
    parts.locker.add(Stopped("later"))
    arrive(parts, whole=False)
    await notifier.step()
    assert (gateway.taken, states(parts)) == ([], [("pickup_code", "held")])
    arrive(parts)
    await notifier.step()
    assert states(parts) == [("pickup_code", "sent")]


async def test_what_is_over_when_the_stream_has_caught_up_is_not_sent(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    loaded(parts)
    parts.locker.add(ItemPickedUp(STAY, Proof.SENSED), CodeEnded(CodeId("c1"), "collected"))
    arrive(parts)
    await notifier.step()
    assert (gateway.taken, states(parts)) == ([], [("pickup_code", "superseded")])


async def test_a_revoked_right_is_not_announced(parts: Parts, gateway: Gateway, notifier: Notifier) -> None:
    grant = granted(parts)
    parts.locker.add(BIRTH, grant, AuthorisationRevoked(grant.authorisation, "withdrawn"))
    arrive(parts)
    await notifier.step()
    assert (gateway.taken, states(parts)) == ([], [("drop_off_code", "superseded")])


async def test_a_gateway_that_fails_is_tried_again_later_with_the_same_key(
    parts: Parts, gateway: Gateway, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.answers = [503, 500, 400]
    loaded(parts)
    arrive(parts)
    waits = [await notifier.step()]
    while states(parts) != [("pickup_code", "sent")]:
        parts.clock.now_ms += waits[-1]
        waits.append(await notifier.step())
    assert len(gateway.taken) == 4
    assert len({message["idempotency_key"] for message in gateway.taken}) == 1
    assert 1_000 <= waits[0] <= 2_000 < waits[2] <= 8_000
    told = caplog.text
    assert [secret for secret in (TYPED, SCAN, PHONE) if secret in told] == []


async def test_after_a_day_of_failures_a_clerk_must_call(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    gateway.answers = [503] * 3
    loaded(parts)
    arrive(parts)
    await notifier.step()
    parts.clock.now_ms += 24 * 3_600_000
    await notifier.step()
    assert states(parts) == [("pickup_code", "clerk")]


async def test_a_gateway_that_is_not_there_loses_nothing(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    loaded(parts)
    arrive(parts)
    await gateway.stop()
    await notifier.step()
    (notice,) = parts.rows(t.NOTICE)
    assert (notice.state, notice.attempts, notice.detail) == ("due", 1, "ConnectError")


async def test_a_seal_that_does_not_open_is_a_clerks_matter(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    item = ItemId(announce(parts))
    parts.locker.add(
        BIRTH,
        CompartmentReserved(STAY, DOOR, Kind.OUTGOING, CaseNumber("GS-1"), AuthorisationId(""), item),
        PickupCodeMade(CodeId("c1"), STAY, "700", "d", "d", "not a seal"),
    )
    arrive(parts)
    await notifier.step()
    assert (gateway.taken, states(parts)) == ([], [("pickup_code", "clerk")])


async def test_a_code_for_an_item_nobody_announced_is_a_clerks_matter(
    parts: Parts, gateway: Gateway, notifier: Notifier
) -> None:
    parts.locker.add(BIRTH, PickupCodeMade(CodeId("c1"), STAY, "700", "d", "d", "x"))
    arrive(parts)
    await notifier.step()
    assert (gateway.taken, states(parts)) == ([], [("pickup_code", "clerk")])
