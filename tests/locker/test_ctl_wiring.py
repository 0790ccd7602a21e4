"""`lockerctl wiring learn`: on a cabinet wired crosswise, with hands at its doors."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.clock import mono_s, pause_s
from locker.config import load
from tests.locker.workplace import Workplace, workplace

DOORS = 4

pytestmark = [pytest.mark.processes, pytest.mark.timeout(90)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Doors 1 to 4; the file has their sensors the wrong way round and says nothing of levels."""
    with workplace(tmp_path_factory.mktemp("learn"), "--layout", "two-board") as place:
        boards = {"A/1": "waveshare-32", "A/2": "inputs-32"}
        place.wire(boards, [(f"A/1/{n}", f"A/2/{DOORS + 1 - n}") for n in range(1, DOORS + 1)])
        yield place


def entries(site: Workplace) -> list[dict[str, object]]:
    rows = site.run("journal", "dump").splitlines()
    return [json.loads(json.loads(row)["public"]) for row in rows]


def learned_by(site: Workplace, out: Path) -> tuple[int, str]:
    """Runs it, shuts whatever opens, and says yes."""
    process = site.lockerctl("wiring", "learn", "--config", site.config, "--out", out, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    until_s = mono_s() + 60
    shut = 0
    while shut < DOORS and process.poll() is None:
        assert mono_s() < until_s
        for door in site.open_doors():
            pause_s(0.4)  # nobody is quicker
            site.act(door, "shut")
            shut += 1
        pause_s(0.1)
    said, wrong = process.communicate("y\n", timeout=30)
    assert "Traceback" not in wrong
    return process.returncode, said + wrong


def test_a_cabinet_wired_crosswise_is_learned(site: Workplace) -> None:
    out = site.folder / "learned.toml"
    code, said = learned_by(site, out)
    assert code == 0, said
    config = load(out)
    sensors = [str(wired.sensor) for wired in config.wiring.compartments.values()]
    assert sensors == [f"A/2/{n}" for n in range(1, DOORS + 1)]
    assert config.bridge.learned == config.wiring.digest
    assert "door 1: sensor A/2/1, the file had A/2/4" in said
    assert "# Written by hand." in out.read_text()
    # Each pulse was journaled before it went out, and what the doors did after it.
    assert site.pulses() == [1, 2, 3, 4]
    kinds = [str(each["type"]) for each in entries(site)]
    for kind in ("OpeningRequested", "DoorOpened", "DoorClosed"):
        assert kinds.count(kind) == DOORS
    assert not {"DoorForced", "CompartmentDoubted", "TicketOpened"} & set(kinds)
    assert kinds[-1] == "Stopped"
