"""Signing in: step by step, slowly for guessers, never out of reach for the honest."""

import re
from collections.abc import AsyncIterator
from unicodedata import normalize

import httpx
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from starlette.applications import Starlette

from sync.central.access import accounts, audit, factor, front, sessions
from sync.central.access.actor import HUB, Role
from sync.central.access.passwords import Hashing, Passwords, WeakPassword, require_strong
from sync.central.access.sessions import Stage
from sync.central.access.settings import Access
from sync.central.access.sign_in import Client, SignIn, WrongSignIn
from sync.central.access.tables import ACCOUNT, AUDIT, BROWSER, FAILURES, RECOVERY_CODE, SESSION
from sync.central.access.throttle import LIMITS, Lane, TooManyFailures
from sync.central.platform import Chance
from tests.sync.central.access import people
from tests.sync.central.access.people import PASSWORD, App
from tests.sync.central.conftest import Parts

HALL = Client("10.0.0.1")
AWAY = Client("203.0.113.9")
MINUTE_MS = 60_000


@pytest.fixture
def entrance(parts: Parts) -> front.Front:
    people.add(parts, "li", [Role.WINDOW_CLERK])
    return people.entrance(parts)


@pytest.fixture
def door(entrance: front.Front) -> SignIn:
    return entrance.sign_in


@pytest.fixture
def app(parts: Parts, entrance: front.Front) -> Starlette:
    return people.whole(parts, entrance)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with people.browser(app) as client:
        yield client


async def guesses(door: SignIn, name: str, times: int, client: Client = AWAY) -> None:
    for _ in range(times):
        with pytest.raises(WrongSignIn):
            await door.with_password(name, "not this one", client)


async def enrolled(parts: Parts, door: SignIn, name: str = "li") -> tuple[App, tuple[str, ...]]:
    entered = await door.with_password(name, PASSWORD, HALL)
    phone = App(parts, await door.second_factor(entered.token))
    codes = (await door.enrol(entered.token, phone.code)).recovery_codes
    parts.clock.now_ms += 2 * factor.STEP_S * 1000
    return phone, codes


# --- passwords ----------------------------------------------------------------------------------------------


async def test_a_right_password_opens_and_only_digests_are_kept(parts: Parts, door: SignIn) -> None:
    entered = await door.with_password(" Li ", PASSWORD, HALL)
    assert entered.stage is Stage.OPEN
    found = await door.find(entered.token)
    assert found is not None
    assert found.account.actor.who == "person:li"
    rows = [*parts.rows(SESSION), *parts.rows(ACCOUNT), *parts.rows(BROWSER), *parts.rows(AUDIT)]
    everything = " ".join(str(value) for row in rows for value in row)
    for secret in (entered.token, entered.browser, PASSWORD):
        assert secret not in everything


@pytest.mark.parametrize(
    ("name", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("", ""), ("li", ""), ("li", "\ud800")]
)
async def test_what_is_wrong_is_not_told(door: SignIn, name: str, password: str) -> None:
    with pytest.raises(WrongSignIn):
        await door.with_password(name, password, HALL)


