"""What a frame of each family is, written once more from the manuals and sharing nothing with the codecs.

Fuzzing judges by it. It is as strict as the manuals are and no stricter: it may let a frame pass that a codec
has reasons of its own to refuse.
"""

from collections.abc import Mapping
from random import Random  # noqa: TID251  # seeded noise
from typing import Final, Protocol

from firmware_bridge.boards.profile import BoardProfile, Kerong, Modbus, Xor8a

Levels = dict[int, bool]
"""What a frame says for certain of channels, counted from 1."""


class Opinion(Protocol):
    def sealed(self, data: bytes) -> bytes:
        """The same bytes with a checksum and a length that hold."""
        ...

    def sound(self, frame: bytes) -> bool:
        """Whether this is one whole frame of the family."""
        ...

    def answers(self, profile: BoardProfile, asked: bytes, frame: bytes) -> bool:
        """Whether it is a whole answer to exactly this question."""
        ...

    def levels(self, profile: BoardProfile, asked: bytes, frame: bytes) -> Levels:
        """Which levels it carries. ``asked`` is empty where the question is not known."""
        ...

    def reply(self, rng: Random, profile: BoardProfile, asked: bytes) -> bytes:
        """Something that a board may answer."""
        ...


def xored(data: bytes) -> int:
    rest = 0
    for octet in data:
        rest ^= octet
    return rest


def crc16(data: bytes) -> bytes:
    rest = 0xFFFF
    for octet in data:
        rest ^= octet
        for _ in range(8):
            rest = (rest >> 1) ^ (0xA001 if rest & 1 else 0)
    return rest.to_bytes(2, "little")


def numbered(value: int, count: int) -> Levels:
    return {n + 1: bool(value >> n & 1) for n in range(count)}


class OfXor8a:
    def sealed(self, data: bytes) -> bytes:
        return data[:-1] + bytes([xored(data[:-1])])

    def sound(self, frame: bytes) -> bool:
        return len(frame) >= 5 and xored(frame) == 0

    def answers(self, profile: BoardProfile, asked: bytes, frame: bytes) -> bool:
        speech = profile.speech
        assert isinstance(speech, Xor8a)
        if not self.sound(frame) or frame[:2] != asked[:2]:
            return False
        if asked[0] == 0x80 and asked[2] == 0:
            return len(frame) == 4 + speech.status_bytes and frame[-2] == 0x33
        return len(frame) == 5 and frame[2] == asked[2] and frame[3] in {0x00, 0x11}

    def levels(self, profile: BoardProfile, asked: bytes, frame: bytes) -> Levels:
        del asked
        speech = profile.speech
        assert isinstance(speech, Xor8a)
        if len(frame) == 5:
            return {frame[2]: frame[3] == 0x11}
        status = frame[2:-2]
        return numbered(int.from_bytes(status, "big" if speech.high_first else "little"), 8 * len(status))

    def reply(self, rng: Random, profile: BoardProfile, asked: bytes) -> bytes:
        speech = profile.speech
        assert isinstance(speech, Xor8a)
        head, level = asked[:2], bytes([rng.choice([0x00, 0x11])])
        if asked[0] == 0x80 and asked[2] == 0:
            return self.sealed(head + rng.randbytes(speech.status_bytes) + b"\x33\x00")
        return self.sealed(head + asked[2:3] + level + b"\x00")


class OfWkly:
    def sealed(self, data: bytes) -> bytes:
        data = data[:4] + bytes([len(data) & 0xFF]) + data[5:]
        return data[:-1] + bytes([xored(data[:-1])])

    def sound(self, frame: bytes) -> bool:
        return frame[:4] == b"\x57\x4b\x4c\x59" and 8 <= len(frame) == frame[4] and xored(frame) == 0

    def answers(self, profile: BoardProfile, asked: bytes, frame: bytes) -> bool:
        if not self.sound(frame) or frame[5:7] != asked[5:7]:
            return False
        if asked[6] == 0x84:
            assert profile.inputs is not None
            return frame[7] == 0 and frame[8] == profile.inputs.channels == len(frame) - 10
        return len(frame) == 11 and frame[7] in {0x00, 0xFF} and frame[8] == asked[7]

    def levels(self, profile: BoardProfile, asked: bytes, frame: bytes) -> Levels:
        del profile, asked
        if frame[6] == 0x85:
            said = {frame[7]: frame[8]}
        elif frame[6] == 0x84:
            said = dict(enumerate(frame[9:-1], 1))
        else:
            said = {frame[8]: frame[9]}
        return {channel: state == 1 for channel, state in said.items() if state in {0, 1}}

    def reply(self, rng: Random, profile: BoardProfile, asked: bytes) -> bytes:
        status = rng.choice(b"\x00\x00\x00\xff")
        if asked[6] == 0x84:
            assert profile.inputs is not None
            states = bytes(rng.choice(b"\x00\x01\x01\xff") for _ in range(profile.inputs.channels))
            return self.sealed(asked[:7] + bytes([0, len(states)]) + states + b"\x00")
        return self.sealed(asked[:7] + bytes([status, asked[7], rng.choice(b"\x00\x01")]) + b"\x00")


