"""Somebody's own page: who may see it, what it shows and never shows, what its forms do, and when it ends."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.events import (
    AuthorisationGranted,
    CompartmentReserved,
    ItemPickedUp,
    ReceiptIssued,
    SubmissionDeposited,
)
from locker.domain.ids import AuthorisationId, CaseNumber, ItemId
from sync.central import tables as t
from sync.central.access.tables import AUDIT
from sync.central.complaints.tables import COMPLAINT
from sync.central.messages.templates import grouped
from sync.central.personal import lost, pages
from sync.central.personal.case import ENDS_AFTER_MS, UNFINISHED_MS
from sync.central.personal.limits import LIMITS, WINDOW_MS, Limits, What, network
from sync.central.personal.link import About, path_of, read
from sync.central.personal.link import Kind as Page
from sync.central.personal.tables import LOST_CODE
from sync.central.pickups.tables import REISSUE
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.test_cases import PHONE, authorise, said
from tests.sync.central.test_notify import BIRTH, DOOR, STAY, arrive, loaded

LANGUAGES = ("zh", "en")


@pytest.fixture
async def phone(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that sends no origin and no cookies."""
    app = people.whole(parts, people.entrance(parts))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url=people.HUB_URL, follow_redirects=True
    ) as browser:
        yield browser


def own(parts: Parts, reference: str, kind: str = "authorisation") -> str:
    return path_of(parts.desk, kind, reference)


def granted(parts: Parts) -> str:
    """A right whose locker has its code."""
    name = authorise(parts)
    parts.locker.add(BIRTH, *(each for each in said(parts) if isinstance(each, AuthorisationGranted)))
    arrive(parts)
    return name


def typed_code(parts: Parts, name: str) -> str:
    (row,) = [row for row in parts.rows(t.AUTHORISATION) if row.authorisation == name]
    return parts.desk.opened(row.sealed)["typed"]


def hand_in(parts: Parts, name: str) -> None:
    first = parts.locker.head + 1
    parts.locker.add(
        CompartmentReserved(
            STAY, DOOR, Kind.SUBMISSION, CaseNumber("GS-1"), AuthorisationId(name), ItemId("")
        ),
        SubmissionDeposited(STAY, DOOR, Presence.PRESENT, 2),
        ReceiptIssued(STAY, "R-1", "{}", "k", "s"),
    )
    parts.ingest(first)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_code_is_shown_on_request_only_and_the_look_is_journaled(
    parts: Parts, phone: httpx.AsyncClient, language: str
) -> None:
    name = granted(parts)
    code = grouped(typed_code(parts, name))
    page = await phone.get(f"{own(parts, name)}?l={language}")
    assert page.status_code == 200
    assert "GS-1" in page.text
    assert code not in page.text
    assert "<svg" not in page.text
    shown = await phone.post(own(parts, name), data={"do": "code", "l": language})
    assert code in shown.text
    assert "<svg" in shown.text
    assert PHONE not in page.text + shown.text
    looks = [(row.actor, row.object) for row in parts.rows(AUDIT) if row.action == "personal_look"]
    assert looks == [("applicant", name)]


async def test_what_stands_about_a_page_keeps_it_to_itself(parts: Parts, phone: httpx.AsyncClient) -> None:
    answer = await phone.get(own(parts, granted(parts)))
    headers = answer.headers
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert headers.get_list("cache-control") == ["no-store"]
    assert "noindex" in headers["x-robots-tag"]
    assert "script" not in headers["content-security-policy"]
    assert "noindex" in answer.text
    addresses = re.findall(r'(?:href|src|action)="([^"]+)"', answer.text)
    assert addresses
    assert [each for each in addresses if urlsplit(each).netloc or not each.startswith("/p/")] == []


async def test_a_waiting_code_is_not_shown_its_picture_is(parts: Parts, phone: httpx.AsyncClient) -> None:
    name = authorise(parts)
    shown = await phone.post(own(parts, name), data={"do": "code"})
    assert "<svg" in shown.text
    assert grouped(typed_code(parts, name)) not in shown.text


