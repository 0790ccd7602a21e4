"""Which boards hang on a line, and of which profile: what to ask, and what the answers say. Pure; reads only.

A guess is what explains most of the answers. Where reads cannot tell two profiles apart, both are named: they
may pulse their locks in different ways, so which one it is must be looked at on the board.
"""

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from firmware_bridge import boards
from firmware_bridge.boards.profile import BoardProfile, Modbus
from firmware_bridge.codecs import encode, explain
from firmware_bridge.happenings import Frame
from firmware_bridge.request import (
    Bits,
    Done,
    Fits,
    Identify,
    ReadCoils,
    ReadDoors,
    Reading,
    ReadModes,
    Refused,
    Reply,
    Unfit,
)
from locker.domain.ids import BoardId

NOWHERE: Final = BoardId("?")
PATIENCE_MIN_MS: Final = 100
DRAIN_MS: Final = 50
GATEWAY_MS: Final = 1_500
"""Gateways wait up to a second for a board, and say nothing else meanwhile."""
REGISTERS: Final = 3
"""The function that reads registers: what a board keeps there says more of it than that it has inputs."""
ORDER_BYTES_MIN: Final = 5
"""No family's order is shorter."""
READ_KINDS: Final = frozenset(
    {
        *("read_doors", "read_coils", "read_modes", "identify"),
        *("doors", "coils", "registers", "refused", "report", "unknown"),
    }
)
"""What a frame may be taken for without anything moving."""
BEHIND_A_GATEWAY: Final = ("exception 10 ", "exception 11 ")
"""What a gateway says for a board that is not there."""

ASKS: Final[Mapping[str, Callable[[BoardProfile], Reading | None]]] = MappingProxyType(
    {
        "identify": lambda _profile: Identify(NOWHERE),
        "modes": lambda profile: ReadModes(NOWHERE) if _modbus(profile, "modes") else None,
        "coils": lambda profile: ReadCoils(NOWHERE) if _modbus(profile, "coils") else None,
        "doors": lambda profile: ReadDoors(NOWHERE, 1, profile.inputs.channels) if profile.inputs else None,
    }
)
"""All that is ever asked, by name; None where a profile has no such question."""


@dataclass(frozen=True, slots=True)
class Question:
    profile: BoardProfile
    address: int
    ask: str
    """One of `ASKS`."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody answers at ``address``. More than one profile: reads cannot tell them apart; none: whoever
    it is, no profile fits."""

    address: int
    profiles: tuple[str, ...]
    against: Mapping[str, str]
    """Why others do not fit, where the board itself said so."""


Survey = Generator[Question, Reply | None, tuple[Found, ...]]


def survey(profiles: Iterable[BoardProfile], addresses: Iterable[int]) -> Survey:
    """Yields what to ask next, is sent the reply or None, and returns what was found."""
    known, found = tuple(profiles), []
    for address in addresses:
        reachable = [p for p in known if p.address.min <= address <= p.address.max]
        fitting = [p for p in reachable if harmless(p, address)]
        board = yield from _at(address, fitting)
        if board is not None:
            found.append(board)
    return tuple(found)


@cache
def harmless(profile: BoardProfile, address: int) -> bool:
    """Whether no other family could take any of the questions, or a part of one, for an order.

    A Winnsen board's question at address 150 is, byte for byte, an 8A board's order to open 21 locks at once.
    """
    requests = [asked for ask in ASKS if (asked := request(profile, ask)) is not None]
    questions = {encode(profile, address, asked).data for asked in requests}
    heard_as = (
        explain(other, data[start:end])
        for other in _witnesses(_family(profile))
        for data in questions
        for start in range(len(data))
        for end in range(start + ORDER_BYTES_MIN, len(data) + 1)
    )
    return not any(said.ok and said.kind not in READ_KINDS for said in heard_as)


@cache
def _witnesses(family: tuple[str, str]) -> tuple[BoardProfile, ...]:
    """All kinds of boards that speak otherwise."""
    every = (boards.load(name) for name in boards.names())
    return tuple(profile for profile in every if _family(profile) != family)


def _family(profile: BoardProfile) -> tuple[str, str]:
    return profile.codec.partition("-")[0], getattr(profile.speech, "frame", "")


def askable(profiles: Iterable[BoardProfile], *, packets: bool) -> tuple[BoardProfile, ...]:
    """Those whose questions may go to a line. ``packets``: it is behind a gateway, which speaks Modbus alone
    and would make something else of any other family's."""
    return tuple(profile for profile in profiles if not packets or isinstance(profile.speech, Modbus))


def hurried(profile: BoardProfile, *, packets: bool) -> BoardProfile:
    """The same board, not waited for as long: most addresses are nobody's. A gateway waits for those."""
    transport = profile.transport
    patience_ms = min(transport.reply_timeout_ms, max(PATIENCE_MIN_MS, 2 * transport.turn_around_ms))
    return replace(
        profile,
        transport=replace(
            transport, reply_timeout_ms=GATEWAY_MS if packets else patience_ms, drain_ms=DRAIN_MS
        ),
    )


def telegram(question: Question) -> bytes:
    """Its bytes on the wire."""
    asked = request(question.profile, question.ask)
    assert asked is not None, "a survey asks only what a profile has"  # noqa: S101  # programmer error
    return encode(question.profile, question.address, asked).data


def request(profile: BoardProfile, ask: str) -> Reading | None:
    """None where there is no such question to a board of this profile."""
    return ASKS[ask](profile) if ask in ASKS else None


