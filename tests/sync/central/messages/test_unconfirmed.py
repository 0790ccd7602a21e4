"""Two minutes without the locker's word: the applicant is told what is good meanwhile, once and not later."""

from dataclasses import replace

import httpx

from locker.domain.events import EpochStarted
from locker.domain.ids import Epoch, LockerId
from sync.central import cases
from sync.central import tables as t
from sync.central.messages import unconfirmed
from sync.central.messages.settings import Messages
from sync.central.notify import Notifier, SmsSettings
from tests.sync.central.conftest import Parts
from tests.sync.central.test_cases import PASSED, authorise, said
from tests.sync.central.test_notify import Gateway, arrive, states

TOLD = "drop_off_unconfirmed"


async def waited(parts: Parts, for_ms: int) -> int:
    parts.clock.now_ms += for_ms
    return await unconfirmed.look(parts.store, parts.desk)


def confirm(parts: Parts) -> None:
    granted = next(entry for entry in said(parts) if entry is not None)
    parts.locker.add(EpochStarted(Epoch("e"), LockerId("hall-1")), granted)
    arrive(parts)


async def test_after_two_minutes_the_applicant_is_told_once_to_scan(parts: Parts) -> None:
    authorisation = authorise(parts)
    assert await waited(parts, unconfirmed.PROMISED_MS - 1) == 0
    assert await waited(parts, 1) == 1
    (notice,) = parts.rows(t.NOTICE)
    assert (notice.template, notice.state, notice.urgent) == (TOLD, "due", True)
    assert notice.subject == f"{authorisation}/unconfirmed"
    assert await waited(parts, unconfirmed.EVERY_MS) == 0
    confirm(parts)
    assert [template for template, _ in states(parts)].count("drop_off_code") == 1


async def test_what_is_confirmed_in_time_ended_or_long_ago_is_not_told(parts: Parts) -> None:
    authorise(parts)
    confirm(parts)
    assert await waited(parts, unconfirmed.PROMISED_MS) == 0
    ended = authorise(parts)
    where = t.AUTHORISATION.c.authorisation == ended
    parts.store.write_now(lambda c: c.execute(t.AUTHORISATION.update().where(where).values(ended="revoked")))
    authorise(parts)
    assert await waited(parts, unconfirmed.LATE_MS) == 0


async def test_a_confirmation_that_comes_before_it_goes_takes_it_back(parts: Parts) -> None:
    gateway = Gateway()
    await gateway.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        ways = SmsSettings(gateway.url, 480, (), Messages(0, 0), "https://hub.example")
        notifier = Notifier(parts.store, parts.desk, client, ways)
        authorise(parts, PASSED)
        await waited(parts, unconfirmed.PROMISED_MS)
        confirm(parts)
        await notifier.step()
        assert dict(states(parts))[TOLD] == "superseded"
        english = cases.Person("Ann Lee", "13900001111", "en")
        authorise(parts, replace(PASSED, case="GS-2", applicant=english))
        await waited(parts, unconfirmed.PROMISED_MS)
        await notifier.step()
    await gateway.stop()
    (sent,) = [each for each in gateway.taken if each["template"] == TOLD]
    assert sent["to"] == "13900001111"
    assert sent["variables"]["link"].startswith("https://hub.example/p/")
    assert not {"typed", "scan"} & sent["variables"].keys()
