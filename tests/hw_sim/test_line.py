"""The line under virtual time: when a request is whole, when bytes leave, and what the faults do."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.chance import Chance
from hw_sim.faults import BadFaultsError, Faults, changed
from hw_sim.line import Kind, Line, Seen, Wire
from tests.hw_sim.wired import Bench, frame

READ = frame("02 02 00 00 00 20")
REPLY_LENGTH = 9


class Desk:
    """A line with a relay board and an input board, and somebody who asks."""

    def __init__(self, baud: int = 9600, seed: int = 1, **faults: Any) -> None:
        self.seen: list[Seen] = []
        self.bench = Bench()
        boards = (self.bench.relays(32, 0), self.bench.input_board())
        self.wire = Wire(baud)
        self.line = Line(boards, self.wire, Chance(seed), self.seen.append, changed(Faults(), faults))
        self.now_s = 100.0

    def ask(self, request: bytes = READ) -> bytes:
        """Send at `now_s` and collect everything until the line is quiet, and the silence over."""
        self.line.received(request, self.now_s)
        heard = b"".join(octets for _, octets in self.drain())
        self.now_s += self.wire.silence_s * 1.01
        return heard

    def drain(self) -> list[tuple[float, bytes]]:
        arrived = []
        while (next_s := self.line.next_s()) is not None:
            self.now_s = max(self.now_s, next_s)
            if octets := self.line.due(self.now_s):
                arrived.append((self.now_s, octets))
        return arrived

    @property
    def kinds(self) -> list[Kind]:
        return [each.kind for each in self.seen]


@pytest.mark.parametrize("baud", [4800, 9600, 19200, 38400, 115200])
def test_every_byte_takes_its_time(baud: int) -> None:
    desk = Desk(baud)
    began_s = desk.now_s
    desk.line.received(READ, began_s)
    arrived = desk.drain()

    char_s = 10 / baud
    silence_s = 3.5 * char_s if baud <= 19200 else 0.00175
    first_s = began_s + len(READ) * char_s + silence_s + char_s
    assert [len(octets) for _, octets in arrived] == [1] * REPLY_LENGTH
    assert [at_s for at_s, _ in arrived] == pytest.approx(
        [first_s + place * char_s for place in range(REPLY_LENGTH)], abs=1e-6
    )
    assert b"".join(octets for _, octets in arrived) == frame("02 02 04 00 00 00 00")


def test_bytes_that_trickle_in_are_one_frame() -> None:
    desk = Desk()
    for place, octet in enumerate(READ):
        desk.line.received(bytes([octet]), desk.now_s + place * desk.wire.char_s)
    desk.now_s += len(READ) * desk.wire.char_s
    assert len(b"".join(octets for _, octets in desk.drain())) == REPLY_LENGTH


def test_a_pause_within_a_frame_breaks_it() -> None:
    desk = Desk()
    desk.line.received(READ[:4], desk.now_s)
    desk.drain()
    desk.now_s += 2 * desk.wire.silence_s
    assert desk.ask(READ[4:]) == b""
    assert desk.kinds == [Kind.REQUEST, Kind.UNHEARD] * 2


@pytest.mark.parametrize(
    ("share", "heard"), [(0.0, False), (0.5, False), (0.98, False), (1.0, True), (1.4, True)]
)
def test_who_speaks_before_the_silence_is_over_is_not_heard(share: float, heard: bool) -> None:
    desk = Desk()
    desk.line.received(READ, desk.now_s)
    desk.drain()
    desk.now_s += share * desk.wire.silence_s
    assert bool(desk.ask()) is heard
    assert (Kind.EARLY in desk.kinds) is not heard


def test_who_talks_into_a_reply_spoils_it_and_is_not_heard() -> None:
    desk = Desk()
    desk.line.received(READ, desk.now_s)
    while not desk.line.due(desk.now_s):
        next_s = desk.line.next_s()
        assert next_s is not None
        desk.now_s = next_s
    rest = desk.ask()
    assert len(rest) == REPLY_LENGTH - 1
    assert rest != frame("02 02 04 00 00 00 00")[1:]
    assert desk.kinds[-1] is Kind.EARLY


def test_a_frame_without_end_is_cut_and_not_understood() -> None:
    desk = Desk()
    assert desk.ask(bytes(5_000)) == b""
    assert len(desk.seen[0].frame) <= 257


def test_a_dead_board_is_silent_and_does_nothing() -> None:
    desk = Desk(dead=[1])
    assert desk.ask(frame("01 05 02 00 00 05")) == b""
    assert desk.bench.orders == []
    assert len(desk.ask()) == REPLY_LENGTH
    assert desk.kinds == [Kind.REQUEST, Kind.DEAD, Kind.REQUEST, Kind.REPLY]


def test_a_lost_reply_and_a_lost_request_look_alike_outside_only() -> None:
    lost_reply, lost_request = Desk(loss=1.0), Desk(request_loss=1.0)
    pulse = frame("01 05 02 00 00 05")
    assert lost_reply.ask(pulse) == lost_request.ask(pulse) == b""
    assert len(lost_reply.bench.orders) == 1
    assert lost_request.bench.orders == []


def test_an_echoing_adapter_hands_back_the_request() -> None:
    desk = Desk(echo=True, dead=[2])
    assert desk.ask() == READ
    desk.line.faults = changed(desk.line.faults, {"dead": []})
    assert desk.ask() == READ + frame("02 02 04 00 00 00 00")


def test_a_late_reply_comes_whole_and_may_answer_the_next_question() -> None:
    desk = Desk(late=1.0, late_ms=200)
    began_s = desk.now_s
    desk.line.received(READ, began_s)
    desk.line.due(began_s + 0.1)
    desk.line.faults = Faults()
    desk.now_s = began_s + 0.1
    desk.line.received(READ, desk.now_s)
    arrived = desk.drain()
    assert b"".join(octets for _, octets in arrived) == frame("02 02 04 00 00 00 00") * 2
    assert arrived[-1][0] > began_s + 0.2
    assert Kind.EARLY not in desk.kinds


def test_a_delay_and_a_duplicate() -> None:
    desk = Desk(delay_ms=30, duplicate=1.0)
    began_s = desk.now_s
    desk.line.received(READ, began_s)
    arrived = desk.drain()
    assert b"".join(octets for _, octets in arrived) == frame("02 02 04 00 00 00 00") * 2
    assert arrived[0][0] == pytest.approx(began_s + 0.03 + 12.5 * desk.wire.char_s)


def test_two_boards_on_one_address_talk_over_each_other() -> None:
    desk = Desk()
    twin = Bench()
    twin.levels[0] = True
    desk.line.boards = (desk.bench.input_board(), twin.input_board())
    reply = desk.ask()
    assert len(reply) == REPLY_LENGTH
    assert reply not in (frame("02 02 04 00 00 00 00"), frame("02 02 04 01 00 00 00"))


NOISY: Mapping[str, Any] = {"loss": 0.2, "noise": 0.3, "flip": 0.02, "collision": 0.1, "duplicate": 0.1}


@given(st.integers(0, 2**32), st.sampled_from(sorted(NOISY)))
def test_the_same_seed_gives_the_same_faults(seed: int, added: str) -> None:
    def run(**faults: Any) -> list[bytes]:
        desk = Desk(seed=seed, **faults)
        return [desk.ask() for _ in range(12)]

    assert run(**NOISY) == run(**NOISY)
    # A fault that is added does not move the others: where only it struck, it struck at the same frames.
    alone = run(**{added: NOISY[added]})
    good = frame("02 02 04 00 00 00 00")
    assert all(there != good for there, here in zip(run(**NOISY), alone, strict=True) if here != good)


def test_noise_comes_before_the_reply() -> None:
    desk = Desk(noise=1.0)
    reply = desk.ask()
    assert 1 <= len(reply) - REPLY_LENGTH <= 4
    assert reply.endswith(frame("02 02 04 00 00 00 00"))


def test_closing_the_port_forgets_what_was_under_way() -> None:
    desk = Desk()
    desk.line.received(READ, desk.now_s)
    desk.line.forget()
    assert desk.line.next_s() is None


@pytest.mark.parametrize(
    "wish",
    [
        {"loss": 1.5},
        {"loss": -0.1},
        {"loss": True},
        {"loss": "1"},
        {"loss": float("nan")},
        {"dead": 2},
        {"dead": [-1]},
        {"dead": [256]},
        {"dead": [True]},
        {"dead": ["1"]},
        {"echo": 1},
        {"swapped": "yes"},
        {"late_ms": 1.5},
        {"delay_ms": 10_001},
        {"welded": "1/3"},
        {"welded": ["1"]},
        {"welded": ["1/0"]},
        {"welded": ["256/1"]},
        {"stuck_0": ["1/257"]},
        {"stuck_1": ["1/2/3"]},
        {"stuck_on": ["-1/2"]},
        {"stuck_on": ["1/" + "9" * 5_000]},
        {"stuck_on": [[1, 3]]},
        {"tornado": 1},
    ],
)
def test_faults_that_do_not_fit_are_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(BadFaultsError):
        changed(Faults(), wish)


def test_faults_are_kept_in_order_and_once() -> None:
    wish = {"dead": [9, 0, 9], "welded": ["10/1", "2/3", "2/3"]}
    faults = changed(Faults(), wish)
    assert (faults.dead, faults.welded) == ((0, 9), ("2/3", "10/1"))


def test_a_mended_relay_lets_go_at_once() -> None:
    desk = Desk(stuck_on=["1/1"])
    desk.ask(frame("01 05 02 00 00 05"))
    for board in desk.line.boards:
        board.advance(200_000)
    assert [on for _, on, _ in desk.bench.edges] == [True]
    desk.line.faults = Faults()
    for board in desk.line.boards:
        board.advance(200_001)
    assert [on for _, on, _ in desk.bench.edges] == [True, False]


def test_with_a_and_b_swapped_nobody_understands_anybody() -> None:
    desk = Desk(swapped=True)
    assert desk.ask() == b""
    assert desk.kinds == [Kind.REQUEST, Kind.UNHEARD]
