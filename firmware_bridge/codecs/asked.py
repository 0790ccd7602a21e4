"""Which request of ours some bytes are, so that a frame can be explained as the reply to it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from firmware_bridge.boards.profile import BoardProfile, Locks
from firmware_bridge.codecs.codec import Explained, refuse
from firmware_bridge.errors import RequestError
from firmware_bridge.request import Identify, Pulse, ReadDoors, Reply, Request, Telegram
from locker.domain.ids import BoardId

NOWHERE: Final = BoardId("?")
"""The board of a request that is only compared, never sent."""
NEVER: Final = "this product never sends it"


class Asked(NamedTuple):
    request: Request
    telegram: Telegram

    def reply(self, frame: bytes) -> Reply | None:
        """What the frame answers, if all of it is the answer."""
        matched = self.telegram.match(frame)
        return matched[0] if matched is not None and matched[1] == len(frame) else None


def find(encode: Callable[[Request], Telegram], ours: Iterable[Request], data: bytes) -> Asked | None:
    """The first of ``ours`` whose telegram these bytes are."""
    for request in ours:
        try:
            telegram = encode(request)
        except RequestError:
            continue
        if telegram.data == data:
            return Asked(request, telegram)
    return None


def answered(
    encode: Callable[[Request], Telegram],
    profile: BoardProfile,
    request: bytes,
    frame: bytes,
    mismatch: Callable[[bytes, bytes], str],
) -> Asked | Explained:
    """What ``frame`` answers, or why it does not; ``mismatch`` says that of a frame and a request of ours."""
    asked = find(encode, of_lock_board(profile), request)
    if asked is None:
        return foreign()
    return asked if asked.reply(frame) is not None else refuse(mismatch(frame, request))


def foreign() -> Explained:
    """For the reply to a request that `find` does not know."""
    return refuse("the request is none that is ever sent to this kind of board")


def of_lock_board(profile: BoardProfile) -> Iterator[Request]:
    """Everything that the product says to a board which reads all its doors at once."""
    yield Identify(NOWHERE)
    if profile.inputs:
        yield ReadDoors(NOWHERE, 1, profile.inputs.channels)
    if profile.locks:
        for channel in range(1, profile.locks.channels + 1):
            yield from pulses(profile.locks, channel)


def pulses(locks: Locks, channel: int) -> Iterator[Pulse]:
    """Of every length that the board takes."""
    for pulse_ms in range(locks.pulse_min_ms, locks.pulse_max_ms + 1, locks.unit_ms):
        yield Pulse(NOWHERE, channel, pulse_ms, 0.0)
