"""Modbus TCP: packets that are numbered instead of summed, in whatever pieces the stream brings them."""

import struct

import pytest

from firmware_bridge import boards
from firmware_bridge.codecs import encode, modbus
from firmware_bridge.codecs.packets import packed
from firmware_bridge.exchange import Answered, Exchange, Timing
from firmware_bridge.request import (
    Bits,
    Done,
    Failed,
    Identify,
    Pulse,
    ReadDoors,
    Refused,
    Reply,
    Request,
    Telegram,
    Unfit,
)
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import SOMEWHERE

PROFILE = "waveshare-d8"
DOORS = ReadDoors(SOMEWHERE, 1, 8)
PULSE = Pulse(SOMEWHERE, 2, 800, 1.0)
NUMBER = 0x1234
NONE_ON = bytes([1, 2, 1, 0])
"""Unit 1, FC02, one byte: the inputs' reply without its checksum."""
FLASHED = frames.golden("waveshare-v2", "FLASH-ON relay 1 for 8*100 ms")[:-2]


def asked(request: Request, number: int = NUMBER) -> Telegram:
    return packed(encode(boards.load(PROFILE), 1, request), number)


def packet(inner: bytes, number: int = NUMBER, protocol: int = 0, length: int | None = None) -> bytes:
    """Written apart from the product's: the guide's header, then unit and PDU."""
    return struct.pack(">HHH", number, protocol, len(inner) if length is None else length) + inner


@pytest.mark.parametrize(
    ("request_", "inner"),
    [
        (DOORS, bytes.fromhex("01 02 00 00 00 08")),
        (Identify(SOMEWHERE), bytes.fromhex("01 03 80 00 00 01")),
        (PULSE, FLASHED),
    ],
)
def test_a_request_is_the_same_pdu_behind_its_number(request_: Request, inner: bytes) -> None:
    assert asked(request_).data == bytes.fromhex("12 34 00 00 00 06") + inner
    assert asked(request_, number=0x1_0002).data[:2] == b"\x00\x02"


GOOD: list[tuple[Request, bytes, Reply]] = [
    (DOORS, NONE_ON, Bits((False,) * 8)),
    (DOORS, bytes([1, 2, 1, 0x20]), Bits(tuple(n == 5 for n in range(8)))),
    (DOORS, bytes([1, 0x82, 4]), Refused(4)),
    (DOORS, bytes([1, 0x82, 11]), Refused(11)),
    (PULSE, FLASHED, Done()),
    (PULSE, bytes([1, 0x85, 3]), Refused(3)),
    (PULSE, bytes([1, 0x85, 11]), Failed(11)),
]


@pytest.mark.parametrize(("request_", "inner", "means"), GOOD)
def test_replies_are_understood_in_any_two_pieces(request_: Request, inner: bytes, means: object) -> None:
    telegram, reply = asked(request_), packet(inner)
    assert telegram.match(reply) == (means, len(reply))
    assert telegram.match(reply + b"\x12") == (means, len(reply))
    for split in range(1, len(reply)):
        exchange = on_a_connection(telegram)
        assert exchange.received(reply[:split], 10.1) is None
        answer = exchange.received(reply[split:], 10.2)
        assert isinstance(answer, Answered)
        assert (answer.reply, answer.noise_bytes) == (means, 0)


def on_a_connection(telegram: Telegram) -> Exchange:
    exchange = Exchange(Timing(9600, packets=True))
    exchange.begin(telegram, 1.0, 10.0)
    return exchange


def test_the_expected_length_is_the_packets() -> None:
    for request_, inner, _ in GOOD:
        if not inner[1] & 0x80:
            assert asked(request_).reply_length == len(packet(inner))


