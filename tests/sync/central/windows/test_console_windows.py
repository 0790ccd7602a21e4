"""The register's page and API, as an administrator and others use them."""

import re
from itertools import product

from sync.central.access.actor import Role
from sync.central.console import texts
from sync.central.windows.tables import PLACE, PLACE_ACCOUNT, STAFF_ACCOUNT
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import lived


async def test_an_administrator_keeps_it_and_others_look(parts: Parts) -> None:
    lived(parts)
    people.add(parts, "boss", [Role.ADMINISTRATOR])
    people.add(parts, "clerk", [Role.WINDOW_CLERK], ["north"])
    app = people.whole(parts, people.entrance(parts))
    async with people.browser(app) as boss, people.browser(app) as clerk:
        await people.sign_in(boss, "boss")
        await people.sign_in(clerk, "clerk")
        page = (await boss.get("/console/places")).text
        key = re.findall(r'name="form_key" value="([^"]*)"', page)[0]

        async def send(to: str, **fields: str) -> int:
            answer = await boss.post(f"/console/places{to}", data={"form_key": key, **fields})
            return answer.status_code

        assert await send("", kind="window", area="north", name="9 号窗口") == 200
        assert await send("", kind="window", area="north", name="9 号窗口") == 409
        assert await send("", kind="locker", area="north", name="x") == 422
        place = next(row.place for row in parts.rows(PLACE) if row.name == "9 号窗口")
        assert await send(f"/{place}/accounts", account="clerk") == 200
        assert await send(f"/{place}/accounts", account="nobody") == 422
        assert await send("/helpers/account", staff="h-1", account="clerk") == 200
        assert [tuple(row) for row in parts.rows(PLACE_ACCOUNT)] == [(place, "clerk")]
        assert [tuple(row) for row in parts.rows(STAFF_ACCOUNT)] == [("h-1", "clerk")]
        assert await send(f"/{place}/name", name="10 号窗口") == 200
        told = (await clerk.get("/api/v1/places")).json()
        (mine,) = [each for each in told["places"] if each["mine"]]
        assert (mine["name"], mine["accounts"]) == ("10 号窗口", ["clerk"])
        assert (await clerk.post("/console/places", data={"form_key": "x"})).status_code == 403
        for browser, language in product((boss, clerk), texts.LANGUAGES):
            await browser.get("/console/language", params={"to": language})
            shown = await browser.get("/console/places")
            assert (shown.status_code, "10 号窗口" in shown.text) == (200, True)
        assert await send(f"/{place}/accounts/remove", account="clerk") == 200
        assert await send("/helpers/account", staff="h-1", account="") == 200
        assert await send(f"/{place}/end") == 200
        assert parts.rows(PLACE_ACCOUNT) == parts.rows(STAFF_ACCOUNT) == []
