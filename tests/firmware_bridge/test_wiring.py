"""The wiring is refused as a whole where it does not hold, and says where and what to do."""

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.errors import WiringError
from firmware_bridge.request import ReadDoors, ReadItems
from firmware_bridge.wiring import CompartmentConfig, Experimental, LineConfig, Place, Wiring
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
        ({"pulse_ms": 600}, "600 ms is too long for a lock of 500 ms; shorten it, or set pulse_cap_ms"),
        ({"pulse_cap_ms": 400}, "500 ms is too long for a lock of 400 ms"),
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
            "board A/3: .*there are .*inputs-32, .*waveshare-32, waveshare-",
        ),
        ({"boards": BOARDS | {"A/3": "inputs-32"}}, "board A/3: nothing is wired to it"),
        ({"boards": BOARDS | {"B/1": "inputs-32"}}, "there is no line B"),
        ({"boards": BOARDS | {"A/0": "inputs-32"}}, "address 0 is outside 1 to 247"),
        ({"boards": BOARDS | {"A/01": "inputs-32"}}, "not written as line/address"),
        ({"boards": BOARDS | {"A/248": "inputs-32"}}, "outside 1 to 247"),
        ({"lines": LINES | {"B": LineConfig("/dev/ttyUSB1")}}, "line B: has no board"),
        ({"lines": LINES | {"B": LineConfig("/dev/ttyUSB0")}}, "shares /dev/ttyUSB0"),
        ({"lines": {"A": LineConfig("COM1")}}, "use a device"),
        ({"supplies": {"P1": ["A/1", "A/7"]}}, "supply P1: there is no board A/7"),
        ({"supplies": {"P1": ["A/1"], "P2": ["A/1"]}}, "supply P2: feeds A/1, and so does P1"),
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


def test_a_lock_that_bears_more_gets_more() -> None:
    wiring = build(compartment(2, pulse_ms=900, pulse_cap_ms=1000))
    assert wiring.compartments[CompartmentNumber(2)].pulse_ms == 900


def test_a_board_of_ones_own_is_a_file_beside_the_configuration(tmp_path: Path) -> None:
    text = resources.files(boards).joinpath("inputs-32.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(text.replace("channels = 32", "channels = 48"))
    wiring = build(boards=BOARDS | {"A/2": "mine.toml"}, folder=tmp_path)
    profile = wiring.boards[BoardId("A/2")].profile
    assert (profile.name, profile.inputs) == ("mine", boards.Inputs(48))
    with pytest.raises(WiringError, match=r"board A/2: .*other.toml.* cannot be read"):
        build(boards=BOARDS | {"A/2": "other.toml"}, folder=tmp_path)
    (tmp_path / "mine.toml").write_text(text.replace("channels = 32", "channels = 480"))
    with pytest.raises(WiringError, match="1 to 64"):
        build(boards=BOARDS | {"A/2": "mine.toml"}, folder=tmp_path)


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        ("xor8a-24", "winnsen-16", False),
        ("wkly-12", "xor8a-8", False),
        ("kerong-cu16", "waveshare-d8", False),
        ("waveshare-d8", "relay8-high", True),
        ("winnsen-16", "winnsen-16", True),
    ],
)
def test_families_do_not_meet_on_one_line(one: str, other: str, holds: bool) -> None:
    parts: dict[str, Any] = {
        "boards": {"A/1": one, "A/2": other},
        "compartments": {n: CompartmentConfig(f"A/{n}/1", f"A/{n}/1") for n in (1, 2)},
    }
    if holds:
        assert len(build(**parts).boards) == 2
        return
    with pytest.raises(WiringError, match=r"line A: boards of several families: .*give each family a line"):
        build(**parts)


def test_what_is_not_said_of_supplies_is_one_supply() -> None:
    assert {board.supply for board in build().boards.values()} == {"main"}
    split = build(supplies={"P1": ["A/1"]})
    assert [board.supply for board in split.boards.values()] == ["P1", "main"]


def test_a_gateway_keeps_the_silence_itself() -> None:
    line = LineConfig("modbus-tcp://127.0.0.1:502", 19200)
    assert (line.timing.packets, line.timing.silence_s) == (True, 0.0)
    assert not LineConfig("socket://127.0.0.1:4001").timing.packets
    assert build(lines={"A": line}).detection_s("A") > 0.9
    with pytest.raises(WiringError, match="a Modbus gateway carries no wkly frames"):
        build(
            lines={"A": line},
            boards={"A/0": "wkly-12"},
            compartments={1: CompartmentConfig("A/0/1", "A/0/1")},
        )


@pytest.fixture
def unproved(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the profiles has an unsettled fact."""
    real = boards.named

    def named(name: str, folder: Path) -> boards.BoardProfile:
        profile = real(name, folder)
        return replace(profile, experimental="nobody knows") if name == "inputs-32" else profile

    monkeypatch.setattr(boards, "named", named)


@pytest.mark.usefixtures("unproved")
def test_experimental_boards_serve_only_where_they_were_proved() -> None:
    with pytest.raises(WiringError, match=r"A/2: .* is experimental: nobody knows; set accept_experimental"):
        build()
    with pytest.raises(WiringError, match="this wiring was not learned; run lockerctl wiring learn"):
        build(experimental=Experimental(accepted=True))
    learned = build(experimental=Experimental(learning=True)).digest
    proved = Experimental(accepted=True, learned=learned)
    assert build(experimental=proved).digest == learned
    for changed in (compartment(2, item=None), compartment(2, door_closed_level=0)):
        with pytest.raises(WiringError, match="not learned"):
            build(changed, experimental=proved)