async def test_for_a_stranger_a_password_is_hashed_as_for_a_colleague(
    door: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def verify(_self: PasswordHasher, kept: str, _plain: bytes) -> bool:
        compared.append(kept)
        raise VerificationError

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    await guesses(door, "li", 1)
    await guesses(door, "nobody", 1)
    colleague, stranger = (kept.split("$")[:4] for kept in compared)
    assert colleague == stranger  # one comparison each, with the same settings


async def test_older_hashes_are_renewed_at_sign_in(parts: Parts, door: SignIn) -> None:
    old = Passwords(Hashing(memory_kib=16, passes=2), Chance().random_bytes).hash(PASSWORD)
    parts.store.write_now(lambda c: c.execute(ACCOUNT.update().values(password=old)))
    await door.with_password("li", PASSWORD, HALL)
    (row,) = parts.rows(ACCOUNT)
    assert "m=8,t=1,p=1" in row.password
    await door.with_password("li", PASSWORD, HALL)


@pytest.mark.parametrize(
    ("plain", "reason"),
    [("elevenchars", "short"), ("a" * 129, "long"), ("abababababab", "simple"), ("Wang-Li-2026!", "name")],
)
def test_weak_passwords_are_refused(plain: str, reason: str) -> None:
    with pytest.raises(WeakPassword) as error:
        require_strong(plain, "li" if reason == "name" else "wu")
    assert error.value.reason == reason


def test_the_same_keystrokes_are_the_same_password() -> None:
    apart = "cafe\u0301 au lait!"
    assert people.PASSWORDS.check(apart, people.PASSWORDS.hash(normalize("NFC", apart))).right


async def test_a_first_password_opens_nothing_but_its_change(
    parts: Parts, door: SignIn, client: httpx.AsyncClient
) -> None:
    people.add(parts, "wu", [Role.WINDOW_CLERK], first=True)
    page = await people.sign_in(client, "wu", onward="/console/cases")
    assert page.url.path == "/console/login/password"
    assert (await client.get("/console/cases")).url.path == "/console/login"
    await people.sign_in(client, "wu", onward="/console/cases")
    for new, again in (("short", "short"), ("a few words are good", "not the same")):
        answer = await client.post("/console/login/password", data={"new": new, "again": again})
        assert answer.status_code == 422
    done = await client.post(
        "/console/login/password",
        data={"new": "a few words are good", "again": "a few words are good", "next": "/console/cases"},
    )
    assert done.url.path == "/console/cases"
    with pytest.raises(WrongSignIn):
        await door.with_password("wu", PASSWORD, HALL)


async def test_a_first_password_that_nobody_used_is_none_after_a_week(parts: Parts, door: SignIn) -> None:
    people.add(parts, "wu", [Role.WINDOW_CLERK], first=True)
    parts.clock.now_ms += 7 * 24 * 60 * MINUTE_MS + 1
    with pytest.raises(WrongSignIn):
        await door.with_password("wu", PASSWORD, HALL)


# --- guessing -----------------------------------------------------------------------------------------------


async def test_guesses_are_slowed_durably_and_for_a_minute_at_most(parts: Parts, door: SignIn) -> None:
    await guesses(door, "li", LIMITS[Lane.ACCOUNT].free)
    again = people.entrance(parts).sign_in  # the hub was started anew
    waits = []
    for _ in range(9):
        with pytest.raises(TooManyFailures) as error:
            await again.with_password("li", PASSWORD, AWAY)
        waits.append(error.value.wait_s)
        parts.clock.now_ms += error.value.wait_s * 1000
        await guesses(again, "li", 1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_nobody_is_kept_out_of_a_browser_they_know(parts: Parts, door: SignIn) -> None:
    browser = (await door.with_password("li", PASSWORD, HALL)).browser
    await guesses(door, "li", LIMITS[Lane.ACCOUNT].free)
    with pytest.raises(TooManyFailures):
        await door.with_password("li", PASSWORD, HALL)
    known = Client(HALL.address, browser)
    assert (await door.with_password("li", PASSWORD, known)).stage is Stage.OPEN
    # Nor does the browser of one person serve for another's account.
    people.add(parts, "wu", [Role.WINDOW_CLERK])
    await guesses(door, "wu", LIMITS[Lane.ACCOUNT].free, known)
    with pytest.raises(TooManyFailures):
        await door.with_password("wu", PASSWORD, known)


async def test_one_address_cannot_try_everybody(door: SignIn) -> None:
    for number in range(LIMITS[Lane.ADDRESS].free):
        await guesses(door, f"guess-{number}", 1)
    with pytest.raises(TooManyFailures):
        await door.with_password("one-more", "x", AWAY)
    assert (await door.with_password("li", PASSWORD, HALL)).stage is Stage.OPEN


async def test_failures_are_forgotten_and_hold_no_names(parts: Parts, door: SignIn) -> None:
    await guesses(door, "my-secret-typed-as-a-name", 2)
    rows = [*parts.rows(FAILURES), *parts.rows(AUDIT)]
    assert "my-secret" not in " ".join(str(value) for row in rows for value in row)
    parts.clock.now_ms += 61 * MINUTE_MS
    parts.store.write_now(lambda c: front.hourly(c, parts.desk, people.EASY))
    assert parts.rows(FAILURES) == []


# --- the second factor -------------------------------------------------------------------------------------


async def test_a_code_is_taken_once_and_none_before_it(parts: Parts, door: SignIn) -> None:
    phone, _ = await enrolled(parts, door)
    first = await door.with_password("li", PASSWORD, HALL)
    assert first.stage is Stage.CODE
    code = phone.code
    assert (await door.with_code(first.token, code)).stage is Stage.OPEN
    second = await door.with_password("li", PASSWORD, HALL)
    with pytest.raises(WrongSignIn):
        await door.with_code(second.token, code)
    parts.clock.now_ms -= factor.STEP_S * 1000
    with pytest.raises(WrongSignIn):
        await door.with_code(second.token, phone.code)
    parts.clock.now_ms += 2 * factor.STEP_S * 1000
    assert (await door.with_code(second.token, phone.code)).stage is Stage.OPEN


async def test_a_session_of_a_step_opens_nothing(
    parts: Parts, door: SignIn, client: httpx.AsyncClient
) -> None:
    phone, _ = await enrolled(parts, door)
    page = await people.sign_in(client, "li", onward="/console/cases")
    assert page.url.path == "/console/login/code"
    assert (await client.get("/api/v1/lockers")).status_code == 401
    assert (await client.get("/console/cases")).url.path == "/console/login"
    await people.sign_in(client, "li")
    assert (await client.post("/console/login/code", data={"code": "000000"})).status_code == 403
    done = await client.post("/console/login/code", data={"code": phone.code, "next": "/console/cases"})
    assert done.url.path == "/console/cases"


async def test_guessed_codes_are_slowed(parts: Parts, door: SignIn) -> None:
    phone, _ = await enrolled(parts, door)
    step = await door.with_password("li", PASSWORD, HALL)
    for _ in range(LIMITS[Lane.CODE].free):
        with pytest.raises(WrongSignIn):
            await door.with_code(step.token, "000000")
    with pytest.raises(TooManyFailures):
        await door.with_code(step.token, phone.code)


async def test_a_recovery_code_opens_once_and_lies_as_a_digest(parts: Parts, door: SignIn) -> None:
    _, codes = await enrolled(parts, door)
    assert len(set(codes)) == factor.RECOVERY_CODES
    kept = " ".join(str(value) for row in parts.rows(RECOVERY_CODE) for value in row)
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    for expected in (Stage.OPEN, None):
        step = await door.with_password("li", PASSWORD, HALL)
        if expected:
            assert (await door.with_code(step.token, codes[0].upper())).stage is expected
        else:
            with pytest.raises(WrongSignIn):
                await door.with_code(step.token, codes[0])
    assert audit.Event.RECOVERY_CODE_USED in [row.action for row in parts.rows(AUDIT)]


async def test_roles_that_need_one_set_it_up_before_anything(parts: Parts) -> None:
    people.add(parts, "wu", [Role.ADMINISTRATOR])
    app = people.whole(parts, people.entrance(parts, Access()))
    async with people.browser(app) as client:
        page = await people.sign_in(client, "wu")
        assert page.url.path == "/console/login/enrol"
        assert '<svg class="qr"' in page.text
        (secret,) = re.findall(r'id="secret">([A-Z2-7]{32})<', page.text)
        wrong = await client.post("/console/login/enrol", data={"code": "000000"})
        assert (wrong.status_code, secret in wrong.text) == (403, True)
        shown = await client.post("/console/login/enrol", data={"code": App(parts, secret).code})
        assert len(re.findall(r"<li>[a-z2-7]{4}(-[a-z2-7]{4}){3}</li>", shown.text)) == factor.RECOVERY_CODES
        assert (await client.get("/console")).url.path == "/console"


async def test_an_open_session_cannot_exchange_the_second_factor(parts: Parts, door: SignIn) -> None:
    phone, _ = await enrolled(parts, door)
    step = await door.with_password("li", PASSWORD, HALL)
    entered = await door.with_code(step.token, phone.code)
    with pytest.raises(WrongSignIn):
        await door.second_factor(entered.token)


# --- sessions -----------------------------------------------------------------------------------------------


async def test_a_session_ends_when_nobody_is_there_and_after_half_a_day(parts: Parts, door: SignIn) -> None:
    token = (await door.with_password("li", PASSWORD, HALL)).token
    for _ in range(3):
        parts.clock.now_ms += 14 * MINUTE_MS
        assert await door.find(token) is not None
    parts.clock.now_ms += 10 * MINUTE_MS
    assert await door.find(token, by_itself=True) is not None
    parts.clock.now_ms += 6 * MINUTE_MS
    assert await door.find(token) is None
    token = (await door.with_password("li", PASSWORD, HALL)).token
    for _ in range(12 * 6):
        parts.clock.now_ms += 10 * MINUTE_MS
        found = await door.find(token)
    assert found is None
    parts.store.write_now(lambda c: sessions.forget_ended(c, people.EASY, parts.clock.now_ms))
    assert parts.rows(SESSION) == []


async def test_every_step_has_a_fresh_token(parts: Parts, door: SignIn) -> None:
    phone, _ = await enrolled(parts, door)
    step = await door.with_password("li", PASSWORD, HALL)
    entered = await door.with_code(step.token, phone.code)
    assert entered.token != step.token
    assert await door.find(step.token) is None


async def test_all_of_ones_sessions_end_at_once(parts: Parts, door: SignIn) -> None:
    tokens = [(await door.with_password("li", PASSWORD, HALL)).token for _ in range(3)]
    found = await door.find(tokens[0])
    assert found is not None
    await door.sign_out_everywhere(found)
    assert [await door.find(token) for token in tokens] == [None] * 3
    assert parts.rows(BROWSER) == []


async def test_what_an_administrator_changes_binds_at_once(parts: Parts, door: SignIn) -> None:
    token = (await door.with_password("li", PASSWORD, HALL)).token
    now_ms = parts.clock.now_ms
    roles = [Role.AUDITOR]
    parts.store.write_now(lambda c: accounts.change_rights(c, now_ms, HUB, "li", roles, ["north"]))
    found = await door.find(token)
    assert found is not None
    assert (found.account.roles, found.account.areas) == (frozenset(roles), frozenset({"north"}))
    parts.store.write_now(lambda c: accounts.end(c, now_ms, HUB, "li"))
    assert await door.find(token) is None
    with pytest.raises(WrongSignIn):
        await door.with_password("li", PASSWORD, HALL)


async def test_a_changed_password_ends_every_other_session(door: SignIn) -> None:
    other, own = [(await door.with_password("li", PASSWORD, HALL)).token for _ in range(2)]
    with pytest.raises(WrongSignIn):
        await door.change_password(own, "a few words are good", "not the old one")
    entered = await door.change_password(own, "a few words are good", PASSWORD)
    assert [await door.find(token) for token in (other, own)] == [None, None]
    assert await door.find(entered.token) is not None


async def test_behind_https_cookies_travel_encrypted_only(parts: Parts) -> None:
    people.add(parts, "li", [Role.WINDOW_CLERK])
    secure = people.entrance(parts, url="https://hub.example")
    async with people.browser(people.whole(parts, secure), follow=False) as client:
        answer = await client.post(
            "/console/login",
            data={"name": "li", "password": PASSWORD},
            headers={"Origin": "https://hub.example"},
        )
        cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert {"httponly", "secure", "samesite=strict", "path=/"} <= set(cookie.lower().split("; "))
    assert cookies[0].startswith("__Host-session=")
    assert "Max-Age" not in cookies[0]


async def test_a_sign_in_from_a_strangers_page_is_none(client: httpx.AsyncClient) -> None:
    client.headers["Origin"] = "http://evil.example"
    answer = await people.sign_in(client, "li")
    assert (answer.status_code, len(client.cookies)) == (403, 0)
