"""Roles that keep the fleet and the house: operator and approvers, auditor, administrator; the month."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from hw_sim.free_port import free_port
from locker.domain import events as ev
from locker.domain.acts import ActKind
from locker.domain.ids import ActId, CompartmentNumber, DepositId, GrantId
from locker.journal import verify_evidence
from sync.central import lockers
from sync.central.access.actor import Role
from sync.central.access.settings import Access
from sync.central.acts.tables import ACT
from sync.central.store import Store
from tests.sync.central.access import people
from tests.sync.central.conftest import HandClock, Parts, new_desk
from tests.sync.central.doors.told import Told
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.roles.hub import SAY, Hub, Person, hub
from tests.sync.central.test_cases import authorise

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
STRICT: Final = Access(second_factor_for=("administrator",))
OWN: Final = "a password of one's own"
REASON: Final = "热线 4711"
LOOKED_AT: Final = (
    ("zh", ""),
    ("en", "/lockers/hall-1"),
    ("zh", "/cases/GS-1"),
    ("en", "/custody"),
    ("zh", "/webhooks"),
    ("en", "/figures"),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, new_hub: Path) -> Iterator[Told]:
    clock, locker = HandClock(), FakeLocker()
    path = Path(shutil.copy(new_hub, tmp_path_factory.mktemp("house")))
    desk, store = new_desk(clock), Store.open(path)
    centre = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    yield Told(Parts(store, desk, clock, locker, centre))
    store.close()


@pytest.fixture(scope="module")
def house(told: Told) -> Iterator[Hub]:
    with hub(told.parts, free_port(), STRICT) as made:
        yield made


async def test_an_operator_blocks_a_door_and_two_others_let_one_open(
    house: Hub, told: Told, browser: Browser
) -> None:
    operator = await house.person(browser, "op", Role.FLEET_OPERATOR)
    await operator.link("hall-1").click()
    await operator.link(f"{SAY('locker.door')} 3").click()
    await _says_why(operator, "locker_page.bar", "柜前积水")
    await operator.sees_word("locker_page.to_be_barred")
    told.hears()
    await operator.page.reload()
    await expect(operator.main).not_to_contain_text(SAY("locker_page.to_be_barred"))
    await operator.sees("柜前积水")
    await operator.link(SAY.word("locker_tab", "cabinet")).click()
    await operator.link(f"{SAY('locker.door')} 4").click()
    await _says_why(operator, "locker_page.ask_open", REASON)
    await operator.sees_word("acts.own")
    for name in ("li", "zhao"):
        approver = await house.person(browser, name, Role.APPROVER)
        await approver.opens("page.acts")
        await approver.sees(REASON)
        await approver.presses("acts.approve")
    await operator.opens("page.acts")
    await operator.sees(SAY.word("act_state", "sent"))
    _is_done(told)
    await operator.page.reload()
    await operator.sees(SAY.word("act_state", "done"))
    await operator.sees("✓ zhao")


def _is_done(told: Told) -> None:
    (row,) = told.parts.rows(ACT)
    act, door, approvers = ActId(row.act), CompartmentNumber(4), ("person:li", "person:zhao")
    told.goes_on(
        ev.ActAccepted(
            act, 1, ActKind.OPEN, door, GrantId("g"), DepositId(""), approvers, row.nonce, 0, REASON
        ),
        ev.ActDone(act, door, DepositId("")),
    )


async def _says_why(person: Person, button: str, reason: str) -> None:
    form = person.main.locator("form").filter(has=person.page.get_by_role("button", name=SAY(button)))
    await form.get_by_label(SAY("locker_page.reason")).fill(reason)
    await form.get_by_role("button").click()


async def test_an_auditor_reads_acts_takes_evidence_along_and_knows_the_rules(
    house: Hub, told: Told, browser: Browser
) -> None:
    authorise(told.parts)
    told.hears()
    auditor = await house.person(browser, "sun", Role.AUDITOR)
    await auditor.opens("page.audit")
    await auditor.types({"audit.object": "sun"})
    await auditor.presses("page.find")
    await auditor.sees(SAY.word("action", "signed_in"))
    await auditor.opens("page.cases")
    await auditor.types({"page.search": "GS-1"})
    await auditor.presses("page.find")
    async with auditor.page.expect_download() as download:
        await auditor.follows("custody.evidence")
    saved = await (await download.value).path()
    assert verify_evidence.check(saved.read_bytes()).wrong == ""
    await auditor.opens("page.access")
    row = auditor.main.get_by_role("row").filter(has_text=SAY.word("action", "approve_remote_open"))
    await expect(row.get_by_text("●")).to_have_count(1)
    await expect(auditor.main.get_by_role("columnheader")).to_have_count(9)


async def test_an_administrator_lets_somebody_in_and_a_program_too(house: Hub, browser: Browser) -> None:
    root = await house.stranger(browser)
    await _begins(root, "root", house)
    await root.opens("page.accounts")
    await root.types({"accounts.account": "wang", "accounts.shown": "王芳", "accounts.areas": "north"})
    await root.ticks(SAY.word("hub_role", "administrator"))
    await root.presses("accounts.add")
    first = await root.main.locator("#secret").inner_text()
    await root.follows("secret.kept")
    await root.sees("王芳")
    hers = await house.stranger(browser)
    await hers.signs_in("wang", first)
    await hers.types({"own_password.new": OWN, "own_password.again": OWN})
    await hers.presses("page.send")
    await hers.takes_up_an_app()
    await expect(hers.page.get_by_role("link", name="王芳")).to_be_visible()
    await root.opens("page.keys")
    await root.types({"keys.name": "city-board", "accounts.areas": "north"})
    await root.ticks(SAY.word("scope", "fleet.read"))
    await root.presses("keys.make")
    key = await root.main.locator("#secret").inner_text()
    async with httpx.AsyncClient(base_url=house.address, headers={"Authorization": f"Bearer {key}"}) as city:
        assert (await city.get("/api/v1/lockers")).status_code == 200
    await root.follows("secret.kept")
    await expect(root.main).not_to_contain_text(key)


async def _begins(root: Person, name: str, house: Hub) -> None:
    """An administrator without an app yet is asked for one at the door."""
    people.add(house.parts, name, {Role.ADMINISTRATOR})
    await root.signs_in(name)
    await root.takes_up_an_app()


async def test_the_month_s_figures_are_a_sheet_of_paper(house: Hub, browser: Browser) -> None:
    operator = await house.person(browser, "reader", Role.FLEET_OPERATOR)
    await operator.opens("page.figures")
    await operator.follows("figures.on_paper")
    await operator.sees_word("month.figure")
    before = operator.main.get_by_role("link").filter(has_text="←")
    month = (await before.inner_text()).removeprefix("← ")
    await before.click()
    await operator.sees(SAY("month.title", month=month))
    await operator.page.emulate_media(media="print")
    await expect(operator.page.get_by_role("navigation")).to_be_hidden()
    await expect(operator.main.get_by_role("table").first).to_be_visible()


async def test_pages_can_be_used_by_everybody(house: Hub, browser: Browser) -> None:
    """As axe sees them: names for what is filled in, headings, contrast."""
    everybody = await house.person(browser, "everybody", *set(Role) - {Role.INTEGRATOR, Role.ADMINISTRATOR})
    found = {}
    for language, path in LOOKED_AT:
        await everybody.page.goto(f"{house.address}/console/language?to={language}&next=/console{path}")
        result = await Axe().run(everybody.page)
        found[path] = [broken["id"] for broken in result.response["violations"]]
    assert found == {path: [] for _, path in LOOKED_AT}
