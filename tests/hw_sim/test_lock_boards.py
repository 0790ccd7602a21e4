"""Lock boards with time of their own: when they answer, what they do in turn, what they say unasked."""

from dataclasses import replace

import pytest

from hw_sim.layout import BoardPlan, made
from hw_sim.line import Kind
from hw_sim.physics import Mechanics
from tests.hw_sim.speaking import SPEECH, summed, xored
from tests.hw_sim.wired import Wired, cabinet_of

QUERY_1 = xored("80 01 00 33")
OPEN_3 = xored("8a 01 03 11")
CHAR_S = 10 / 9600


def first_octet_after(wired: Wired, request: bytes) -> float:
    """Seconds from the request's end on the wire, its silence included, to the reply's first octet."""
    began_s = wired.now_s + (len(request) + 3.5) * CHAR_S
    wired.send(request)
    while not (heard := wired.heard()):
        next_s = wired.next_s()
        assert next_s is not None
        wired.run_to(next_s)
    assert len(heard) == 1
    return wired.now_s - began_s


@pytest.mark.parametrize(
    ("profile", "request_hex", "after_s"),
    [
        ("xor8a-24", xored("80 01 00 33").hex(), 0.2),
        ("xor8a-24", xored("80 01 05 33").hex(), 0.2),
        ("xor8a-24", xored("8a 01 05 11").hex(), 0.3),
        ("xor8a-24-timed", xored("8a 01 05 11 02").hex(), 2.0),
        ("wkly-24", xored("57 4b 4c 59 09 00 82 01").hex(), 0.4),
        ("wkly-24", xored("57 4b 4c 59 08 00 84").hex(), 0.0),
        ("winnsen-16", "900605010503", 0.5),
        ("winnsen-16", "90070201ffff03", 0.0),
        ("kerong-cu16", "0200300335", 0.0),
    ],
)
def test_when_a_board_answers(profile: str, request_hex: str, after_s: float) -> None:
    wired = Wired(replace(made(profile), wires={}))
    # A board counts in milliseconds, a wire does not.
    assert first_octet_after(wired, bytes.fromhex(request_hex)) == pytest.approx(after_s + CHAR_S, abs=0.0011)


def test_what_the_lock_did_is_in_the_reply_to_its_opening() -> None:
    wired = cabinet_of("xor8a-24")
    wired.do(3, "jam")
    assert wired.ask(OPEN_3) == xored("8a 01 03 11")
    wired.do(3, "unjam")
    assert wired.ask(OPEN_3) == xored("8a 01 03 00")


def test_with_contacts_the_other_way_the_same_octets_mean_the_contrary() -> None:
    layout = made("xor8a-8")
    wired = Wired(replace(layout, boards=(BoardPlan("A", 1, "xor8a-8", "closed_when_open"),)))
    assert wired.ask(QUERY_1) == xored("80 01 00 00 00 33")
    assert wired.ask(OPEN_3) == xored("8a 01 03 11")
    assert wired.ask(QUERY_1) == xored("80 01 00 00 04 33")


def test_a_hook_reads_open_under_power_though_the_door_is_held() -> None:
    layout = made("wkly-12")
    wired = Wired(replace(layout, boards=(BoardPlan("A", 0, "wkly-12", senses="hook"),)))
    wired.do(1, "hold")
    wired.send(SPEECH["wkly-12"].open(0, 1))
    wired.run(0.2)
    status = wired.ask(SPEECH["wkly-12"].status(0), patience_s=0.1)
    assert SPEECH["wkly-12"].states(status)[:2] == [False, True]
    wired.run(0.5)
    wired.heard()
    assert all(SPEECH["wkly-12"].states(wired.ask(SPEECH["wkly-12"].status(0))))
    assert wired.opened() == []


@pytest.mark.parametrize(
    ("profile", "status"),
    [
        ("xor8a-24", "80 01 ff ff fe 33"),
        ("xor8a-24-low", "80 01 fe ff ff 33"),
        ("xor8a-8", "80 01 00 00 fe 33"),
        ("xor8a-12", "80 01 00 0f fe 33"),
        ("xor8a-50", "80 01 00 00 00 00 00 00 00 33"),
    ],
)
def test_status_octets_of_the_8a_family(profile: str, status: str) -> None:
    wired = cabinet_of(profile)
    wired.do(1, "pry")
    if profile == "xor8a-50":
        for number in range(2, 51):
            wired.do(number, "pry")
    assert wired.ask(QUERY_1) == xored(status)


@pytest.mark.parametrize(
    "frame",
    [
        xored("8a 01 05 11 02"),  # a length, which only the timed firmware knows
        xored("80 01 05 11"),
        xored("8a 01 05 33"),
        xored("8a 01 19 11"),
        xored("90 01 02 02"),
    ],
)
def test_what_an_8a_board_does_not_understand_it_leaves(frame: bytes) -> None:
    wired = cabinet_of("xor8a-24")
    assert wired.ask(frame) == b""
    assert wired.pulses == []


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_pulse_of_no_length_or_too_long(seconds: int) -> None:
    wired = cabinet_of("xor8a-24-timed")
    assert wired.ask(xored(f"8a 01 05 11 {seconds:02x}")) == b""
    assert wired.pulses == []


