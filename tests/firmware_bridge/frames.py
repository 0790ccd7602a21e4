"""Frames from manuals and captures, and what a line does to them."""

import json
import random  # noqa: TID251  # seeded noise
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from firmware_bridge import boards
from firmware_bridge.codecs import encode
from firmware_bridge.codecs.codec import Explained
from firmware_bridge.errors import RequestError
from firmware_bridge.exchange import Answered, Exchange, Timing
from firmware_bridge.request import AllOff, ReadCoils, ReadModes, Release, Reply, Request, Telegram
from locker.domain.ids import BoardId

SOMEWHERE: Final = BoardId("A/1")
OF_RELAYS: Final = (
    ReadModes(SOMEWHERE),
    ReadCoils(SOMEWHERE),
    AllOff(SOMEWHERE),
    Release(SOMEWHERE, 1),
)
"""Said to relay boards only."""
NOISE: Final = (b"", b"\x01", b"\x02", b"\x90", b"\xfa\xfd\x99\x99", random.Random(7).randbytes(5))


@cache
def _all() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads((Path(__file__).parents[1] / "golden" / "frames.json").read_text("utf-8")))


def of(*families: str) -> list[dict[str, Any]]:
    found = [frame for frame in _all() if frame["board"] in families]
    assert {frame["board"] for frame in found} == set(families)
    return found


def every() -> list[bytes]:
    """Of all families, the wrongly printed ones as well."""
    return [bytes.fromhex(frame["hex"]) for frame in _all()]


def golden(family: str, meaning: str) -> bytes:
    (frame,) = {
        frame["hex"] for frame in of(family) if frame["meaning"] == meaning and frame.get("check_ok", True)
    }
    return bytes.fromhex(frame)


def telegram(profile: str, request: Request, address: int = 1) -> Telegram:
    return encode(boards.load(profile), address, request)


def changed_in_one_byte(frame: bytes) -> Iterator[bytes]:
    for place in range(len(frame)):
        for change in range(1, 256):
            yield frame[:place] + bytes([frame[place] ^ change]) + frame[place + 1 :]


def fits_nowhere(asked: Telegram, window: bytes) -> bool:
    return all(asked.match(window[start:]) is None for start in range(len(window)))


def cannot_be_said(profile: str, request: Request, address: int) -> bool:
    try:
        telegram(profile, request, address)
    except RequestError:
        return True
    return False


def refused(said: Explained, why: str) -> bool:
    return not said.ok and why in said.reason


def asked_on_a_line(asked: Telegram, *, echo: bool | None = False) -> Exchange:
    """In flight since second 10, until about second 11."""
    exchange = Exchange(Timing(9600))
    exchange.echo = echo
    exchange.begin(asked, 1.0, 10.0)
    return exchange


def each_split(asked: Telegram, reply: bytes) -> Iterator[Answered]:
    """The reply in two pieces, at every place, behind every noise."""
    for noise in NOISE:
        for split in range(1, len(reply)):
            exchange = asked_on_a_line(asked)
            assert exchange.received(noise + reply[:split], 10.1) is None
            answer = exchange.received(reply[split:], 10.2)
            assert isinstance(answer, Answered)
            assert answer.noise_bytes == len(noise)
            yield answer


def is_no_answer(asked: Telegram, report: bytes, reply: bytes, meaning: Reply) -> bool:
    """A report that nobody asked for: before and after the reply it is noise, within it the reply is lost."""
    around = [asked_on_a_line(asked).received(data, 10.1) for data in (report + reply, reply + report)]
    within = (reply[:place] + report + reply[place:] for place in range(1, len(reply)))
    return (
        fits_nowhere(asked, report)
        and all(answer is not None and answer.reply == meaning for answer in around)
        and all(asked_on_a_line(asked).received(data, 10.1) is None for data in within)
    )