class OfModbus:
    def sealed(self, data: bytes) -> bytes:
        return data[:-2] + crc16(data[:-2])

    def sound(self, frame: bytes) -> bool:
        return len(frame) >= 4 and crc16(frame[:-2]) == frame[-2:]

    def answers(self, profile: BoardProfile, asked: bytes, frame: bytes) -> bool:
        del profile
        if not self.sound(frame) or frame[0] != asked[0]:
            return False
        if frame[1] == asked[1] | 0x80:
            return len(frame) == 5
        return frame == asked or (
            frame[1] == asked[1] <= 3 and frame[2] == _data_bytes(asked) == len(frame) - 5
        )

    def levels(self, profile: BoardProfile, asked: bytes, frame: bytes) -> Levels:
        """Counted from the first channel that is asked for, but in a bitmap from the first there is."""
        speech = profile.speech
        assert isinstance(speech, Modbus)
        data = frame[3:-2]
        if frame[1] > 3:
            return {}
        count = int.from_bytes(asked[4:6], "big") if asked else 8 * len(data)
        if frame[1] < 3:
            return numbered(int.from_bytes(data, "little"), count)
        words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        if (
            speech.inputs
            and speech.inputs.bitmap
            and int.from_bytes(asked[2:4], "big") == speech.inputs.address
        ):
            return numbered(sum(word << 16 * n for n, word in enumerate(words)), 16 * count)
        return {n: bool(word) for n, word in enumerate(words, 1) if word in {0, 1}}

    def reply(self, rng: Random, profile: BoardProfile, asked: bytes) -> bytes:
        del profile
        if rng.random() < 0.2:
            return self.sealed(bytes([asked[0], asked[1] | 0x80, rng.randint(1, 4), 0, 0]))
        if asked[1] > 3:
            return asked
        octets = _data_bytes(asked)
        data = (
            rng.randbytes(octets)
            if rng.random() < 0.5
            else bytes(n % 2 * rng.randrange(2) for n in range(octets))
        )
        return self.sealed(asked[:2] + bytes([octets]) + data + b"\x00\x00")


def _data_bytes(asked: bytes) -> int:
    count = int.from_bytes(asked[4:6], "big")
    return 2 * count if asked[1] == 3 else -(-count // 8)


class OfKerong:
    def sealed(self, data: bytes) -> bytes:
        return data[:-1] + bytes([sum(data[:-1]) & 0xFF])

    def sound(self, frame: bytes) -> bool:
        good = len(frame) >= 5 and (frame[0], frame[-2]) == (0x02, 0x03)
        return good and sum(frame[:-1]) & 0xFF == frame[-1]

    def answers(self, profile: BoardProfile, asked: bytes, frame: bytes) -> bool:
        """To an order to open there is no answer."""
        speech = profile.speech
        assert isinstance(speech, Kerong)
        if not self.sound(frame):
            return False
        if speech.frame == "five":
            return len(frame) == 9 and asked[2] == 0x30 and frame[1] == asked[1] and frame[2] == 0x35
        length = speech.status_offset + speech.status_bytes + 2
        return len(frame) == length and asked[3] == 0x60 and frame[1:4] == bytes([asked[1], 0, 0x75])

    def levels(self, profile: BoardProfile, asked: bytes, frame: bytes) -> Levels:
        del asked
        speech = profile.speech
        assert isinstance(speech, Kerong)
        data = frame[3:-2] if speech.frame == "five" else frame[speech.status_offset : -2]
        return numbered(int.from_bytes(data, "little"), 8 * len(data))

    def reply(self, rng: Random, profile: BoardProfile, asked: bytes) -> bytes:
        speech = profile.speech
        assert isinstance(speech, Kerong)
        if speech.frame == "five":
            return self.sealed(b"\x02" + asked[1:2] + b"\x35" + rng.randbytes(4) + b"\x03\x00")
        length = bytes([speech.status_bytes])[: speech.status_offset - 4]
        return self.sealed(
            asked[:2] + b"\x00\x75" + length + rng.randbytes(speech.status_bytes) + b"\x03\x00"
        )


class OfWinnsen:
    """There is no checksum: what is sound is only the shape."""

    def sealed(self, data: bytes) -> bytes:
        return b"\x90" + bytes([len(data) & 0xFF]) + data[2:-1] + b"\x03"

    def sound(self, frame: bytes) -> bool:
        return len(frame) in {6, 7} and frame[1] == len(frame) and (frame[0], frame[-1]) == (0x90, 0x03)

    def answers(self, profile: BoardProfile, asked: bytes, frame: bytes) -> bool:
        results = {0, 1, 2} if profile.codec == "winnsen-duty" else {0, 1}
        if not self.sound(frame) or (frame[2], frame[3]) != (asked[2] | 0x80, asked[3]) or len(frame) != 7:
            return False
        return asked[2] == 0x02 or (frame[4] == asked[4] and frame[5] in results)

    def levels(self, profile: BoardProfile, asked: bytes, frame: bytes) -> Levels:
        del profile, asked
        if frame[2] == 0x92:
            return {frame[5]: frame[4] == 1} if frame[4] in {0, 1} else {}
        return numbered(frame[4] | frame[5] << 8, 16) if frame[2] == 0x82 else {}

    def reply(self, rng: Random, profile: BoardProfile, asked: bytes) -> bytes:
        del profile
        data = rng.randbytes(2) if asked[2] == 0x02 else asked[4:5] + bytes([rng.choice([0, 1, 1, 2])])
        return bytes([0x90, 0x07, asked[2] | 0x80, asked[3]]) + data + b"\x03"


OPINIONS: Final[Mapping[str, Opinion]] = {
    "modbus": OfModbus(),
    "xor8a": OfXor8a(),
    "wkly": OfWkly(),
    "kerong": OfKerong(),
    "winnsen": OfWinnsen(),
    "winnsen-duty": OfWinnsen(),
}
"""By the name that a profile gives as its ``codec``."""