@pytest.mark.parametrize(
    ("profile", "frame", "locks", "apart_ms"),
    [
        ("xor8a-8", xored("8a 01 00 11"), range(1, 9), 0),
        ("xor8a-24", xored("90 01 02 02 02"), (2, 10, 18), 0),
        ("wkly-12", xored("57 4b 4c 59 08 00 86"), range(1, 13), 0),
        ("wkly-12", xored("57 4b 4c 59 0c 00 80 03 01 02 03"), (1, 2, 3), 0),
        ("wkly-12", xored("57 4b 4c 59 0c 00 87 03 01 02 03"), (1, 2, 3), 500),
        ("kerong-cu16", summed("02 00 33 03"), range(1, 17), 600),
    ],
)
def test_several_locks_of_one_order_are_a_row_each(
    profile: str, frame: bytes, locks: "tuple[int, ...]", apart_ms: int
) -> None:
    wired = cabinet_of(profile)
    wired.ask(frame)
    wired.run(12)
    assert wired.opened() == list(locks)
    assert [pulse.compartment for pulse in wired.pulses] == list(locks)
    assert {pulse.order.frame for pulse in wired.pulses} == {frame}
    first_ms = wired.pulses[0].order.at_ms
    assert [pulse.order.at_ms - first_ms for pulse in wired.pulses] == [
        place * apart_ms for place in range(len(locks))
    ]


def test_holding_and_letting_go() -> None:
    for profile, hold, let_go in (
        ("xor8a-8", xored("9a 01 01 11"), xored("9b 01 01 11")),
        ("wkly-12", xored("57 4b 4c 59 09 00 88 01"), xored("57 4b 4c 59 09 00 89 01")),
    ):
        wired = cabinet_of(profile)
        wired.ask(hold)
        wired.run(1)
        assert [pulse.order.pulse_ms for pulse in wired.pulses] == [None]
        assert wired.cabinet.thing(1).coil_since_ms is not None
        wired.ask(let_go)
        assert wired.cabinet.thing(1).coil_since_ms is None


@pytest.mark.parametrize(
    ("request_body", "reply_body"),
    [
        ("57 4b 4c 59 09 00 82 0d", "57 4b 4c 59 0b 00 82 ff 0d 01"),  # no such lock
        ("57 4b 4c 59 09 00 83 00", "57 4b 4c 59 0b 00 83 ff 00 01"),
        ("57 4b 4c 59 0a 00 80 02 01", "57 4b 4c 59 09 00 80 ff"),  # fewer than it counts
        ("57 4b 4c 59 08 00 87", "57 4b 4c 59 09 00 87 ff"),
        ("57 4b 4c 59 09 00 86 01", "57 4b 4c 59 09 00 86 ff"),
        ("57 4b 4c 59 09 00 84 01", "57 4b 4c 59 09 00 84 ff"),
        ("57 4b 4c 59 09 00 88 0d", "57 4b 4c 59 0a 00 88 ff 0d"),
        ("57 4b 4c 59 09 00 89 0d", "57 4b 4c 59 0a 00 89 ff 0d"),
        ("57 4b 4c 59 09 00 81 01", "57 4b 4c 59 09 00 81 00"),
        ("57 4b 4c 59 09 00 83 01", "57 4b 4c 59 0b 00 83 00 01 01"),
        ("57 4b 4c 59 08 00 9f", ""),
        ("57 4b 4c 59 09 00 84", ""),  # its length is wrong
        ("57 4b 4c 58 08 00 84", ""),
    ],
)
def test_wkly_answers(request_body: str, reply_body: str) -> None:
    wired = cabinet_of("wkly-12")
    assert wired.ask(xored(request_body)) == (xored(reply_body) if reply_body else b"")
    assert wired.pulses == []


def test_a_wkly_lock_that_did_not_open_has_failed() -> None:
    wired = cabinet_of("wkly-12")
    wired.do(1, "jam")
    assert wired.ask(SPEECH["wkly-12"].open(0, 1)) == xored("57 4b 4c 59 0b 00 82 ff 01 01")


def test_a_cu16_has_its_own_current_on_time() -> None:
    wired = cabinet_of("kerong-cu16")
    assert wired.ask(summed("02 00 38 03")) == summed("02 00 36 00 32 03")
    assert wired.ask(summed("02 00 37 00 1e 03")) == b""
    assert wired.ask(summed("02 00 38 03")) == summed("02 00 36 00 1e 03")
    wired.ask(summed("02 00 37 00 00 03"))  # none at all: not taken
    wired.ask(summed("02 04 31 03"))
    wired.ask(summed("02 05 39 02 03"), patience_s=1.9)
    assert [pulse.compartment for pulse in wired.pulses] == [5]
    wired.run(1)
    assert [(pulse.compartment, pulse.order.pulse_ms) for pulse in wired.pulses] == [(5, 300), (6, 300)]
    assert wired.pulses[1].order.frame == summed("02 05 39 02 03")


