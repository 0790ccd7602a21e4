"""Certificates on their page: seen by whose they are, a claim made once, a stolen locker's ended."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection

from sync.central.access.actor import Role
from sync.central.access.tables import AUDIT
from sync.central.authority import register
from sync.central.authority.issuing import DAY_MS, LIFE_DAYS, Purpose, issue
from sync.central.authority.root import REVOKED, THROWN_OUT
from sync.central.authority.tables import CLAIM
from sync.certificates import new_key, read_request, request_for
from sync.wire import provision
from tests.sync.central.access import people
from tests.sync.central.authority.offices import Centre, Machine
from tests.sync.central.conftest import Parts

PAGE = "/console/certificates"


@pytest.fixture
async def client(parts: Parts, centre: Centre) -> AsyncIterator[httpx.AsyncClient]:
    people.add(parts, "fleet", [Role.FLEET_OPERATOR], ["park", "north"])
    people.add(parts, "other", [Role.FLEET_OPERATOR], ["south"])
    people.add(parts, "audit", [Role.AUDITOR])
    app = people.whole(parts, people.entrance(parts), authority=centre.bureau)
    async with people.browser(app) as client:
        yield client


async def sent(client: httpx.AsyncClient, path: str, **values: str) -> httpx.Response:
    page = (await client.get(PAGE)).text
    form_key = page.split('name="form_key" value="')[1].split('"')[0]
    return await client.post(f"{PAGE}/{path}", data={"form_key": form_key, **values})


async def test_a_claim_made_there_lets_its_locker_in(
    parts: Parts, centre: Centre, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await people.sign_in(client, "fleet")
    wrong = await sent(client, "claims", locker="Hall 7", area="park", hours="9000")
    assert wrong.status_code == 422
    made = await sent(client, "claims", locker="hall-7", area="park", hours="5")
    (typed,) = set(re.findall(r"--code ([0-9A-Z-]{49})", made.text))
    secret, pin = provision.read_code(typed)
    assert pin not in (await client.get(PAGE)).text, "shown once"
    assert "hall-7" in (await client.get(PAGE)).text
    claim = provision.Claim("hall-7", centre.bureau.hub, secret, centre.trust()[0])
    Machine(tmp_path / "hall-7").ask(centre, claim)
    page = (await client.get(f"{PAGE}?state=good&q=hall")).text
    assert "/console/lockers/hall-7" in page
    assert "hall-7" not in (await client.get(f"{PAGE}?state=over")).text.partition("<tbody>")[2]
    told = [(row.actor, row.action) for row in parts.rows(AUDIT) if row.object == "hall-7"]
    assert told == [("person:fleet", "claim_made"), ("locker:hall-7", "claim_taken")]


async def test_what_is_anothers_is_not_there_and_its_name_not_free(
    parts: Parts, centre: Centre, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    Machine(tmp_path / "loc-1").ask(centre, centre.claim())
    centre.claim("loc-2")
    await people.sign_in(client, "other")
    page = (await client.get(PAGE)).text
    assert "loc-1" not in page
    assert "loc-2" not in page
    for name in ("loc-1", "loc-2", "hall-1"):
        assert (await sent(client, "claims", locker=name, area="south", hours="5")).status_code == 409
    assert (await sent(client, "claims", locker="new", area="park", hours="5")).status_code == 404
    assert (await sent(client, "revoked", locker="loc-1", why="mine")).status_code == 404
    assert len(centre.certificates()) == 1
    assert [row.locker for row in parts.rows(CLAIM) if row.ends_ms > parts.clock.now_ms] == ["loc-1", "loc-2"]


@pytest.mark.parametrize("locked", [False, True])
async def test_a_stolen_lockers_certificates_end_there(
    parts: Parts, centre: Centre, client: httpx.AsyncClient, tmp_path: Path, *, locked: bool
) -> None:
    Machine(tmp_path / "loc-1").ask(centre, centre.claim())
    folder = centre.bureau.place.folder
    if locked:
        (folder / "root.key").rename(folder / "elsewhere")
    await people.sign_in(client, "fleet")
    assert (await sent(client, "revoked", locker="loc-1", why="")).status_code == 422
    done = await sent(client, "revoked", locker="loc-1", why="stolen")
    assert centre.certificates() == []
    assert (folder / THROWN_OUT).read_text() == "loc-1\n"
    assert (folder / REVOKED).exists() is not locked
    assert ("authority sign" in done.text) is locked
    assert "loc-1" in (await client.get(f"{PAGE}?state=revoked")).text
    assert [row.actor for row in parts.rows(AUDIT) if row.action == "certificate_revoked"] == ["person:fleet"]
    assert (await sent(client, "revoked", locker="loc-1", why="again")).status_code == 404


async def test_what_ends_first_stands_first_and_who_only_looks_has_no_forms(
    parts: Parts, centre: Centre, client: httpx.AsyncClient
) -> None:
    now_ms = parts.clock.wall_ms()
    authority = centre.bureau.place.open()

    def work(c: Connection) -> None:
        for name, ago, purpose in (("hall-1", 0, Purpose.LOCKER), ("broker", LIFE_DAYS - 30, Purpose.SERVER)):
            asked = read_request(request_for(new_key(), name))
            pem = issue(authority, asked, purpose, now_ms - ago * DAY_MS, hosts=["b"])
            register.keep(c, pem, purpose, now_ms)

    parts.store.write_now(work)
    await people.sign_in(client, "audit")
    rows = (await client.get(PAGE)).text.partition("<tbody>")[2]
    assert 0 < rows.index("broker") < rows.index("hall-1")
    assert "<form" not in rows


async def test_without_an_authority_the_page_says_how_to_make_one(parts: Parts) -> None:
    people.add(parts, "fleet", [Role.FLEET_OPERATOR])
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        await people.sign_in(client, "fleet")
        page = (await client.get(PAGE)).text
    assert "authority init" in page
    assert "certificates/claims" not in page


async def test_a_name_is_given_to_another_controller_by_two(
    parts: Parts, centre: Centre, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    Machine(tmp_path / "loc-1").ask(centre, centre.claim())
    people.add(parts, "second", [Role.FLEET_OPERATOR], ["park"])
    await people.sign_in(client, "fleet")
    assert (await sent(client, "releases", locker="loc-1", why="")).status_code == 422
    asked = await sent(client, "releases", locker="loc-1", why="burnt")
    assert 'name="release"' not in asked.text  # not oneself
    await people.sign_in(client, "second")
    page = (await client.get(PAGE)).text
    assert "burnt" in page
    release = page.split('name="release" value="')[1].split('"')[0]
    done = await sent(client, "released", release=release)
    assert "burnt" not in done.text
    assert centre.certificates() == []
    assert (centre.bureau.place.folder / THROWN_OUT).read_text() == "loc-1\n"
    # The next machine comes in by an ordinary claim, and knows that it is not the first one's journal.
    Machine(tmp_path / "new").ask(centre, centre.claim())
    assert len(centre.certificates()) == 1
    assert (await sent(client, "released", release=release)).status_code == 409
