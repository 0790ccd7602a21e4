"""The Winnsen codec against frames from outside; and what a frame without a checksum cannot refuse."""

import random  # noqa: TID251  # seeded noise
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.codecs import encode, explain
from firmware_bridge.debounce import DOOR, Debounce
from firmware_bridge.errors import ProfileError, RequestError
from firmware_bridge.request import (
    Bits,
    Done,
    Failed,
    Fits,
    Identify,
    Pulse,
    ReadDoors,
    Refused,
    Request,
)
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import SOMEWHERE

PLAIN, DUTY = "winnsen-16", "winnsen-16-duty"
FRAMES = frames.of("winnsen")
DOORS = ReadDoors(SOMEWHERE, 1, 16)
NONE_OPEN = frames.golden("winnsen", "poll: none open")
TWO_OPEN = frames.golden("winnsen", "poll: locks 1 and 9 open")
OPENED = frames.golden("winnsen", "open ok station 1 lock 5")
FAILED = frames.golden("winnsen", "open FAILED station 1 lock 3")
COOLING = bytes.fromhex("90 07 85 01 05 02 03")
ONE_OPEN = bytes.fromhex("90 07 92 01 01 05 03")
"""Of the variant: state before lock."""


def text(profile: str) -> str:
    return resources.files(boards).joinpath(f"{profile}.toml").read_text("utf-8")


def pulse(channel: int, pulse_ms: int = 500) -> Pulse:
    return Pulse(SOMEWHERE, channel, pulse_ms, 1.0)


@pytest.mark.parametrize("profile", [PLAIN, DUTY])
def test_requests_are_those_from_outside(profile: str) -> None:
    asked = frames.telegram(profile, ReadDoors(SOMEWHERE, 1, 12), 2)
    assert asked.data == frames.golden("winnsen", "poll station 2 locks 1-12 (mask FF 0F)")
    assert frames.telegram(profile, pulse(5)).data == bytes.fromhex("90 06 05 01 05 03")
    assert frames.telegram(profile, Identify(SOMEWHERE)).data == bytes.fromhex("90 07 02 01 FF FF 03")
    assert frames.telegram(profile, ReadDoors(SOMEWHERE, 9, 1)).data == bytes.fromhex("90 07 02 01 00 01 03")


GOOD = [
    (PLAIN, DOORS, NONE_OPEN, Bits((False,) * 16)),
    (PLAIN, DOORS, TWO_OPEN, Bits(tuple(n in {0, 8} for n in range(16)))),
    (PLAIN, ReadDoors(SOMEWHERE, 9, 2), TWO_OPEN, Bits((True, False))),
    (PLAIN, DOORS, frames.golden("winnsen", "poll: all open"), Bits((True,) * 16)),
    (PLAIN, Identify(SOMEWHERE), TWO_OPEN, Fits()),
    (PLAIN, pulse(5), OPENED, Done()),
    (PLAIN, pulse(3), FAILED, Failed(0)),
    (DUTY, DOORS, TWO_OPEN, Bits(tuple(n in {0, 8} for n in range(16)))),
    (DUTY, pulse(5), OPENED, Done()),
    (DUTY, pulse(3), FAILED, Failed(0)),
    (DUTY, pulse(5), COOLING, Refused(2)),
]


@pytest.mark.parametrize(("profile", "request_", "reply", "means"), GOOD)
def test_replies_are_understood_split_anywhere_and_behind_noise(
    profile: str, request_: Request, reply: bytes, means: object
) -> None:
    asked = frames.telegram(profile, request_)
    assert asked.match(reply) == (means, len(reply))
    assert all(answer.reply == means for answer in frames.each_split(asked, reply))


def passed(request_: Request, reply: bytes) -> set[int]:
    """The places at which some other byte still makes a reply to this request."""
    asked = frames.telegram(PLAIN, request_)
    return {
        place
        for bad in frames.changed_in_one_byte(reply)
        for place in range(len(reply))
        if bad[place] != reply[place] and not frames.fits_nowhere(asked, bad)
    }


