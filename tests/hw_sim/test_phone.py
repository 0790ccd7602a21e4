"""The gateway's JSON and the texts a phone shows."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.sms import TEXTS, Inbox, Submission, grouped, rendered

CODE = "12345678903"


def sms(**changes: Any) -> dict[str, Any]:
    return {
        "to": "13812345678",
        "template": "pickup_code",
        "variables": {"typed": CODE, "item": "营业执照", "locker": "1 号柜"},
        "idempotency_key": "L1/e/7/pickup",
    } | changes


async def test_one_key_delivers_once(phone: httpx.AsyncClient) -> None:
    first = (await phone.post("/sms", json=sms())).json()
    again = await phone.post("/sms", json=sms())
    other = (await phone.post("/sms", json=sms(idempotency_key="L1/e/8/pickup"))).json()
    assert again.status_code == 200
    assert again.json() == {"id": first["id"], "duplicate": True}
    assert other["id"] != first["id"]
    assert len((await phone.get("/messages")).json()) == 2


async def test_a_phone_reads_its_own_messages(phone: httpx.AsyncClient) -> None:
    await phone.post("/sms", json=sms())
    await phone.post("/sms", json=sms(to="+8613900000000", idempotency_key="x"))
    (message,) = (await phone.get("/messages", params={"to": "13812345678"})).json()
    assert (message["template"], message["code"], message["code_shown"]) == (
        "pickup_code",
        CODE,
        "123 4567 8903",
    )
    assert "取件码 123 4567 8903" in message["text_zh"]
    assert "Pickup code 123 4567 8903" in message["text_en"]
    assert len((await phone.get("/messages", params={"to": "+8613900000000"})).json()) == 1


async def test_what_can_be_scanned_comes_as_a_picture(phone: httpx.AsyncClient) -> None:
    await phone.post("/sms", json=sms(variables={"scan": "1" * 42}))
    (message,) = (await phone.get("/messages")).json()
    picture = await phone.get(f"/messages/{message['id']}/scan.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.startswith("<svg")
    assert (await phone.get("/messages/sms-9/scan.svg")).status_code == 404


async def test_a_failing_gateway_delivers_nothing(phone: httpx.AsyncClient) -> None:
    await phone.post("/faults", json={"fail_next": 2})
    replies = [await phone.post("/sms", json=sms()) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]
    assert len((await phone.get("/messages")).json()) == 1


async def test_a_lost_answer_is_harmless_with_the_same_key(phone: httpx.AsyncClient) -> None:
    await phone.post("/faults", json={"lose_reply_next": 1})
    assert (await phone.post("/sms", json=sms())).status_code == 503
    assert (await phone.post("/sms", json=sms())).json()["duplicate"] is True
    assert len((await phone.get("/messages")).json()) == 1


@pytest.mark.parametrize(
    "body",
    [
        sms(to="you"),
        sms(to=13812345678),
        sms(to="1" * 21),
        sms(template="../x"),
        sms(template=None),
        sms(idempotency_key=""),
        sms(idempotency_key="k" * 201),
        sms(variables=[]),
        sms(variables={"a b": "c"}),
        sms(variables={"a": {}}),
        sms(variables={"a": 1.5}),
        sms(variables={"a": "x" * 2_001}),
        sms(variables={f"v{number}": "" for number in range(31)}),
        sms(extra=1),
        {},
    ],
)
async def test_a_message_that_does_not_fit_is_refused(phone: httpx.AsyncClient, body: dict[str, Any]) -> None:
    reply = await phone.post("/sms", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]
    assert (await phone.get("/messages")).json() == []


@pytest.mark.parametrize("body", [{"fail_next": -1}, {"fail_next": True}, {"fail_next": 1_001}, {"fail": 1}])
async def test_faults_that_do_not_fit_are_refused(phone: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await phone.post("/faults", json=body)).status_code == 400
    assert (await phone.post("/sms", json=sms())).status_code == 200


def test_a_sentence_without_its_variables_is_left_out() -> None:
    for template in TEXTS:
        for text in rendered(template, {})[1:]:
            assert "{" not in text


def test_an_unknown_template_shows_all_it_was_given() -> None:
    title, chinese, english = rendered("ticket_closed", {"ticket": "T-9", "typed": CODE})
    assert title == "ticket closed"
    for text in (chinese, english):
        assert "T-9" in text
        assert "123 4567 8903" in text


@given(st.dictionaries(st.sampled_from(["case", "typed", "locker", "weather"]), st.text(max_size=20)))
def test_what_the_sender_writes_stays_as_it_is(variables: dict[str, str]) -> None:
    chinese = rendered("pickup_code", variables)[1]
    assert variables.get("case", "") in chinese
    assert variables.get("weather", "") in chinese


@pytest.mark.parametrize("text", ["1234567890", "123456789012", "1234567890x", "\uff11" * 11])
def test_only_an_open_code_is_grouped(text: str) -> None:
    assert grouped(text) == text


def test_the_inbox_is_bounded() -> None:
    inbox = Inbox()
    for number in range(600):
        inbox.deliver(Submission("10086", "receipt", {}, str(number)), "", 0.0)
    assert len(inbox.messages()) == 500
    assert inbox.messages()[-1].id == "sms-000600"