@pytest.mark.parametrize(
    "other",
    [
        packet(NONE_ON, number=NUMBER - 1),  # of the question before
        packet(NONE_ON, number=0x3412),
        packet(NONE_ON, protocol=1),
        packet(NONE_ON, length=3),
        packet(NONE_ON, length=5),
        packet(NONE_ON, length=0),
        packet(b"\x01"),  # a unit and no PDU
        packet(NONE_ON)[:-1],
        packet(b"\x02" + NONE_ON[1:]),  # another unit
        packet(bytes([1, 1, 1, 0])),  # coils instead of inputs
        packet(bytes([1, 2, 2, 0, 0])),  # more inputs
        packet(bytes([1, 0x83, 2])),  # an exception to another function
        packet(bytes([1, 0x82, 9])),  # an exception that does not exist
        packet(NONE_ON + b"\x00"),  # a byte too many inside
        packet(bytes(260)),
        modbus.frame(1, NONE_ON[1:]),  # RTU through a gateway that is none
        asked(DOORS).data,
        b"",
    ],
    ids=lambda frame: frame.hex(" ")[:40],
)
def test_what_is_not_the_answer_is_refused(other: bytes) -> None:
    assert frames.fits_nowhere(asked(DOORS), other)


@pytest.mark.parametrize(("request_", "inner", "means"), GOOD)
def test_every_changed_byte_outside_the_levels_is_refused(
    request_: Request, inner: bytes, means: object
) -> None:
    """TCP sums what it carries; these checks are against answers to other questions."""
    reply, telegram = packet(inner), asked(request_)
    for bad in frames.changed_in_one_byte(reply):
        matched = telegram.match(bad)
        if matched is not None:
            assert bad[:-1] == reply[:-1], "only the byte that carries levels or an exception's code"
            told = (Failed, Refused) if isinstance(means, Failed | Refused) else type(means)
            assert isinstance(matched[0], told)
            assert not isinstance(matched[0], Done)


def test_a_late_reply_bears_an_old_number_and_is_passed_over() -> None:
    late, now = packet(bytes([1, 2, 1, 0xFF]), number=NUMBER - 1), packet(NONE_ON)
    for split in range(1, len(late + now)):
        exchange, both = on_a_connection(asked(DOORS)), late + now
        answers = [exchange.received(both[:split], 10.1), exchange.received(both[split:], 10.2)]
        (answer,) = [each for each in answers if each is not None]
        assert answer.reply == Bits((False,) * 8)
        assert answer.noise_bytes == len(late)


def test_of_several_packets_in_one_read_the_asked_one_is_taken() -> None:
    before = packet(bytes([1, 2, 1, 0xFF]), number=1) + packet(bytes([1, 0x82, 4]), number=2)
    answer = on_a_connection(asked(DOORS)).received(before + packet(NONE_ON) + packet(NONE_ON, 9), 10.1)
    assert isinstance(answer, Answered)
    assert answer.reply == Bits((False,) * 8)


def test_a_lost_connection_leaves_nothing_behind() -> None:
    exchange = on_a_connection(asked(DOORS))
    assert exchange.received(packet(NONE_ON)[:5], 10.1) is None
    exchange.reset(10.2)
    exchange.begin(asked(DOORS, NUMBER + 1), 1.0, 10.3)
    assert exchange.received(packet(NONE_ON)[5:], 10.4) is None
    answer = exchange.received(packet(NONE_ON, NUMBER + 1), 10.5)
    assert isinstance(answer, Answered)


def test_a_write_is_not_taken_for_an_echo() -> None:
    """A connection repeats nothing, so the same bytes are the gateway's answer."""
    telegram = asked(PULSE)
    assert not telegram.confirmed_by_echo
    answer = on_a_connection(telegram).received(telegram.data, 10.1)
    assert isinstance(answer, Answered)
    assert answer.reply == Done()


def test_an_unfit_board_is_unfit_behind_a_gateway_too() -> None:
    matched = asked(Identify(SOMEWHERE)).match(packet(bytes([1, 3, 2, 0, 100])))
    assert matched is not None
    assert isinstance(matched[0], Unfit)