async def test_after_the_papers_are_in_nothing_opens_their_door(
    parts: Parts, phone: httpx.AsyncClient
) -> None:
    name = granted(parts)
    hand_in(parts, name)
    shown = await phone.post(own(parts, name), data={"do": "code"})
    assert "<svg" not in shown.text
    assert grouped(typed_code(parts, name)) not in shown.text
    assert "R-1" in shown.text


async def test_a_pickup_code_is_never_there(parts: Parts, phone: httpx.AsyncClient) -> None:
    item = loaded(parts)
    arrive(parts)
    for answer in (
        await phone.get(own(parts, item, "item")),
        await phone.post(own(parts, item, "item"), data={"do": "code"}),
    ):
        assert answer.status_code == 200
        assert "700 1234 5678" not in answer.text
        assert "70012345678" not in answer.text
        assert "<svg" not in answer.text


@pytest.mark.parametrize("spoil", ["x", "", "~"])
async def test_nobody_else_has_a_page(parts: Parts, phone: httpx.AsyncClient, spoil: str) -> None:
    path = own(parts, granted(parts))
    other = path[:-1] + ("a" if path[-1] != "a" else "b") if not spoil else path + spoil
    unknown = own(parts, "nobody")
    for each in (other, unknown, "/p/nothing"):
        assert (await phone.get(each)).status_code == 404
        assert (await phone.post(each, data={"do": "code"})).status_code == 404


def test_a_link_is_128_bits_of_this_hub_about_one_thing(parts: Parts) -> None:
    paths = {kind: path_of(parts.desk, kind, "a.b-C_1").removeprefix("/p/") for kind in Page}
    assert len({path[-26:] for path in paths.values()}) == 3
    for kind, path in paths.items():
        assert read(parts.desk, path) == About(kind, "a.b-C_1")
        others = [letter + path[1:] for letter in "aic" if letter != path[0]]
        assert [each for each in others if read(parts.desk, each)] == []


async def test_a_link_ends_two_weeks_after_the_case_ended(parts: Parts, phone: httpx.AsyncClient) -> None:
    item = loaded(parts)
    arrive(parts)
    first = parts.locker.head + 1
    parts.locker.add(ItemPickedUp(STAY, Proof.SENSED))
    parts.ingest(first)
    path = own(parts, item, "item")
    parts.clock.now_ms += ENDS_AFTER_MS - 60_000
    assert (await phone.get(path)).status_code == 200
    parts.clock.now_ms += 120_000
    assert (await phone.get(path)).status_code == 404


async def test_a_case_that_goes_on_elsewhere_keeps_its_link_for_half_a_year(
    parts: Parts, phone: httpx.AsyncClient
) -> None:
    name = granted(parts)
    hand_in(parts, name)
    parts.store.write_now(lambda c: c.execute(t.DEPOSIT.update().values(phase="taken_in")))
    parts.clock.now_ms += UNFINISHED_MS - 10 * 86_400_000
    assert (await phone.get(own(parts, name))).status_code == 200
    parts.clock.now_ms += 20 * 86_400_000
    assert (await phone.get(own(parts, name))).status_code == 404


async def test_who_has_lost_a_code_is_told_the_same_whatever_fits(
    parts: Parts, phone: httpx.AsyncClient
) -> None:
    item = loaded(parts)
    arrive(parts)
    answers = set()
    for case, number in (("GS-1", PHONE), ("GS-1", "13900000000"), ("GS-9", PHONE)):
        answer = await phone.post("/p/lost", data={"case": case, "phone": number})
        answers.add((answer.status_code, answer.text))
    assert len(answers) == 1
    told = await lost.look(parts.store, parts.desk)
    assert told == {"hall-1"}
    assert [row.item for row in parts.rows(REISSUE)] == [item]
    assert {row.asked_sealed for row in parts.rows(LOST_CODE)} == {""}
    assert [row.object for row in parts.rows(AUDIT) if row.action == "lost_code"] == [item]


