"""The hall's roles at their pages, as people use them: window clerk, helper lead, case officer, a caller."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from hw_sim.free_port import free_port
from sync.central import lockers
from sync.central.access.actor import Role
from sync.central.custody.tables import DIFFERENCE
from sync.central.store import Store
from sync.central.tables import STAFF
from tests.sync.central.conftest import HandClock, Parts, new_desk
from tests.sync.central.custody.told import lived, papers, taken
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.roles.hub import NEXT_CODE_MS, SAY, Hub, Person, hub
from tests.sync.central.test_cases import PASSED, authorise

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
WINDOW: Final = "3 号窗口"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, new_hub: Path) -> Iterator[Hub]:
    """Four bags came in; a helper has fetched those behind doors 2 and 3."""
    clock, locker = HandClock(), FakeLocker()
    path = Path(shutil.copy(new_hub, tmp_path_factory.mktemp("hall")))
    desk, store = new_desk(clock), Store.open(path)
    centre = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    parts = Parts(store, desk, clock, locker, centre)
    rights = [authorise(parts, replace(PASSED, case=f"GS-{n}")) for n in range(1, 5)]
    lived(parts, *(fact for n in range(1, 5) for fact in papers(n, rights[n - 1])), taken(2), taken(3))
    with hub(parts, free_port()) as made:
        yield made
    store.close()


async def test_what_a_helper_fetched_is_counter_signed_at_the_window(hall: Hub, browser: Browser) -> None:
    lead = await hall.person(browser, "lead", Role.HELPER_LEAD)
    slip = await _hands_on(lead)
    clerk = await hall.person(browser, "clerk", Role.WINDOW_CLERK, areas=["north"])
    await _takes_a_second_factor(clerk, "clerk")
    await clerk.opens("page.awaiting")
    await clerk.sees("GS-1")
    await expect(clerk.main).not_to_contain_text("GS-2")
    await clerk.opens("page.custody")
    await clerk.types({"custody.find": slip})
    await clerk.page.keyboard.press("Enter")
    await clerk.ticks("GS-2")
    await clerk.types({"custody.missing_note": "袋内没有"})
    await clerk.presses("custody.settle_button")
    await clerk.sees(SAY.word("slip_state", "differs"))
    await clerk.link("GS-2").click()
    await clerk.sees(SAY.word("kind", "handed_over"))
    await _explains(lead)
    await _enrols(lead)


async def _hands_on(lead: Person) -> str:
    """The number of the slip for what h-1 carries."""
    await lead.opens("page.custody")
    await lead.follows("custody.new")
    await lead.chooses("custody.whose", SAY.word("party", "helper"))
    await lead.types({"custody.party": "h-1"})
    await lead.presses("custody.show")
    await expect(lead.main.get_by_role("checkbox", checked=True)).to_have_count(2)
    await lead.main.locator("#to_name").fill(WINDOW)
    await lead.presses("custody.new")
    await lead.sees_word("custody.own")
    return (await lead.main.locator("p.under").first.inner_text()).strip()


async def _takes_a_second_factor(clerk: Person, name: str) -> None:
    await clerk.page.get_by_role("link", name=name.title()).click()
    await clerk.follows("factor.enrol")
    app = await clerk.takes_up_an_app()
    await clerk.signs_out()
    await clerk.signs_in(name)
    await clerk.types({"factor.code": app.code})
    await clerk.presses("page.sign_in")


async def _explains(lead: Person) -> None:
    await lead.opens("page.custody")
    row = lead.main.get_by_role("row").filter(has_text=SAY.word("difference", "missing"))
    await row.get_by_label(SAY("custody.outcome")).select_option(label=SAY.word("outcome", "kept"))
    await row.get_by_label(SAY("custody.said")).fill("在帮办包内")
    await row.get_by_role("button", name=SAY("custody.resolve")).click()
    await lead.sees_word("custody.no_differences")
    assert [row.outcome for row in lead.parts.rows(DIFFERENCE)] == ["kept"]


async def _enrols(lead: Person) -> None:
    await lead.opens("page.staff")
    await lead.follows("page.enrol")
    await lead.types({"form.staff": "h-9", "form.name": "马超", "form.pin": "135790"})
    await expect(lead.main.get_by_role("checkbox", name="hall-1")).to_be_checked()
    await lead.presses("page.send")
    await lead.sees("马超")
    await expect(lead.main.locator("svg.qr")).to_be_visible()
    assert "h-9" in {row.staff for row in lead.parts.rows(STAFF)}


async def test_an_officer_asks_once_for_everything_and_accepts(hall: Hub, browser: Browser) -> None:
    officer = await hall.person(browser, "officer", Role.CASE_OFFICER)
    await officer.opens("page.cases")
    await officer.link("GS-4").click()
    await officer.follows("decide.supplement")
    await officer.field("new_owed.papers").fill("平面图：缺尺寸标注\n健康证明：过期")
    await officer.presses("page.send")
    await officer.sees("缺尺寸标注")
    until = await officer.field("new_owed.until").input_value()
    later = f"{int(until[:4]) + 1}-01-15"
    await officer.field("new_owed.until").fill(later)
    await officer.types({"form.reason": "图审机构放假"})
    await officer.presses("owed.extend_do")
    await officer.sees(SAY.word("supplement_state", "extended"))
    await officer.sees(later)
    for paper in ("平面图", "健康证明"):
        await officer.ticks(f"{SAY('owed.in_order')}: {paper}")
    await officer.presses("owed.check_do")
    await officer.sees(SAY.word("supplement_state", "checked"))
    await officer.link("GS-4").click()
    await officer.ticks("章程")
    await officer.ticks(SAY.word("verdict", "accept"))
    await officer.presses("decide.officer_do")
    await officer.sees(SAY.word("standing", "accepted"))
    await _prints_a_label(officer)


async def _prints_a_label(officer: Person) -> None:
    await officer.opens("page.outgoing")
    await officer.types({"form.case": "GS-4", "form.service_item": "营业执照", "form.recipient": "张伟"})
    await officer.types({"form.phone": "13812345678", "form.results": "营业执照正副本\n公章"})
    await officer.presses("page.send")
    await officer.follows("item.label")
    await officer.page.emulate_media(media="print")
    await expect(officer.main.locator("svg.qr")).to_be_visible()
    await officer.sees("公章")
    await expect(officer.page.get_by_role("navigation")).to_be_hidden()
    await expect(officer.link(SAY("page.back"))).to_be_hidden()


async def test_a_complaint_is_closed_when_its_caller_is_content(hall: Hub, browser: Browser) -> None:
    clerk = await hall.person(browser, "desk", Role.WINDOW_CLERK)
    await clerk.opens("page.complaints")
    await clerk.follows("complaints.new")
    await clerk.types(
        {"form.text": "扫码后 7 号门没有弹开", "form.applicant": "张伟", "form.call_back": "13812345678"}
    )
    await clerk.presses("complaints.register")
    lead = await hall.person(browser, "caller", Role.HELPER_LEAD)
    await lead.opens("page.complaints")
    await lead.main.get_by_role("link").filter(has_text=SAY.word("category", "code")).click()
    await _moves(lead, "assign")
    await lead.sees(SAY.word("complaint_state", "assigned"))
    await lead.main.get_by_label(SAY.word("move_hint", "resolve")).fill("更换门锁弹簧")
    await _moves(lead, "resolve")
    await lead.sees(SAY.word("complaint_state", "resolved"))
    await lead.follows("complaints.show_number")
    await lead.sees("13812345678")
    await _moves(lead, "miss")
    await lead.sees(SAY("complaints.calls", days=1))
    hall.parts.clock.now_ms += NEXT_CODE_MS
    await _moves(lead, "satisfy")
    await lead.sees(SAY.word("complaint_state", "satisfied"))
    await expect(lead.main).not_to_contain_text("13812345678")


async def _moves(lead: Person, move: str) -> None:
    await lead.main.get_by_role("button", name=SAY.word("move_now", move), exact=True).click()