def test_every_changed_byte_that_is_fixed_is_refused() -> None:
    """What remains are the bytes that carry the message itself: nothing sums them."""
    assert passed(DOORS, TWO_OPEN) == {4, 5}
    assert passed(pulse(5), OPENED) == {5}
    asked = frames.telegram(PLAIN, pulse(5))
    results = {value: asked.match(OPENED[:5] + bytes([value]) + OPENED[6:]) for value in range(256)}
    assert {value for value, reply in results.items() if reply is not None} == {0, 1}


def test_a_changed_state_is_not_believed_before_it_was_said_three_times() -> None:
    inputs = boards.load(PLAIN).inputs
    assert inputs is not None
    assert inputs.believe_reads == 3
    asked = frames.telegram(PLAIN, ReadDoors(SOMEWHERE, 1, 1))
    door = Debounce(DOOR, inputs.believe_reads)
    for n in range(40):
        door.read(shut(asked.match(NONE_OPEN)), n * 0.1)
    assert door.settled is True
    wrong = NONE_OPEN[:4] + b"\x01" + NONE_OPEN[5:]
    for n, frame in enumerate((wrong, wrong, NONE_OPEN, wrong, wrong, NONE_OPEN)):
        assert not door.read(shut(asked.match(frame)), 4 + n * 0.1)
    assert door.settled is True
    assert [door.read(shut(asked.match(wrong)), 4.6 + n * 0.1) for n in range(3)] == [False, False, True]


def shut(matched: object) -> bool:
    match matched:
        case (Bits((level,)), 7):
            return level == 0
    raise AssertionError(matched)


@pytest.mark.parametrize(
    "other",
    [
        "90 07 82 02 01 01 03",  # another station
        "90 07 85 01 01 01 03",  # another function
        "90 07 A2 01 01 01 03",  # an answer by another offset, as some boards give it
        "90 07 92 01 01 01 03",  # about one lock
        "90 06 82 01 01 01 03",  # another length
        "90 07 82 01 01 01 04",  # another end
        "90 07 02 01 FF FF 03",  # the question
        "90 07 82 01 01 01",  # not whole
    ],
)
def test_replies_to_another_question_are_refused(other: str) -> None:
    for profile in (PLAIN, DUTY):
        questions: list[Request] = [DOORS, Identify(SOMEWHERE), ReadDoors(SOMEWHERE, 1, 1)]
        for request_ in questions:
            asked = frames.telegram(profile, request_)
            assert frames.fits_nowhere(asked, bytes.fromhex(other))
            assert not explain(boards.load(profile), bytes.fromhex(other), asked.data).ok


def test_a_pulse_is_acknowledged_for_its_own_lock_and_station_alone() -> None:
    assert frames.fits_nowhere(frames.telegram(PLAIN, pulse(4)), OPENED)
    assert frames.fits_nowhere(frames.telegram(PLAIN, pulse(5), 2), OPENED)
    assert frames.fits_nowhere(frames.telegram(PLAIN, pulse(1)), TWO_OPEN)
    assert frames.fits_nowhere(frames.telegram(PLAIN, pulse(5)), COOLING)


@pytest.mark.parametrize("profile", [PLAIN, DUTY])
def test_a_late_answer_has_the_shape_of_the_next_and_is_waited_out(profile: str) -> None:
    transport = boards.load(profile).transport
    assert frames.telegram(profile, Identify(SOMEWHERE)).match(TWO_OPEN) is not None
    assert transport.drain_ms >= transport.reply_timeout_ms


