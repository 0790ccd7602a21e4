"""Who tries is counted by where they sit, also behind a proxy: by one that is named, and by no other."""

from pathlib import Path

import httpx
import pytest

from sync.central import config, hub
from sync.central.access.actor import Role
from sync.central.access.tables import FAILURES
from sync.central.access.throttle import Lane
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

PROXY = "10.1.2.3"


@pytest.mark.parametrize(
    ("proxies", "told", "addresses"),
    [
        ((PROXY,), ["203.0.113.7", "203.0.113.8"], 2),
        (("10.1.2.0/24",), ["203.0.113.7", "203.0.113.7"], 1),
        # What somebody wrote there before the proxy did is not believed.
        ((PROXY,), ["198.51.100.1, 203.0.113.7", "198.51.100.2, 203.0.113.7"], 1),
        (("10.9.9.9",), ["203.0.113.7", "203.0.113.8"], 1),
        ((), ["203.0.113.7", "203.0.113.8"], 1),
    ],
)
async def test_tries_are_counted_by_the_address_that_a_named_proxy_tells(
    parts: Parts, tmp_path: Path, proxies: tuple[str, ...], told: list[str], addresses: int
) -> None:
    people.add(parts, "wang", {Role.AUDITOR})
    pages = people.whole(parts, people.entrance(parts))
    web = config.Web(proxies=proxies)
    served = hub.pages_by(pages, config.Config(tmp_path, config.Hub(), web, config.Broker(), config.Sms()))
    served.load()
    transport = httpx.ASGITransport(served.loaded_app, client=(PROXY, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=people.HUB_URL) as client:
        for address in told:
            client.headers.update({"Origin": people.HUB_URL, "X-Forwarded-For": address})
            await people.sign_in(client, "wang", "wrong")
    lanes = [row.lane for row in parts.rows(FAILURES)]
    assert sum(lane.startswith(Lane.ADDRESS) for lane in lanes) == addresses