def test_all_cu16_boards_of_a_line_answer_in_turn() -> None:
    layout = made("kerong-cu16")
    both = (BoardPlan("A", 0, "kerong-cu16"), BoardPlan("A", 3, "kerong-cu16"))
    wired = Wired(replace(layout, boards=both, wires={}))
    assert wired.ask(summed("02 f0 32 03")) == summed("02 00 35 ff ff 00 00 03") + summed(
        "02 30 35 00 00 00 00 03"
    )


def test_a_winnsen_board_tells_only_what_is_asked_for() -> None:
    wired = cabinet_of("winnsen-16")
    for number in (1, 2, 9):
        wired.do(number, "pry")
    assert wired.ask(bytes.fromhex("90 07 02 01 02 01 03")) == bytes.fromhex("90 07 82 01 02 01 03")


def test_a_coil_that_must_cool_down() -> None:
    wired = cabinet_of("winnsen-16-duty")
    open_5, state_5 = bytes.fromhex("90 06 05 01 05 03"), bytes.fromhex("90 06 12 01 05 03")
    assert wired.ask(open_5) == bytes.fromhex("90 07 85 01 05 01 03")
    assert wired.ask(open_5) == bytes.fromhex("90 07 85 01 05 02 03")
    assert wired.ask(state_5, patience_s=0.2) == bytes.fromhex("90 07 92 01 02 05 03")
    wired.run(1)
    assert wired.ask(state_5, patience_s=0.2) == bytes.fromhex("90 07 92 01 01 05 03")
    assert wired.ask(open_5) == bytes.fromhex("90 07 85 01 05 01 03")
    assert len(wired.pulses) == 2
    assert cabinet_of("winnsen-16").ask(state_5) == b""


@pytest.mark.parametrize(
    ("profile", "opened", "shut"),
    [
        ("xor8a-24", xored("81 01 02 00"), xored("81 01 02 11")),
        ("wkly-12", xored("57 4b 4c 59 0a 00 85 02 00"), xored("57 4b 4c 59 0a 00 85 02 01")),
    ],
)
def test_door_changes_are_told_unasked(profile: str, opened: bytes, shut: bytes) -> None:
    wired = cabinet_of(profile, mechanics=Mechanics(bounce_ms=12))
    wired.do(2, "pry")
    wired.run(1)
    assert wired.heard() == b""
    wired.break_it({"reports": [0, 1]})
    wired.run(1)
    assert wired.heard() == b"", "what was so before is no news"
    wired.do(2, "shut")
    wired.run(1)
    assert wired.heard() == shut
    wired.do(2, "pry")
    wired.run(1)
    assert wired.heard() == opened
    assert wired.kinds() == [Kind.REPORT] * 2


def test_reports_of_one_moment_come_one_after_the_other() -> None:
    wired = cabinet_of("xor8a-8")
    wired.break_it({"reports": [1]})
    wired.run(0.1)
    wired.do(1, "pry")
    wired.do(8, "pry")
    wired.run(1)
    assert wired.heard() == xored("81 01 01 00") + xored("81 01 08 00")


def test_a_dead_board_tells_nothing_by_itself() -> None:
    wired = cabinet_of("xor8a-8")
    wired.break_it({"reports": [1]})
    wired.send(OPEN_3)
    wired.run(0.1)
    wired.break_it({"dead": [1]})
    wired.run(1)
    assert wired.heard() == b""


def test_a_report_that_runs_into_a_request_spoils_both() -> None:
    wired = cabinet_of("xor8a-8")
    wired.break_it({"reports": [1]})
    wired.run(0.1)
    wired.do(1, "pry")
    wired.run(0.0299)
    wired.send(QUERY_1)
    wired.run(1)
    heard = wired.heard()
    assert len(heard) == 5
    assert heard != xored("81 01 01 00")
    assert wired.kinds() == [Kind.REPORT, Kind.REQUEST, Kind.SPOILT]


def test_two_boards_at_once_spoil_each_other() -> None:
    layout = made("xor8a-8")
    both = (BoardPlan("A", 1, "xor8a-8"), BoardPlan("A", 2, "xor8a-8"))
    wired = Wired(replace(layout, boards=both))
    wired.send(QUERY_1)
    wired.run(0.19)
    wired.send(xored("8a 02 01 11"))  # its answer comes alone
    wired.run(1)
    assert wired.heard() == xored("80 01 00 00 ff 33") + xored("8a 02 01 00")
    wired.send(OPEN_3)
    wired.run(0.1)
    wired.send(xored("80 02 00 33"))  # both answer 300 ms after the first
    wired.run(1)
    heard = wired.heard()
    assert len(heard) >= 7
    assert xored("8a 01 03 00") not in heard


def test_a_report_through_swapped_wires_is_no_frame() -> None:
    wired = cabinet_of("xor8a-8")
    wired.break_it({"reports": [1], "swapped": True})
    wired.run(0.1)
    wired.do(1, "pry")
    wired.run(1)
    assert wired.heard() == bytes(octet ^ 0xFF for octet in xored("81 01 01 00"))