def _modbus(profile: BoardProfile, part: str) -> bool:
    return isinstance(profile.speech, Modbus) and getattr(profile.speech, part) is not None


def _at(address: int, profiles: Sequence[BoardProfile]) -> Generator[Question, Reply | None, Found | None]:
    silent: set[tuple[bytes, int]] = set()
    fits: dict[str, tuple[int, ...]] = {}
    against: dict[str, str] = {}
    for profile in profiles:
        first = encode(profile, address, Identify(NOWHERE))
        shape = (first.data, first.reply_length)
        if shape in silent:
            continue
        reply = yield Question(profile, address, "identify")
        if _nobody(reply):
            silent.add(shape)
        elif (why := _refusal(reply)) is not None:
            against[profile.name] = why
        else:
            why = yield from _proved(profile, address)
            if why is None:
                fits[profile.name] = _evidence(profile, address)
            else:
                against[profile.name] = why
    if not fits and not against:
        return None
    most = max(fits.values(), default=())
    return Found(address, tuple(name for name, weight in fits.items() if weight == most), against)


def _proved(profile: BoardProfile, address: int) -> Generator[Question, Reply | None, str | None]:
    """Why it is none of this profile after all; None where everything it should answer is answered."""
    for ask in ASKS:
        if ask == "identify" or request(profile, ask) is None:
            continue
        reply = yield Question(profile, address, ask)
        if reply is None:
            reply = yield Question(profile, address, ask)  # a read may be repeated: one may get lost
        if reply is None:
            return f"no answer when asked for its {ask}"
        why = _refusal(reply)
        # Relays that are set up dangerously are still relays of this kind; wrong ones refuse.
        if why is not None and not (ask == "modes" and why.startswith("inputs drive")):
            return why
    return None


def _nobody(reply: Reply | None) -> bool:
    return reply is None or (isinstance(reply, Unfit) and reply.why.startswith(BEHIND_A_GATEWAY))


def _refusal(reply: Reply | None) -> str | None:
    match reply:
        case Unfit(why):
            return why
        case Refused(code):
            return f"exception {code}"
    return None


def _evidence(profile: BoardProfile, address: int) -> tuple[int, ...]:
    """How much of a board the profile explains: what it is, how many questions, how many bytes."""
    requests = [r for ask in ASKS if (r := request(profile, ask)) is not None]
    telegrams = [encode(profile, address, r) for r in requests]
    speech = profile.speech
    registers = isinstance(speech, Modbus) and speech.identify.function == REGISTERS
    return (
        registers + _modbus(profile, "modes"),
        len({each.data for each in telegrams}),
        sum(each.reply_length for each in telegrams),
    )


# --- what the line itself says ----------------------------------------------------------------------------


def concerning(frames: Iterable[Frame], asked: Container[bytes]) -> tuple[Frame, ...]:
    """Of a line on which others speak as well: these telegrams, and what came to them."""
    kept, ours = [], False
    for frame in frames:
        ours = frame.data in asked if frame.sent else ours
        if ours:
            kept.append(frame)
    return tuple(kept)


def echoes(frames: Iterable[Frame]) -> bool:
    """Whether the adapter hands back what it sends: every telegram that met any bytes met its own first."""
    met = [(sent, came) for sent, came in _exchanges(frames) if came]
    return bool(met) and all(came.startswith(sent) for sent, came in met)


def remarks(found: Sequence[Found], frames: Sequence[Frame], *, packets: bool = False) -> tuple[str, ...]:
    """What is to be said of the line as a whole. ``packets``: it is behind a gateway."""
    said = []
    heard = any(not frame.sent and frame.data for frame in frames)
    echo = echoes(frames)
    if echo:
        said.append("the adapter echoes what it sends: a reading shows it, and the driver allows for it")
    if found or not frames:
        return tuple(said)
    if packets:
        who = "the gateway answers, but no board behind it" if heard else "the gateway answers nothing"
        said.append(f"{who}: check the addresses, and the boards' power, baud rate, A and B behind it")
    elif heard and not echo:
        said.append("bytes come that fit no family known here: check the baud rate, then A and B")
    else:
        said.append("nobody answers: swap A and B, check power, baud rate, termination and the addresses")
    return tuple(said)


def _exchanges(frames: Iterable[Frame]) -> Iterator[tuple[bytes, bytes]]:
    """Each telegram, and all that came before the next one."""
    sent, came = b"", b""
    for frame in frames:
        if frame.sent:
            if sent:
                yield sent, came
            sent, came = frame.data, b""
        else:
            came += frame.data
    if sent:
        yield sent, came


# --- replies as JSON, for the control socket --------------------------------------------------------------


def said(reply: Reply | None) -> Mapping[str, Any] | None:
    match reply:
        case None:
            return None
        case Bits(levels):
            return {"kind": "bits", "levels": list(levels)}
        case Unfit(why):
            return {"kind": "unfit", "why": why}
        case Refused(code):
            return {"kind": "refused", "code": code}
    return {"kind": "fits" if isinstance(reply, Fits) else "done"}


def heard(answer: Mapping[str, Any] | None) -> Reply | None:
    """The reverse of `said`."""
    if answer is None:
        return None
    match answer["kind"]:
        case "bits":
            return Bits(tuple(answer["levels"]))
        case "unfit":
            return Unfit(str(answer["why"]))
        case "refused":
            return Refused(int(answer["code"]))
    return Fits() if answer["kind"] == "fits" else Done()
