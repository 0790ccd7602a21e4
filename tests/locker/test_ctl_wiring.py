"""`lockerctl wiring learn`: on a cabinet wired crosswise, with hands at its doors."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from hw_sim.clock import pause_s
from locker.config import load
from tests.locker.workplace import Workplace, workplace

DOORS = 3

pytestmark = [pytest.mark.processes, pytest.mark.timeout(90)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Doors 1 to 3; the file has their sensors the wrong way round and says nothing of levels."""
    with workplace(tmp_path_factory.mktemp("learn"), "--layout", "two-board") as place:
        boards = {"A/1": "waveshare-32", "A/2": "inputs-32"}
        place.wire(boards, [(f"A/1/{n}", f"A/2/{DOORS + 1 - n}") for n in range(1, DOORS + 1)])
        yield place


def entries(site: Workplace) -> list[dict[str, Any]]:
    rows = site.run("journal", "dump").splitlines()
    return [json.loads(json.loads(row)["public"]) for row in rows]


class Learning:
    """`wiring learn` under way, and the technician at it, who has shut all doors and said so."""

    def __init__(self, site: Workplace, out: Path) -> None:
        self._site, self.said = site, ""
        self.process = site.lockerctl(
            "wiring", "learn", "--config", site.config, "--out", out, stdin=subprocess.PIPE
        )
        self.types("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def types(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def reads(self, *words: str) -> str:
        """The first line with one of these on the screen; nothing where it ends without."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if any(word in line for word in words):
                return line
        return ""

    def sees_open(self) -> int:
        """The door that stands open; 0 where none will any more."""
        self.reads("is open", "Type y")
        pause_s(0.6)  # nobody is quicker, and while its lock has power no door stays shut
        return (self._site.open_doors() or [0])[0]

    def ends(self, *, code: int) -> str:
        rest, wrong = self.process.communicate(timeout=60)
        self.said += rest + wrong
        assert self.process.returncode == code, self.said
        assert "Traceback" not in wrong
        return self.said


def test_a_cabinet_wired_crosswise_is_learned(site: Workplace) -> None:
    out = site.folder / "learned.toml"
    with Learning(site, out) as technician:
        for door in range(1, DOORS + 1):
            assert technician.sees_open() == door
            site.act(door, "shut")
        assert technician.reads("Type y")
        technician.types("y")
        said = technician.ends(code=0)
    config = load(out)
    sensors = [str(wired.sensor) for wired in config.wiring.compartments.values()]
    assert sensors == [f"A/2/{n}" for n in range(1, DOORS + 1)]
    assert config.bridge.learned == config.wiring.digest
    assert "door 1: sensor A/2/1, the file had A/2/3" in said
    assert "# Written by hand." in out.read_text()
    # Each pulse was journaled before it went out, and what the doors did after it.
    assert site.pulses() == [1, 2, 3]
    kinds = [str(each["type"]) for each in entries(site)]
    for kind in ("OpeningRequested", "DoorOpened", "DoorClosed"):
        assert kinds.count(kind) == DOORS
    assert not {"DoorForced", "CompartmentDoubted", "TicketOpened"} & set(kinds)
    assert kinds[-1] == "Stopped"


def test_another_door_than_the_named_one_is_believed_and_an_end_by_hand_is_clean(site: Workplace) -> None:
    out = site.folder / "none.toml"
    before = len(entries(site))
    with Learning(site, out) as technician:
        assert technician.sees_open() == 1
        technician.types("3")
        pause_s(0.5)
        site.act(1, "shut")
        assert technician.sees_open() == 2
        technician.process.send_signal(signal.SIGINT)
        assert "nothing is written" in technician.ends(code=1)
    assert not out.exists()
    site.act(2, "shut")
    fresh = entries(site)[before:]
    subjects = [(each["type"], each["data"].get("door")) for each in fresh]
    # Door 3 may hold something and stood open: that is looked after.
    assert ("DoorForced", 3) in subjects
    assert ("CompartmentDoubted", 3) in subjects
    assert ("DoorClosed", 3) in subjects
    assert subjects[-1][0] == "Stopped"


def test_the_wrong_order_of_status_bytes_is_named_after_two_doors(tmp_path: Path) -> None:
    with workplace(tmp_path, "--make", "xor8a-24-low") as site:
        site.wire({"A/1": "xor8a-24"}, [(f"A/1/{n}", f"A/1/{n}") for n in range(1, 4)])
        with Learning(site, tmp_path / "none.toml") as technician:
            for door in (1, 2):
                assert technician.sees_open() == door
                site.act(door, "shut")
            said = technician.ends(code=1)
        assert site.pulses() == [1, 2]
    assert "use profile xor8a-24-low" in said
    assert not (tmp_path / "none.toml").exists()