async def test_a_lost_code_is_asked_for_three_times_an_hour(parts: Parts, phone: httpx.AsyncClient) -> None:
    name = granted(parts)
    before = len(parts.rows(t.NOTICE))
    for _ in range(5):
        await phone.post(own(parts, name), data={"do": "lost", "phone": f"+86 {PHONE}"})
        await lost.look(parts.store, parts.desk)
    again = parts.rows(t.NOTICE)[before:]
    assert [(row.template, row.urgent) for row in again] == [("drop_off_code", True)] * lost.PER_HOUR
    parts.clock.now_ms += lost.HOUR_MS + 1
    await phone.post(own(parts, name), data={"do": "lost", "phone": PHONE})
    await lost.look(parts.store, parts.desk)
    assert len(parts.rows(t.NOTICE)) == before + lost.PER_HOUR + 1
    assert len(parts.rows(LOST_CODE)) == 1


async def test_a_visit_is_rated_once_and_somebody_may_say_what_went_wrong(
    parts: Parts, phone: httpx.AsyncClient
) -> None:
    name = granted(parts)
    early = await phone.post(own(parts, name), data={"do": "rating", "grade": "5"})
    assert early.status_code == 404
    hand_in(parts, name)
    page = await phone.get(own(parts, name))
    assert 'name="grade"' in page.text
    await phone.post(own(parts, name), data={"do": "rating", "grade": "4", "text": "good"})
    again = await phone.post(own(parts, name), data={"do": "rating", "grade": "1", "l": "en"})
    assert "You have rated it already" in again.text
    assert 'name="grade"' not in again.text
    await phone.post(own(parts, name), data={"do": "help", "category": "door", "text": "it sticks"})
    (complaint,) = parts.rows(COMPLAINT)
    assert (complaint.category, complaint.case_number, complaint.origin) == ("door", "GS-1", "page")
    assert parts.desk.opened(complaint.contact_sealed) == {"phone": PHONE}


async def test_who_complained_says_whether_it_is_solved(parts: Parts, phone: httpx.AsyncClient) -> None:
    name = granted(parts)
    await phone.post(own(parts, name), data={"do": "help", "category": "door", "text": "it sticks"})
    (complaint,) = parts.rows(COMPLAINT)
    path = own(parts, complaint.complaint, "complaint")
    assert "it sticks" in (await phone.get(path)).text
    parts.store.write_now(lambda c: c.execute(COMPLAINT.update().values(state="resolved")))
    await phone.post(path, data={"do": "answer", "satisfied": "yes"})
    assert [row.state for row in parts.rows(COMPLAINT)] == ["satisfied"]


async def test_who_asks_too_often_is_told_to_wait(parts: Parts, phone: httpx.AsyncClient) -> None:
    answers = [(await phone.get("/p/nothing")).status_code for _ in range(LIMITS[What.STRANGE].address)]
    assert answers[0] == 404
    assert answers[-1] == 429
    parts.clock.now_ms += WINDOW_MS
    assert (await phone.get("/p/nothing")).status_code == 404


def test_everybody_together_is_limited_too_and_memory_is_bounded() -> None:
    limits = Limits()
    most = LIMITS[What.FORM].everybody
    allowed = sum(limits.allows(What.FORM, f"10.0.{n // 250}.{n % 250}", 0) for n in range(most + 50))
    assert allowed == most
    assert network("2001:db8::1") == network("2001:db8::ffff") != network("2001:db8:0:1::1")
    assert network("proxy") == network("") == "others"


def test_both_languages_have_the_same_words() -> None:
    chinese, english = (
        {(section, name) for section, each in words.words.items() for name in each}
        for words in pages.words().values()
    )
    assert chinese == english
