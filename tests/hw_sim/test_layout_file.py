"""Cabinets from files: what is read, and that everything which does not fit is refused with its place."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hw_sim.boards.profiles import PROFILES
from hw_sim.layout import Terminal, made
from hw_sim.layout_file import BadLayoutError, load, parse
from hw_sim.settings import wiring
from tests.hw_sim.speaking import SPEECH
from tests.hw_sim.wired import MIXED, Wired

DOCS = Path(__file__).parents[2] / "docs" / "simulator.md"


def document() -> dict[str, Any]:
    return tomllib.loads(MIXED.read_text(encoding="utf-8"))


def test_a_cabinet_of_many_kinds() -> None:
    layout = load(MIXED)
    assert layout.name == "mixed"
    assert layout.lines == ("A", "B", "C")
    assert [layout.wire(line).baud for line in layout.lines] == [9600, 19200, 9600]
    assert [plan.size for plan in layout.compartments] == ["S", "S", "S", "M", "L"]
    assert layout.compartments[4].door == Terminal("C", 1, 8)
    assert not layout.board(layout.compartments[0].door).closed_level


def test_its_lines_live_side_by_side() -> None:
    wired = Wired(load(MIXED))
    assert wired.ask(SPEECH["xor8a-12"].open(1, 2), "A")
    wired.ask(SPEECH["kerong-cu16"].open(0, 1), "B")
    wired.ask(SPEECH["waveshare-d8"].open(1, 1), "C")
    wired.run(1)
    assert wired.opened() == [2, 3, 5]
    # Here a contact is closed while its door is open.
    shut = SPEECH["xor8a-12"].states(wired.ask(SPEECH["xor8a-12"].status(1), "A"))
    assert shut[:3] == [False, True, False]
    assert [pulse.compartment for pulse in wired.pulses] == [2, 3, 5]


def test_the_locker_s_configuration_says_the_same() -> None:
    layout = load(MIXED)
    urls = {line: f"/{line}" for line in layout.lines}
    told = tomllib.loads(wiring(layout, urls, {"A": 9600, "B": 19200, "C": 9600}))
    assert told["lines"]["B"] == {"url": "/B", "baud": 19200}
    assert told["boards"] == {"A/1": "xor8a-12", "B/0": "kerong-cu16", "C/1": "waveshare-d8"}
    assert told["compartments"][0]["door_closed_level"] == 0
    assert told["compartments"][3] == {
        "number": 4,
        "size": "M",
        "reach": "middle",
        "row": 1,
        "column": 1,
        "lock": "B/0/2",
        "sensor": "B/0/2",
        "door_closed_level": 1,
        "item": "B/0/18",
    }
    assert "bridge" not in told


@pytest.mark.parametrize(
    ("profile", "experimental", "cap"),
    [
        ("winnsen-16-duty", True, False),
        ("kerong-cu48", True, False),
        ("fc05-4", True, False),
        ("eletechsup-r4-8", False, True),
        ("xor8a-24-timed", False, True),
        ("xor8a-24", False, False),
    ],
)
def test_what_a_kind_of_board_asks_of_the_configuration(profile: str, experimental: bool, cap: bool) -> None:
    layout = made(profile)
    told = tomllib.loads(wiring(layout, {"A": "/a"}, {"A": 9600}))
    assert told.get("bridge", {}).get("accept_experimental", False) is experimental
    assert told["compartments"][0].get("pulse_cap_ms") == (1_000 if cap else None)


LINE_A, BOARD, DOOR = ("lines", "A"), ("boards", 0), ("compartments", 0)
CU16, RELAYS, CU16_DOOR = ("boards", 1), ("boards", 2), ("compartments", 2)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("colour",), "red", "the file: unknown key 'colour'; known are name, lines"),
        (("name",), 5, "name = 5 is no text"),
        (("lines",), {}, r"no \[lines.NAME\]"),
        (("lines",), [], r"write \[lines.A\]"),
        (("lines", "a"), {}, "lines.a: a line's name begins with a capital"),
        (("lines", "D"), {}, "lines.D: no board hangs on it"),
        ((*LINE_A, "baud"), 9601, "lines.A: baud = 9601 is none of 4800, 9600"),
        ((*LINE_A, "baud"), True, "baud = True is no whole number"),
        ((*LINE_A, "transport"), "pigeon", "transport = 'pigeon' is none of pty, raw-tcp, modbus-tcp"),
        ((*LINE_A, "port"), 5000, "lines.A: port is for raw-tcp and modbus-tcp only"),
        (("lines", "B", "port"), 70_000, "lines.B: port = 70000 lies outside 1 to 65535"),
        (("boards",), {}, r"boards: write \[\[boards\]\]"),
        ((*BOARD, "line"), "Z", "boards, number 1: line = 'Z' is none of A, B, C"),
        ((*BOARD, "profile"), "waveshare-9", "profile = 'waveshare-9' is none of waveshare-8"),
        ((*BOARD, "address"), 32, "address = 32 lies outside 1 to 31"),
        ((*BOARD, "address"), "1", "address = '1' is no whole number"),
        ((*BOARD, "feedback"), "loud", "feedback = 'loud' is none of closed_when_locked"),
        ((*BOARD, "senses"), "smell", "senses = 'smell' is none of leaf, hook"),
        ((*BOARD, "report_header"), 0x83, "report_header = 131 is none of 129, 130"),
        ((*CU16, "feedback"), "closed_when_open", "kerong-cu16 has its own way to tell open from closed"),
        ((*CU16, "report_header"), 0x81, "report_header is for boards of the xor8a family"),
        ((*RELAYS, "profile"), "wkly-12", "wkly-12 speaks no Modbus, and line C is modbus-tcp"),
        (("compartments",), [], r"0 \[\[compartments\]\]; a cabinet has 1 to 500"),
        ((*DOOR, "number"), 2, "compartments: number 2: there twice"),
        ((*DOOR, "number"), 0, "number = 0 lies outside 1 to 9999"),
        ((*DOOR, "row"), 2, "column and row 1, 2: there twice"),
        ((*DOOR, "size"), "XL", "size = 'XL' is none of S, M, L"),
        ((*DOOR, "lock"), "A1", "compartments, number 1: lock = 'A1'; write line, board and channel"),
        ((*DOOR, "lock"), "A/2/1", "lock = 'A/2/1': there is no board A/2"),
        ((*DOOR, "lock"), "A/1/13", "lock = 'A/1/13': that board's locks are 1 to 12"),
        ((*DOOR, "lock"), "A/1/3", "the board of lock A/1/3 tells its door itself: door = 'A/1/3'"),
        ((*DOOR, "item"), "A/1/5", "item = 'A/1/5': that board has no item inputs"),
        ((*CU16_DOOR, "item"), "B/0/1", "that board's item inputs are 17 to 32"),
        ((*CU16_DOOR, "item"), "B/0/18", "compartments: input B/0/18: there twice"),
        (("faults", "Z"), {}, "faults.Z: there is no line Z; there are A, B, C"),
        (("faults", "A"), {"tornado": 1}, "faults.A: unknown fault 'tornado'"),
        (("faults", "A"), {"dead": [7]}, "faults.A: dead: there is no board A/7"),
        (("faults", "A"), {"welded": ["7/1"]}, "faults.A: welded: there is no board A/7"),
        (("faults", "A"), {"welded": ["1"]}, "welded: '1' is no terminal; write \"1/3\""),
        (("faults", "A"), 3, r"write \[faults.A\]"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    path: tuple[str | int, ...], value: Any, reason: str
) -> None:
    wish = document()
    table: Any = wish
    for step in path[:-1]:
        table = table[step]
    table[path[-1]] = value
    with pytest.raises(BadLayoutError, match=reason):
        parse(wish, "wish")


def test_a_key_that_is_needed_and_a_board_that_is_there_twice() -> None:
    wish = document()
    del wish["compartments"][0]["lock"]
    with pytest.raises(BadLayoutError, match="compartments, number 1: lock is missing"):
        parse(wish, "wish")
    with pytest.raises(BadLayoutError, match="boards A/1: there twice"):
        parse(document() | {"boards": [*document()["boards"], document()["boards"][0]]}, "wish")


@pytest.mark.parametrize("text", ["[lines", "name = \xff", ""])
def test_a_file_that_is_no_cabinet(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cabinet.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadLayoutError, match=r"cabinet\.toml: "):
        load(path)
    with pytest.raises(BadLayoutError, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml")


def test_the_examples_of_the_documentation_are_cabinets() -> None:
    examples = [part.split("```")[0] for part in DOCS.read_text(encoding="utf-8").split("```toml\n")[1:]]
    assert len(examples) >= 2
    for example in examples:
        parse(tomllib.loads(example), "example")
    assert MIXED.read_text(encoding="utf-8") in examples
    assert all(f"`{name}`" in DOCS.read_text(encoding="utf-8") for name in PROFILES)
