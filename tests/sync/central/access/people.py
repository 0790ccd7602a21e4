"""People and programs for the tests of who may do what; a front with weak hashing, which is a setting."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pyotp
from starlette.applications import Starlette

from sync.central import rooms
from sync.central.access import accounts, front, keys
from sync.central.access.accounts import Account
from sync.central.access.actor import EVERY_AREA, HUB, Role, Scope
from sync.central.access.passwords import Hashing, Passwords
from sync.central.access.settings import Access
from sync.central.acts.sending import Acts
from sync.central.authority.settings import Bureau
from sync.central.desks import Desks
from sync.central.fleet.watch import Watch
from sync.central.office import Office
from sync.central.platform import Chance
from sync.central.pump import Pump
from tests.sync.central.conftest import Parts

HUB_URL = "http://hub"
CONFIGURED_KEY = "k" * 32
PASSWORD = "correct horse battery"
WEAK = Hashing(memory_kib=8, passes=1)
"""A sign-in in a millisecond."""
EASY = Access(second_factor_for=())
HASHING = ThreadPoolExecutor(1)
PASSWORDS = Passwords(WEAK, Chance().random_bytes)
KEPT = PASSWORDS.hash(PASSWORD)


def entrance(
    parts: Parts, settings: Access = EASY, keys: tuple[str, ...] = (CONFIGURED_KEY,), url: str = HUB_URL
) -> front.Front:
    means = front.Means(parts.store, parts.desk, HASHING)
    return front.build(means, settings, WEAK, keys, url)


def office_of(parts: Parts) -> Office:
    return Office(parts.store, parts.desk, Pump(parts.store, parts.desk, lambda *_: None))


def whole(
    parts: Parts, entered: front.Front, acts: Acts | None = None, authority: Bureau | None = None
) -> Starlette:
    """API and console, as the hub serves them."""
    desks = Desks(
        office_of(parts),
        acts or Acts(parts.store, parts.desk, lambda *_: None),
        entered,
        front.Means(parts.store, parts.desk, HASHING),
        Watch(parts.store, parts.clock),
        lambda: (True, {}),
        authority=authority,
    )
    return rooms.application(desks, HUB_URL, 480)


def browser(app: Starlette, *, follow: bool = True) -> httpx.AsyncClient:
    """One that tells where it is, as browsers do."""
    transport = httpx.ASGITransport(app)
    headers = {"Origin": HUB_URL}
    return httpx.AsyncClient(transport=transport, base_url=HUB_URL, follow_redirects=follow, headers=headers)


def add(
    parts: Parts,
    name: str,
    roles: Iterable[Role],
    areas: Iterable[str] = (EVERY_AREA,),
    *,
    first: bool = False,
) -> Account:
    new = Account(name, name.title(), frozenset(roles), frozenset(areas))
    now_ms = parts.clock.wall_ms()
    parts.store.write_now(lambda c: accounts.add(c, now_ms, HUB, new, KEPT, first=first))
    return new


def key(parts: Parts, name: str, scopes: Iterable[Scope], areas: Iterable[str] = (EVERY_AREA,)) -> str:
    new = keys.NewKey(name, frozenset(scopes), frozenset(areas), 30)
    return parts.store.write_now(lambda c: keys.make(c, parts.desk, HUB, new))


async def sign_in(
    client: httpx.AsyncClient, name: str, password: str = PASSWORD, onward: str = "/console"
) -> httpx.Response:
    return await client.post("/console/login", data={"name": name, "password": password, "next": onward})


@dataclass
class App:
    """Somebody's authenticator."""

    parts: Parts
    secret: str

    @property
    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.parts.clock.wall_ms() // 1000)