@pytest.mark.parametrize("profile", [PLAIN, DUTY])
def test_an_echo_is_no_answer(profile: str) -> None:
    requests: list[Request] = [Identify(SOMEWHERE), DOORS, *(pulse(n) for n in range(1, 17))]
    for request_ in requests:
        asked = frames.telegram(profile, request_)
        assert not asked.confirmed_by_echo
        assert frames.fits_nowhere(asked, asked.data)
        assert "echo" in explain(boards.load(profile), asked.data, asked.data).reason
    exchange = frames.asked_on_a_line(frames.telegram(profile, pulse(5)), echo=None)
    assert exchange.received(bytes.fromhex("90 06 05 01 05 03"), 10.01) is None
    answer = exchange.received(OPENED, 10.1)
    assert answer is not None
    assert answer.reply == Done()
    assert exchange.echo is True


@pytest.mark.parametrize(
    ("profile", "address", "request_"),
    [
        (PLAIN, 0, Identify(SOMEWHERE)),
        (PLAIN, 248, Identify(SOMEWHERE)),
        (DUTY, 5, pulse(1)),
        (PLAIN, 1, pulse(17)),
        (PLAIN, 1, pulse(1, 400)),
        (PLAIN, 1, pulse(1, 1000)),
        (PLAIN, 1, ReadDoors(SOMEWHERE, 16, 2)),
        *((PLAIN, 1, request) for request in frames.OF_RELAYS),
    ],
)
def test_what_a_board_lacks_is_refused(profile: str, address: int, request_: Request) -> None:
    with pytest.raises(RequestError):
        frames.telegram(profile, request_, address)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("believe_reads = 3", "believe_reads = 2", "no checksum"),
        ("believe_reads = 3", "", "no checksum"),
        ("channels = 16", "channels = 17", "has 16"),
    ],
)
def test_profiles_that_do_not_hold(old: str, new: str, words: str) -> None:
    assert old in text(PLAIN)
    with pytest.raises(ProfileError, match=words):
        boards.parse("mine", text(PLAIN).replace(old, new))


def test_a_profile_cannot_widen_what_the_family_can_say() -> None:
    profile = boards.load(PLAIN)
    assert profile.locks is not None
    wide = replace(profile, locks=replace(profile.locks, channels=24), inputs=boards.Inputs(24))
    requests: list[Request] = [pulse(17), ReadDoors(SOMEWHERE, 10, 8)]
    for request_ in requests:
        with pytest.raises(RequestError, match="has 16 locks"):
            encode(wide, 1, request_)


SAID: dict[str, dict[str, Any]] = {
    "90 07 02 02 FF 0F 03": {"kind": "read_doors", "address": 2, "first": 1, "count": 12},
    "90 07 85 01 05 01 03": {"kind": "done", "address": 1, "channel": 5},
    "90 07 85 01 03 00 03": {"kind": "failed", "address": 1, "channel": 3, "code": 0},
    "90 07 82 01 00 00 03": {"kind": "doors", "states": ("closed",) * 16},
    "90 07 82 01 01 01 03": {"kind": "doors", "states": ("open", *("closed",) * 7) * 2},
    "90 07 82 01 FF FF 03": {"kind": "doors", "states": ("open",) * 16},
}


@pytest.mark.parametrize("profile", [PLAIN, DUTY])
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_every_frame_from_outside_is_explained(profile: str, frame: dict[str, Any]) -> None:
    said = explain(boards.load(profile), bytes.fromhex(frame["hex"])).as_dict()
    assert said["ok"]
    assert said["direction"] == ("request" if frame["direction"] == "host->board" else "reply")
    assert said | SAID[frame["hex"]] == said


