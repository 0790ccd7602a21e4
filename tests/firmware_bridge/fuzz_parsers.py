"""Random bytes and maimed frames for the parsers, judged by a second opinion; the test run takes some, a soak
as many as asked.

Wrong is an exception, an answer that the second opinion does not take for one, a level that the frame does
not carry, an order confirmed by its own echo, and a frame explained as sound that is not.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random  # noqa: TID251  # seeded noise
from typing import Final

from firmware_bridge import boards
from firmware_bridge.boards import BoardProfile
from firmware_bridge.codecs import encode, explain
from firmware_bridge.errors import RequestError
from firmware_bridge.exchange import Exchange, Timing
from firmware_bridge.request import (
    AllOff,
    Bits,
    Done,
    Identify,
    Pulse,
    ReadCoils,
    ReadDoors,
    ReadInputs,
    ReadModes,
    Release,
    Reply,
    Request,
    Telegram,
)
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import SOMEWHERE
from tests.firmware_bridge.second_opinion import OPINIONS, Levels, Opinion

CHUNKS: Final = (1, 2, 3, 5, 8, 40)
EXPLAINED: Final = {"modbus": 0.2}
"""How often frames are explained as well, where that is slow; else always."""


@dataclass(frozen=True, slots=True)
class Question:
    profile: BoardProfile
    request: Request
    telegram: Telegram


@dataclass(frozen=True, slots=True)
class Fuzzer:
    rng: Random
    opinion: Opinion
    questions: Sequence[Question]
    known: Sequence[bytes]
    """Sound frames, and such as a manual printed wrongly."""

    def run(self, inputs: int) -> Counter[str]:
        tally = Counter(inputs=inputs, wrong=0)
        for _ in range(inputs):
            question = self.rng.choice(self.questions)
            pieces = [self._piece(question) for _ in range(self.rng.randint(1, 4))]
            try:
                tally.update(self._heard(question, b"".join(pieces)))
                if self.rng.random() < EXPLAINED.get(question.profile.codec, 1.0):
                    tally.update(self._explained(question, self.rng.choice([*pieces, b"".join(pieces)])))
            except Exception as error:
                error.add_note(f"{question.profile.name}, {question.request}: {b''.join(pieces).hex(' ')}")
                raise
        return tally

    # What comes in

    def _piece(self, question: Question) -> bytes:
        rng, asked = self.rng, question.telegram.data
        kind = rng.random()
        if kind < 0.2:
            return rng.randbytes(rng.randint(0, 12))
        if kind < 0.55:
            whole = self.opinion.reply(rng, question.profile, asked)
        elif kind < 0.7:
            other = rng.choice(self.questions)
            whole = self.opinion.reply(rng, other.profile, other.telegram.data)
        else:
            whole = asked if kind < 0.85 else rng.choice(self.known)
        return whole if rng.random() < 0.4 else self._maimed(whole)

    def _maimed(self, whole: bytes) -> bytes:
        rng, it = self.rng, bytearray(whole)
        for _ in range(rng.randint(1, 2)):
            place, harm = rng.randrange(len(it)), rng.randrange(6)
            if harm == 0:
                it[place] ^= 1 << rng.randrange(8)
            elif harm == 1:
                it[place] = rng.randrange(256)
            elif harm == 2:
                it[place:place] = rng.randbytes(1)
            elif harm == 3 and len(it) > 1:
                del it[place]
            elif harm == 4 and place:
                del it[place:]
            else:  # what no XOR sees
                bit = 1 << rng.randrange(8)
                it[place] ^= bit
                it[rng.randrange(len(it))] ^= bit
        resealed = len(it) > 5 and rng.random() < 0.4
        return self.opinion.sealed(bytes(it)) if resealed else bytes(it)

    # What is made of it

    def _heard(self, question: Question, stream: bytes) -> Iterator[str]:
        rng, line = self.rng, Exchange(Timing(9600))
        known_echo = line.echo = rng.choice([True, False, None])
        matched: list[tuple[Reply, bytes]] = []
        line.begin(_recorded(question.telegram, matched), 1.0, 10.0)
        at, now, answer = 0, 10.0, None
        while at < len(stream) and answer is None:
            size = rng.choice(CHUNKS)
            now += rng.choice([0.002, 0.3])
            answer = line.received(stream[at : at + size], now)
            at += size
        if answer is None:
            yield "silent"
            return
        reply, frame = matched[-1]
        own = question.telegram.data
        by_echo = known_echo is not False and frame == own and stream.count(own) < 2
        yield "answered"
        if (
            reply is not answer.reply
            or not self.opinion.answers(question.profile, own, frame)
            or (isinstance(reply, Done) and by_echo)
            or not self._carried(question, reply, frame)
        ):
            yield "wrong"
            print(f"{question.profile.name}: {own.hex(' ')} answered by {frame.hex(' ')}: {reply}")

    def _carried(self, question: Question, reply: Reply, frame: bytes) -> bool:
        """Whether every level that is told stands in the frame."""
        if not isinstance(reply, Bits):
            return True
        said = self.opinion.levels(question.profile, question.telegram.data, frame)
        first = _first(question)
        return all(level is None or said.get(n) is level for n, level in enumerate(reply.levels, first))

    def _explained(self, question: Question, data: bytes) -> Iterator[str]:
        asked = self.rng.choice([b"", question.telegram.data, self.rng.choice(self.known)])
        it = explain(question.profile, data, asked or None)
        if not it.ok:
            yield "refused"
            return
        yield "explained"
        sound = self.opinion.sound(data)
        if asked:
            sound = sound and self.opinion.answers(question.profile, asked, data)
        if sound and it.states and "closed" in it.states:
            said = self.opinion.levels(question.profile, asked, data)
            sound = _closed(question.profile, it.states, it.first or 1) <= _shut(question.profile, said)
        if not sound:
            yield "wrong"
            print(f"{question.profile.name}: {asked.hex(' ')} and {data.hex(' ')} explained as {it}")


def _closed(profile: BoardProfile, states: Sequence[str], first: int) -> set[int]:
    """Channels that are told to be closed, as the second opinion counts them."""
    start = 1 if profile.codec == "modbus" else first
    return {n for n, state in enumerate(states, start) if state == "closed"}


def _shut(profile: BoardProfile, said: Levels) -> set[int]:
    assert profile.inputs is not None
    return {n for n, level in said.items() if level == bool(profile.inputs.closed_level)}


def _first(question: Question) -> int:
    """Where the second opinion counts the first channel asked for."""
    speech = question.profile.speech
    if not isinstance(question.request, ReadInputs):
        return 1
    whole = not isinstance(speech, boards.profile.Modbus) or (
        speech.inputs is not None and speech.inputs.bitmap
    )
    return question.request.first if whole else 1


def _recorded(telegram: Telegram, matched: list[tuple[Reply, bytes]]) -> Telegram:
    def match(window: bytes) -> tuple[Reply, int] | None:
        found = telegram.match(window)
        if found is not None:
            matched.append((found[0], window[: found[1]]))
        return found

    return replace(telegram, match=match)


def _questions(rng: Random, profile: BoardProfile) -> Iterator[Question]:
    for address in {profile.address.min, profile.address.max, rng.randint(1, 9)}:
        for request in _requests(rng, profile):
            with suppress(RequestError):
                yield Question(profile, request, encode(profile, address, request))


def _requests(rng: Random, profile: BoardProfile) -> Iterator[Request]:
    yield from (Identify(SOMEWHERE), ReadModes(SOMEWHERE), ReadCoils(SOMEWHERE), AllOff(SOMEWHERE))
    if profile.inputs:
        channels = profile.inputs.channels
        yield ReadDoors(SOMEWHERE, 1, channels)
        for _ in range(3):
            first = rng.randint(1, channels)
            yield ReadDoors(SOMEWHERE, first, rng.randint(1, channels - first + 1))
    if profile.locks:
        for channel in {1, profile.locks.channels, rng.randint(1, profile.locks.channels)}:
            yield Release(SOMEWHERE, channel)
            yield Pulse(SOMEWHERE, channel, profile.locks.pulse_default_ms, 0.0)


def families() -> tuple[str, ...]:
    return tuple(sorted({boards.load(name).codec for name in boards.names()}))


def run(inputs: int, seed: int, codec: str) -> Counter[str]:
    """How often each outcome came, and under "wrong" what must never be."""
    rng = Random(seed)
    profiles = [profile for profile in map(boards.load, boards.names()) if profile.codec == codec]
    questions = [question for profile in profiles for question in _questions(rng, profile)]
    known = [
        *frames.every(),
        *(question.telegram.data for question in questions),
    ]
    return Fuzzer(rng, OPINIONS[codec], questions, known).run(inputs)
