"""The wiring is refused as a whole where it does not hold, and says where and what to do."""

from dataclasses import replace
from typing import Any

import pytest

from firmware_bridge.errors import WiringError
from firmware_bridge.request import ReadDoors, ReadItems
from firmware_bridge.wiring import CompartmentConfig, LineConfig, Place, Wiring
from locker.domain.ids import BoardId, CompartmentNumber

LINES = {"A": LineConfig("/dev/ttyUSB0")}
BOARDS = {"A/1": "waveshare-32", "A/2": "inputs-32"}


def compartment(n: int, **changes: Any) -> CompartmentConfig:
    wired = CompartmentConfig(f"A/1/{n}", f"A/2/{n}", f"A/2/{16 + n}")
    return replace(wired, **changes)


def build(changed: CompartmentConfig | None = None, **parts: Any) -> Wiring:
    compartments = {n: compartment(n) for n in range(1, 17)}
    if changed is not None:
        compartments[2] = changed
    whole: dict[str, Any] = {"lines": LINES, "boards": BOARDS, "compartments": compartments}
    return Wiring.build(**(whole | parts))


def test_the_demo_cabinet() -> None:
    wiring = build()
    wired = wiring.compartments[CompartmentNumber(7)]
    assert (wired.lock, wired.sensor) == (Place(BoardId("A/1"), 7), Place(BoardId("A/2"), 7))
    assert (str(wired.item), wired.pulse_ms, wired.closed_level) == ("A/2/23", 500, True)
    assert wiring.boards[BoardId("A/2")].poll == ReadDoors(BoardId("A/2"), 1, 32)
    assert wiring.boards[BoardId("A/1")].poll is None
    assert wiring.detection_s("A") < 1


def test_boards_with_locks_and_inputs() -> None:
    compartments = {n: CompartmentConfig(f"A/1/{n}", f"A/1/{n}") for n in range(1, 9)}
    wiring = build(boards={"A/1": "waveshare-d8"}, compartments=compartments)
    assert wiring.boards[BoardId("A/1")].poll == ReadDoors(BoardId("A/1"), 1, 8)


def test_items_on_a_board_of_their_own() -> None:
    boards = {"A/1": "waveshare-d8", "A/2": "inputs-32"}
    wiring = build(boards=boards, compartments={1: CompartmentConfig("A/1/1", "A/1/1", "A/2/30")})
    assert wiring.boards[BoardId("A/2")].poll == ReadItems(BoardId("A/2"), 24, 9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sensor": None}, "has no door sensor; wire one"),
        ({"lock": "A/1/1"}, "lock A/1/1 already belongs to compartment 1"),
        ({"sensor": "A/2/17"}, "item sensor A/2/17|door sensor A/2/17"),
        ({"item": "A/2/2"}, "item sensor A/2/2 already belongs to compartment 2"),
        ({"lock": "A/1/0"}, "from 1"),
        ({"lock": "A/1/33"}, "there are 1 to 32"),
        ({"lock": "A/2/2"}, "this board has none"),
        ({"sensor": "A/1/2"}, "this board has none"),
        ({"sensor": "A/2/33"}, "there are 1 to 32"),
        ({"lock": "A/9/2"}, "boards are A/1, A/2"),
        ({"lock": "7"}, "not written as line/board/channel"),
        ({"pulse_ms": 1500}, "use 100 to 1000 ms in steps of 100"),
        ({"pulse_ms": 150}, "use 100 to 1000 ms in steps of 100"),
        ({"door_closed_level": 2}, "use 0 or 1"),
    ],
)
def test_compartments_that_do_not_hold(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(WiringError, match=words) as refused:
        build(compartment(2, **changes))
    assert refused.value.subject.startswith("compartment ")
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {"boards": BOARDS | {"A/3": "kerong"}},
            "board A/3: .*there are inputs-32, waveshare-32, waveshare-d8",
        ),
        ({"boards": BOARDS | {"A/3": "inputs-32"}}, "board A/3: nothing is wired to it"),
        ({"boards": BOARDS | {"B/1": "inputs-32"}}, "there is no line B"),
        ({"boards": BOARDS | {"A/0": "inputs-32"}}, "addresses count from 1"),
        ({"boards": BOARDS | {"A/248": "inputs-32"}}, "outside 1 to 247"),
        ({"lines": LINES | {"B": LineConfig("/dev/ttyUSB1")}}, "line B: has no board"),
        ({"lines": LINES | {"B": LineConfig("/dev/ttyUSB0")}}, "shares /dev/ttyUSB0"),
        ({"lines": {"A": LineConfig("COM1")}}, "use a device"),
        ({"lines": {"A": LineConfig("/dev/ttyUSB0", 9601)}}, "baud is not supported"),
        ({"lines": {"a b": LineConfig("/dev/ttyUSB0")}}, "no name for a line"),
        ({"compartments": {}}, "wire at least one"),
        ({"compartments": {0: compartment(1)}}, "count from 1"),
    ],
)
def test_cabinets_that_do_not_hold(parts: dict[str, Any], words: str) -> None:
    with pytest.raises(WiringError, match=words):
        build(**parts)


def test_a_line_on_which_openings_are_seen_too_late() -> None:
    boards = {f"A/{n}": "waveshare-d8" for n in range(1, 21)}
    compartments = {n: CompartmentConfig(f"A/{n}/1", f"A/{n}/1") for n in range(1, 21)}
    build(boards=boards, compartments=compartments)
    with pytest.raises(WiringError, match="split the line or raise its baud rate"):
        build(lines={"A": LineConfig("/dev/ttyUSB0", 1200)}, boards=boards, compartments=compartments)
