"""Sign-in by the city's own identity, at a provider that speaks real HTTP."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey

from sync.central.access import front
from sync.central.access.settings import Identity
from sync.central.access.tables import ACCOUNT, AUDIT, ELSEWHERE
from tests.sync.central.access import people
from tests.sync.central.access.provider import CLIENT, SECRET, Provider, serving
from tests.sync.central.conftest import Parts

RULES = ("hall clerks = window_clerk @ north", "fleet = fleet_operator, auditor @ *")


@pytest.fixture
def provider(parts: Parts) -> Iterator[Provider]:
    claims = {"sub": "4711", "name": "李娜", "groups": ["staff", "hall clerks", "fleet"]}
    provider = Provider(claims, parts.clock.wall_ms() // 1000)
    with serving(provider):
        yield provider


@pytest.fixture
async def browser(parts: Parts, provider: Provider) -> AsyncIterator[httpx.AsyncClient]:
    identity = Identity(
        issuer=provider.issuer, client=CLIENT, secret=SECRET, rules=RULES, called="市统一认证"
    )
    async with httpx.AsyncClient(trust_env=False) as outside:
        means = front.Means(parts.store, parts.desk, people.HASHING, outside)
        entrance = front.build(means, people.EASY, people.WEAK, (), people.HUB_URL, identity)
        async with people.browser(people.whole(parts, entrance), follow=False) as browser:
            yield browser


async def signed_in(browser: httpx.AsyncClient, onward: str = "/console/cases") -> httpx.Response:
    """Away to the provider, and what the hub says to who comes back."""
    away = await browser.get("/console/login/identity", params={"next": onward})
    assert away.status_code == 303
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        there = await elsewhere.get(away.headers["location"])
    return await browser.get(there.headers["location"])


async def test_rights_are_those_of_the_first_rule_that_fits(parts: Parts, browser: httpx.AsyncClient) -> None:
    assert "市统一认证" in (await browser.get("/console/login")).text
    answer = await signed_in(browser)
    assert answer.status_code == 200
    assert 'content="0; url=/console/cases"' in answer.text
    assert (await browser.get("/console/cases")).status_code == 200
    (row,) = parts.rows(ACCOUNT)
    assert (row.shown, row.roles, row.areas, row.password) == ("李娜", '["window_clerk"]', '["north"]', "")
    assert [act.action for act in parts.rows(AUDIT)][:1] == ["signed_in"]
    assert parts.rows(ELSEWHERE) == []


async def test_rights_follow_what_the_provider_says_today(
    parts: Parts, provider: Provider, browser: httpx.AsyncClient
) -> None:
    await signed_in(browser)
    provider.claims["groups"] = "fleet"
    await signed_in(browser)
    (row,) = parts.rows(ACCOUNT)
    assert (row.roles, row.areas) == ('["auditor","fleet_operator"]', '["*"]')
    provider.claims["groups"] = ["staff"]
    assert (await signed_in(browser)).status_code == 403


async def test_an_account_that_was_ended_here_stays_so(parts: Parts, browser: httpx.AsyncClient) -> None:
    await signed_in(browser)
    parts.store.write_now(lambda c: c.execute(ACCOUNT.update().values(ended_ms=1)))
    assert (await signed_in(browser)).status_code == 403


def _claim(name: str, value: Any) -> Callable[[Provider], None]:
    def lie(provider: Provider) -> None:
        provider.claims[name] = value(provider) if callable(value) else value

    return lie


def _strange_key(provider: Provider) -> None:
    provider.told = ECKey.generate_key("P-256", {"kid": "1"})


@pytest.mark.parametrize(
    "lie",
    [
        _claim("iss", "http://127.0.0.1:1"),
        _claim("aud", "another"),
        _claim("azp", "another"),
        _claim("nonce", "of another sign-in"),
        _claim("exp", lambda provider: provider.now_s - 61),
        _claim("iat", lambda provider: provider.now_s + 3600),
        _claim("sub", None),
        _strange_key,
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    parts: Parts, provider: Provider, browser: httpx.AsyncClient, lie: Callable[[Provider], None]
) -> None:
    lie(provider)
    assert (await signed_in(browser)).status_code == 403
    assert parts.rows(ACCOUNT) == []


async def test_a_key_that_is_new_there_is_asked_for(
    parts: Parts, provider: Provider, browser: httpx.AsyncClient
) -> None:
    await signed_in(browser)
    provider.key = ECKey.generate_key("P-256", {"kid": "1"})
    assert (await signed_in(browser)).status_code == 200
    assert len(parts.rows(ACCOUNT)) == 1


async def test_who_did_not_leave_from_this_browser_does_not_come_back_to_it(
    parts: Parts, browser: httpx.AsyncClient
) -> None:
    away = await browser.get("/console/login/identity")
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        there = (await elsewhere.get(away.headers["location"])).headers["location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    back = "/console/login/identity/back"
    cookies = dict(browser.cookies)
    browser.cookies.clear()
    assert (await browser.get(back, params=asked)).status_code == 403
    for name, value in cookies.items():
        browser.cookies.set(name, value)
    assert (await browser.get(back, params={**asked, "state": "x"})).status_code == 403
    assert (await browser.get(back, params=asked)).status_code == 403  # once tried, it is spent
    assert parts.rows(ACCOUNT) == []


async def test_a_provider_that_is_silent_or_calls_itself_otherwise_is_told(
    provider: Provider, browser: httpx.AsyncClient
) -> None:
    right, provider.issuer = provider.issuer, "http://127.0.0.1:1"
    assert (await browser.get("/console/login/identity")).status_code == 502
    provider.issuer = right
    assert (await browser.get("/console/login/identity")).status_code == 303


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"issuer": "http://city.example"}, "issuer"),
        ({"client": ""}, "client"),
        ({"rules": ()}, "rules"),
        ({"rules": ("a = king @ *",)}, "rules"),
        ({"rules": ("a = integrator @ *",)}, "rules"),
        ({"rules": ("a = auditor",)}, "rules"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changed: dict[str, Any], key: str) -> None:
    good: dict[str, Any] = {"issuer": "https://city.example", "client": "hub", "rules": RULES}
    assert list(Identity(**good).problems()) == []
    assert [name for name, _ in Identity(**{**good, **changed}).problems()] == [key]
