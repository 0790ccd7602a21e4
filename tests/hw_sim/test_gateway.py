"""Modbus TCP in front of a line: headers in and out, one question at a time, silence kept."""

import pytest

from hw_sim.gateway import WAITING_MOST, Gateway
from hw_sim.line import Kind
from tests.hw_sim.wired import Wired, cabinet_of


class Client:
    """Somebody at the other end of the socket, under virtual time."""

    def __init__(self, wired: Wired) -> None:
        self.wired = wired
        self.gateway = Gateway(wired.lines["A"])
        self.heard = b""

    def send(self, text: str) -> None:
        self.gateway.received(bytes.fromhex(text), self.wired.now_s)

    def run(self, seconds: float) -> str:
        """What has come after that time."""
        until_s = self.wired.now_s + seconds
        while (due_s := self.next_s()) is not None and due_s <= until_s:
            self.step(max(due_s, self.wired.now_s))
        self.step(until_s)
        heard, self.heard = self.heard, b""
        return heard.hex(" ")

    def next_s(self) -> float | None:
        own_ms = self.wired.cabinet.next_ms()
        moments = [self.gateway.next_s(), None if own_ms is None else own_ms / 1000]
        return min((moment for moment in moments if moment is not None), default=None)

    def step(self, now_s: float) -> None:
        self.wired.now_s = now_s
        self.wired.cabinet.advance(int(now_s * 1000 + 1e-6))
        self.heard += self.gateway.due(now_s)


@pytest.fixture
def client() -> Client:
    return Client(cabinet_of("waveshare-d8"))


READ = "00 01 00 00 00 06 01 02 00 00 00 08"
SHUT = "00 01 00 00 00 04 01 02 01 ff"


def test_a_question_and_its_answer(client: Client) -> None:
    client.send(READ)
    assert client.run(1) == SHUT


def test_it_comes_in_pieces_and_in_numbers(client: Client) -> None:
    for text in READ.split():
        client.send(text)
    client.send(READ.replace("00 01", "ab cd", 1) * 2)
    assert client.run(1) == " ".join([SHUT, *[SHUT.replace("00 01", "ab cd", 1)] * 2])
    assert Kind.EARLY not in client.wired.kinds()


def test_a_pulse_opens_a_door(client: Client) -> None:
    client.send("12 34 00 00 00 06 01 05 02 02 00 05")
    assert client.run(1) == "12 34 00 00 00 06 01 05 02 02 00 05"
    assert client.wired.opened() == [3]


def test_an_exception_is_handed_on(client: Client) -> None:
    client.send("00 01 00 00 00 06 01 05 00 09 FF 00")
    assert client.run(1) == "00 01 00 00 00 03 01 85 02"


def test_who_does_not_answer_costs_an_exception_and_the_next_one_is_asked(client: Client) -> None:
    client.send("00 01 00 00 00 06 09 02 00 00 00 08")
    client.send(READ)
    assert client.run(0.4) == ""
    assert client.run(0.6) == f"00 01 00 00 00 03 09 82 0b {SHUT}"


def test_a_broken_answer_is_none(client: Client) -> None:
    client.wired.break_it({"noise": 1.0})
    client.send(READ)
    assert client.run(1) == "00 01 00 00 00 03 01 82 0b"


def test_a_broadcast_is_not_answered(client: Client) -> None:
    client.send("00 01 00 00 00 06 00 05 02 00 00 05")
    assert client.run(2) == ""
    assert client.wired.opened() == [1]


@pytest.mark.parametrize("head", ["00 01 00 01 00 06", "00 01 00 00 00 01", "00 01 00 00 01 00"])
def test_what_is_no_modbus_tcp_is_dropped(client: Client, head: str) -> None:
    client.send(f"{head} 01 02 00 00 00 08")
    assert client.run(1) == ""
    client.send(READ)
    assert client.run(1) == SHUT


def test_a_client_that_goes_takes_its_questions_along(client: Client) -> None:
    client.send(READ * 3)
    client.run(0.01)
    client.gateway.forget()
    assert client.run(1) == ""
    assert client.wired.kinds().count(Kind.REQUEST) == 1


def test_who_asks_without_waiting_is_heard_only_so_far(client: Client) -> None:
    client.send(READ * (WAITING_MOST + 5))
    assert client.run(5).count(SHUT) == WAITING_MOST
