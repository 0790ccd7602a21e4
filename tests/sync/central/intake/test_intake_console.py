"""The pages of the hall: lists, what is owed, its notice, the case; in both languages."""

import re

import httpx
import pytest

from locker.domain.deposit import Proof
from locker.domain.events import ItemRefused, ItemWithdrawn
from locker.domain.ids import DepositId, StaffId
from sync.central import tables as t
from sync.central.access.actor import Role
from sync.central.console import texts
from sync.central.intake.stages import Standing, State, Verdict
from sync.central.intake.tables import OWED, STANDING
from sync.central.onward.tables import ONWARD
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.onward.test_onward import STAY, loaded
from tests.sync.central.test_cases import announce, authorise
from tests.sync.central.test_console import browser, sign_in  # noqa: F401  # a fixture
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

SUPPLEMENT = {
    "papers": "章程：缺第二页\r\n租赁合同",
    "until": "2026-09-30",
    "consequence": "逾期退回。",
    "again": "",
}
DEFERRAL = {
    "papers": "章程",
    "by": "张伟",
    "how": "signed",
    "where": "12 号",
    "until": "2026-09-30",
    "consequence": "撤销受理。",
    "again": "",
}


async def send(browser: httpx.AsyncClient, page: str, path: str, **data: str) -> httpx.Response:  # noqa: F811
    """As the form on ``page`` does."""
    keys = re.findall(r'name="(form_key|once)" value="([^"]*)"', (await browser.get(f"/console{page}")).text)
    return await browser.post(f"/console{path}", data={**dict(keys), **data})


@pytest.fixture
async def clerk(browser: httpx.AsyncClient, parts: Parts) -> httpx.AsyncClient:  # noqa: F811
    authorise(parts)
    await sign_in(browser)
    return browser


async def asked(clerk: httpx.AsyncClient, parts: Parts) -> str:
    page = "/cases/GS-1/supplement"
    await send(clerk, page, page, **SUPPLEMENT)
    (row,) = parts.rows(OWED)
    return f"/owed/{row.owed}"


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_every_page_shows_in_both_languages(
    clerk: httpx.AsyncClient, parts: Parts, language: str
) -> None:
    owed, item = await asked(clerk, parts), announce(parts)
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    await clerk.get("/console/language", params={"to": language, "next": "/console"})
    for path in (
        "/awaiting",
        "/supplements",
        "/supplements?state=returned&text=x&locker=hall-1",
        "/deferrals",
        "/outgoing",
        "/outgoing?state=overdue",
        owed,
        f"{owed}/notice",
        "/cases/GS-1",
        "/cases/GS-1/supplement",
        "/cases/GS-1/deferral",
        f"/items/{item}/onward",
    ):
        answer = await clerk.get(f"/console{path}")
        assert answer.status_code == 200, path
        assert "<script>" not in answer.text
        assert "style=" not in answer.text
    words = texts.load()[language].words
    assert all(state in words[f"{kind}_state"] for kind in ("supplement", "deferred") for state in State)
    assert all(state in words["standing"] for state in Standing)
    assert all(verdict in words["verdict"] for verdict in Verdict)


async def test_papers_are_asked_for_checked_and_printed(clerk: httpx.AsyncClient, parts: Parts) -> None:
    owed = await asked(clerk, parts)
    notice = (await clerk.get(f"/console{owed}/notice")).text
    for words in ("补正材料通知书", "缺第二页", "2026-09-30", "逾期退回。", "张*"):
        assert words in notice
    assert "章程、租赁合同" in (await clerk.get("/console/supplements")).text
    answer = await send(clerk, owed, f"{owed}/top-up", locker="hall-1", size="S", valid_hours="72")
    assert "/console/authorisations/" in str(answer.url)
    await send(clerk, owed, f"{owed}/extend", until="2026-10-09", reason="来电")
    answer = await send(clerk, owed, f"{owed}/check", in_order="1")
    assert 'name="in_order" value="1" aria-label="已齐备: 章程" checked disabled' in answer.text
    await send(clerk, owed, f"{owed}/check", in_order="2")
    (row,) = parts.rows(OWED)
    assert row.state == "checked"
    assert "核验齐全" in (await clerk.get("/console/cases/GS-1")).text


async def test_a_form_that_does_not_fit_keeps_what_was_typed(clerk: httpx.AsyncClient, parts: Parts) -> None:
    page = "/cases/GS-1/supplement"
    answer = await send(clerk, page, page, **{**SUPPLEMENT, "until": "soon"})
    assert answer.status_code == 422
    assert "缺第二页" in answer.text
    assert texts.load()["zh"].words["why"]["until"] in answer.text
    assert parts.rows(OWED) == []


async def test_a_commitment_then_acceptance(clerk: httpx.AsyncClient, parts: Parts) -> None:
    case = "/cases/GS-1"
    await send(clerk, case, f"{case}/check", finding="complete", remark="")
    refused = await send(clerk, case, f"{case}/decide", decision="accept", reason="")
    assert refused.status_code == 409
    assert "书面承诺" in refused.text
    await send(clerk, f"{case}/deferral", f"{case}/deferral", **DEFERRAL)
    (row,) = parts.rows(OWED)
    assert "容缺受理补正材料通知书" in (await clerk.get(f"/console/owed/{row.owed}/notice")).text
    await send(clerk, case, f"{case}/decide", decision="accept", reason="")
    (standing,) = parts.rows(STANDING)
    assert standing.standing == "accepted"


async def test_a_trail_shows_evidence_and_what_it_lacks(clerk: httpx.AsyncClient, parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET)
    parts.locker.quality = "unset"
    parts.locker.add(*VISIT)
    parts.ingest()
    parts.store.write_now(lambda c: c.execute(t.LEDGER.delete().where(t.LEDGER.c.seq == 5)))
    parts.store.write_now(lambda c: c.execute(t.STREAM.update().values(mark="hole")))
    page = (await clerk.get("/console/cases/GS-1")).text
    for words in ("门磁所见", "传感器所见", "按柜机计时推算", "缺少柜机账本 1 条记录", "尚不完整"):
        assert words in page, words


async def test_a_refused_item_goes_out_by_post(clerk: httpx.AsyncClient, parts: Parts) -> None:
    item = announce(parts)
    page = f"/items/{item}/onward"
    parts.locker.add(BIRTH, CABINET, *loaded(item), ItemRefused(STAY, "damaged"))
    parts.ingest()
    assert "仍在 hall-1 柜内" in (await clerk.get(f"/console{page}")).text
    await send(clerk, page, page, step="choose_post", remark="")
    parts.locker.add(ItemWithdrawn(DepositId("d1"), StaffId("h"), Proof.SENSED))
    parts.ingest()
    await send(clerk, page, page, step="post", carrier="邮政", tracking="EA123456789CN", remark="")
    (row,) = parts.rows(ONWARD)
    assert (row.state, row.tracking) == ("posted", "EA123456789CN")
    assert "EA123456789CN" in (await clerk.get("/console/cases/GS-1")).text


async def test_who_may_only_look_sees_no_button(browser: httpx.AsyncClient, parts: Parts) -> None:  # noqa: F811
    authorise(parts)
    people.add(parts, "auditor", [Role.AUDITOR])
    await people.sign_in(browser, "auditor")
    page = (await browser.get("/console/cases/GS-1")).text
    assert "没有可办理的事项" in page
    assert "登记核验结果" not in page
