"""Frames from elsewhere against the boards of their families: the right ones are obeyed, the wrong ones not.

And the other way: what boards elsewhere have said, ours say in the same situation, octet by octet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from hw_sim.boards import Ailments, Board
from hw_sim.boards.profiles import PROFILES, Options
from hw_sim.boards.wkly import Wkly
from tests.hw_sim import golden
from tests.hw_sim.golden import Golden
from tests.hw_sim.speaking import modbus, summed, xored
from tests.hw_sim.wired import Bench

# Which board answers the frames of a family, and where such a frame says whom it is for.
BOARDS: Final[Mapping[str, tuple[str, int]]] = {
    "generic-fc05-8ch": ("relay8-high", 0),
    "generic-4ch": ("fc05-4", 0),
    "eletechsup-r4": ("eletechsup-n4d3e16", 0),
    "kerong-cu48-modbus": ("kerong-cu48-modbus", 0),
    "8a-xor": ("xor8a-24", 1),
    "wkly": ("wkly-24", 5),
    "kerong-cu16": ("kerong-cu16", 1),
    "kerong-cu48": ("kerong-cu48", 1),
    "winnsen": ("winnsen-16", 3),
}
# Understood, and no business of a lock: nothing is seen to happen.
UNSEEN: Final = {"82 01 00 22 A1", "80 01 00 99 18", "02 00 40 01 03 46"}
FRAMES: Final = [(family, frame) for family in BOARDS for frame in golden.frames(family)]
REQUESTS: Final = [(family, frame) for family, frame in FRAMES if frame.to_board and frame.good]
BROKEN: Final = [(family, frame) for family, frame in FRAMES if not frame.good]
SAID: Final = {(family, frame.octets) for family, frame in FRAMES if not frame.to_board and frame.good}


def name(case: object) -> str:
    return case.octets.hex() if isinstance(case, Golden) else str(case)


def board_of(family: str, address: int, bench: Bench, report: int = 0x81) -> Board:
    kind = PROFILES[BOARDS[family][0]]
    options = Options(min(max(address, kind.lowest), kind.highest), report)
    return kind.build(options, bench.inputs, bench)


def board_for(family: str, frame: Golden, bench: Bench) -> Board:
    address = frame.octets[BOARDS[family][1]]
    return board_of(family, address >> 4 if family == "kerong-cu16" else address, bench)


def test_there_is_something_to_judge_by() -> None:
    assert len(REQUESTS) >= 70
    assert len(SAID) >= 40


@pytest.mark.parametrize(("family", "frame"), REQUESTS, ids=name)
def test_a_right_frame_is_obeyed(family: str, frame: Golden) -> None:
    bench = Bench(levels=[False] * 64)
    station = board_for(family, frame, bench)
    assert station.hears(frame.octets)
    reply = station.answer(frame.octets, 1_000)
    station.advance(3_000)
    seen = bool(reply is not None or station.said() or bench.orders)
    written_to_all = frame.octets[:2] == b"\x00\x10"
    assert seen is (frame.octets.hex(" ").upper() not in UNSEEN and not written_to_all)


@pytest.mark.parametrize(("family", "frame"), BROKEN, ids=name)
def test_a_broken_frame_is_refused(family: str, frame: Golden) -> None:
    bench = Bench()
    station = board_for(family, frame, bench)
    assert not station.hears(frame.octets)
    assert station.answer(frame.octets, 0) is None


@dataclass(frozen=True)
class Scene:
    """Some inputs at 1, what a board is asked, what it says. Its address is 1, or 0 where that is first."""

    family: str
    says: str
    asks: tuple[bytes, ...] = ()
    ones: frozenset[int] = frozenset()
    then: frozenset[int] | None = None  # the inputs at 1 afterwards
    report: int = 0x81


CLOSED_16: Final = frozenset(range(1, 17))
READ_2: Final = modbus("01 03 0001 0002")
ON_1, ON_2, ON_10 = (modbus(f"01 06 00{channel:02x} 0100") for channel in (1, 2, 10))
STATUS_16: Final = summed("02 00 30 03")
POLL: Final = bytes.fromhex("90 07 02 01 FF FF 03")


def scene(family: str, says: str, *asks: bytes, ones: frozenset[int] | set[int] = frozenset()) -> Scene:
    return Scene(family, says, asks, frozenset(ones))


def opened_8a(lock: int, *, still_locked: bool = False) -> Scene:
    state = "11" if still_locked else "00"
    return scene(
        "8a-xor",
        xored(f"8a 01 {lock:02x} {state}").hex(),
        xored(f"8a 01 {lock:02x} 11"),
        ones={lock} if still_locked else set(),
    )


def told_8a(lock: int, state: str, report: int = 0x81) -> Scene:
    says = xored(f"{report:02x} 01 {lock:02x} {state}").hex()
    before, after = (frozenset({lock}), frozenset[int]()) if state == "00" else (frozenset[int](), {lock})
    return Scene("8a-xor", says, (), before, frozenset(after), report)


SCENES: Final = [
    scene("generic-fc05-8ch", "00 03 02 00 01 44 44", modbus("00 03 0000 0001")),
    scene("generic-fc05-8ch", "01 02 01 00 A1 88", modbus("01 02 0000 0008")),
    scene("eletechsup-r4", "01 03 02 00 00 B8 44", modbus("01 03 0001 0001")),
    scene("eletechsup-r4", "01 03 02 00 01 79 84", ON_1, modbus("01 03 0001 0001")),
    scene("eletechsup-r4", "01 03 04 00 01 00 01 6A 33", ON_1, ON_2, READ_2),
    scene("eletechsup-r4", "01 03 04 00 01 00 00 AB F3", ON_1, READ_2),
    scene("eletechsup-r4", "01 03 02 02 02 38 E5", ON_2, ON_10, modbus("01 03 0070 0001")),
    scene("eletechsup-r4", modbus("01 03 10 0001" + "0000" * 7).hex(), modbus("01 03 0081 0008"), ones={1}),
    scene(
        "kerong-cu48-modbus",
        "01 01 06 FF FF FF FF FF FF A1 23",
        modbus("01 01 0000 0030"),
        ones=set(range(1, 49)),
    ),
    scene("kerong-cu16", "02 00 35 FF FF 00 00 03 38", STATUS_16, ones=CLOSED_16),
    scene("kerong-cu16", "02 00 35 FE FF 00 00 03 37", STATUS_16, ones=CLOSED_16 - {1}),
    scene("kerong-cu16", "02 00 35 FF FF 01 00 03 39", STATUS_16, ones=CLOSED_16 | {17}),
    *(opened_8a(lock) for lock in (1, 2, 4, 5, 8, 9, 12)),
    opened_8a(1, still_locked=True),
    scene("8a-xor", "80 01 00 00 00 33 B2", xored("80 01 00 33")),
    scene("8a-xor", "80 01 00 00 02 33 B0", xored("80 01 00 33"), ones={2}),
    scene("8a-xor", "80 01 00 00 20 33 92", xored("80 01 00 33"), ones={6}),
    *(told_8a(lock, "00") for lock in (1, 2, 3, 4)),
    *(told_8a(lock, "11") for lock in (2, 4)),
    told_8a(1, "11", report=0x82),
    scene("wkly", "57 4B 4C 59 09 00 80 00 80", xored("57 4b 4c 59 0c 00 80 03 01 02 03")),
    scene("wkly", "57 4B 4C 59 09 00 80 FF 7F", xored("57 4b 4c 59 0a 00 80 01 19")),
    scene("wkly", "57 4B 4C 59 0B 00 82 00 01 00 81", xored("57 4b 4c 59 09 00 82 01")),
    scene("wkly", "57 4B 4C 59 0B 00 83 00 07 00 86", xored("57 4b 4c 59 09 00 83 07")),
    scene("wkly", xored("57 4b 4c 59 22 00 84 00 18" + "00" * 24).hex(), xored("57 4b 4c 59 08 00 84")),
    scene("wkly", "57 4B 4C 59 0A 00 89 00 03 89", xored("57 4b 4c 59 09 00 89 03")),
    Scene("wkly", "57 4B 4C 59 0A 00 85 02 00 84", (), frozenset({2}), frozenset()),
    scene("winnsen", "90 07 85 01 05 01 03", bytes.fromhex("90 06 05 01 05 03"), ones={5}),
    scene("winnsen", "90 07 85 01 03 00 03", bytes.fromhex("90 06 05 01 03 03")),
    scene("winnsen", "90 07 82 01 00 00 03", POLL),
    scene("winnsen", "90 07 82 01 01 01 03", POLL, ones={1, 9}),
    scene("winnsen", "90 07 82 01 FF FF 03", POLL, ones=CLOSED_16),
]
FOUR_LOCKS: Final = bytes.fromhex("57 4B 4C 59 0E 00 84 00 04 00 01 01 00 87")


@pytest.mark.parametrize("it", SCENES, ids=lambda it: it.says.replace(" ", "").lower())
def test_it_says_what_boards_elsewhere_said(it: Scene) -> None:
    bench = Bench(levels=[channel in it.ones for channel in range(1, 65)])
    counts_from_0 = it.family in ("wkly", "kerong-cu16")
    station = board_of(it.family, 0 if counts_from_0 else 1, bench, it.report)
    station.ail(Ailments(reports=it.then is not None))
    station.advance(0)
    said = [station.answer(request, 1_000) for request in it.asks]
    if it.then is not None:
        bench.levels[:] = [channel in it.then for channel in range(1, 65)]
        station.advance(1_000)
    station.advance(1_200)
    station.advance(2_000)
    said += [late.octets for late in station.said()]
    assert said[-1] == bytes.fromhex(it.says)


def test_a_board_of_four_locks() -> None:
    levels = [False, True, True, False]
    assert Wkly(0, 4, lambda _now_ms: levels, Bench()).answer(xored("57 4b 4c 59 08 00 84"), 0) == FOUR_LOCKS


def test_nothing_that_was_said_is_left_out() -> None:
    scenes = {(it.family, bytes.fromhex(it.says)) for it in SCENES} | {("wkly", FOUR_LOCKS)}
    assert scenes >= SAID