@pytest.mark.parametrize(
    ("profile", "frame", "kind", "reason"),
    [
        (PLAIN, "90 06 05 01 05 03", "pulse", ""),
        (PLAIN, "90 06 05 01 00 03", "unknown", "lock 0 is none"),
        (PLAIN, "90 06 05 01 11 03", "unknown", "lock 17 is none"),
        (PLAIN, "90 07 85 01 05 02 03", "unknown", "result 02"),
        (DUTY, "90 07 85 01 05 02 03", "refused", ""),
        (PLAIN, "90 07 02 01 05 00 03", "other", "mask 0005"),
        (PLAIN, "90 07 02 01 00 00 03", "other", "mask 0000"),
        (PLAIN, "90 07 A2 01 01 01 03", "unknown", "offset of A0"),
        (PLAIN, "90 06 12 01 05 03", "unknown", "function 12"),
        (DUTY, "90 06 12 01 05 03", "other", "never sends"),
        (DUTY, "90 06 12 01 00 03", "unknown", "lock 0 is none"),
        (DUTY, "90 07 92 01 01 05 03", "doors", ""),
        (DUTY, "90 07 92 01 02 05 03", "doors", "neither open nor shut"),
        (DUTY, "90 07 92 05 01 05 03", "unknown", "station 5"),
        (PLAIN, "90 06 82 01 01 01 03", "unknown", "says 6 bytes, has 7"),
        (PLAIN, "91 07 82 01 01 01 03", "unknown", "at its begin"),
        (PLAIN, "90 07 82 01 01 01 00", "unknown", "at its end"),
        (PLAIN, "90", "unknown", "shorter"),
        (PLAIN, "", "unknown", "shorter"),
    ],
)
def test_what_else_there_is_is_named(profile: str, frame: str, kind: str, reason: str) -> None:
    said = explain(boards.load(profile), bytes.fromhex(frame))
    assert said.kind == kind
    assert reason in said.reason
    assert said.ok == (kind != "unknown")


def test_lock_and_state_stand_the_other_way_round_in_the_variants_answer() -> None:
    said = explain(boards.load(DUTY), ONE_OPEN)
    assert (said.channel, said.states) == (5, ("open",))
    said = explain(boards.load(DUTY), bytes.fromhex("90 07 92 01 00 01 03"))
    assert (said.channel, said.states) == (1, ("closed",))


@pytest.mark.parametrize(
    ("frame", "request_", "reason"),
    [
        ("90 07 82 01 01 01 03", "90 07 02 01 FF 0F 03", ""),
        ("90 07 85 01 05 01 03", "90 06 05 01 05 03", ""),
        ("90 07 85 01 03 00 03", "90 06 05 01 03 03", ""),
        ("90 07 85 01 03 00 03", "90 06 05 01 04 03", "another lock"),
        ("90 07 82 01 01 01 03", "90 07 02 02 FF FF 03", "from station 1"),
        ("90 07 85 01 05 01 03", "90 07 02 01 FF FF 03", "answers function 05"),
        ("90 07 82 01 01 01 03", "90 07 02 01 05 00 03", "ever sent"),
        ("90 07 82 01 01 01 03", "90 07 82 01 01 01 03", "ever sent"),
        ("90 07 82 01 01 01 03", "", "shorter"),
    ],
)
def test_as_a_reply_a_frame_must_fit_its_request(frame: str, request_: str, reason: str) -> None:
    said = explain(boards.load(PLAIN), bytes.fromhex(frame), bytes.fromhex(request_))
    assert said.ok == (not reason)
    assert reason in said.reason
    assert said.states is None or len(said.states) == 12


@pytest.mark.parametrize("profile", [PLAIN, DUTY])
def test_bytes_of_any_kind_are_never_a_surprise(profile: str) -> None:
    rng, board = random.Random(3), boards.load(profile)
    asked = [frames.telegram(profile, Identify(SOMEWHERE)), frames.telegram(profile, DOORS)]
    opening = frames.telegram(profile, pulse(1))
    for _ in range(5000):
        noise = rng.randbytes(rng.randrange(12))
        function = rng.choice([0x02, 0x05, 0x12, 0x82, 0x85, 0x92])
        body = bytes([0x90, 7, function, *rng.randbytes(rng.randrange(5)), 0x03])
        for frame in (noise, body):
            assert explain(board, frame).kind
            assert explain(board, frame, rng.choice([noise, body, asked[0].data])).kind
        assert opening.match(noise) is None
        assert all(each.match(noise) is None for each in asked)
