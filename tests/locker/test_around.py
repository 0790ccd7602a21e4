"""A code held before a scanner on a pty opens a door of the real product; pulled, it stops nothing else."""

import json
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from hw_sim.people import Hands, Office, Phone, Visitor, doors_seen, until
from hw_sim.stack import Ports, Stack, command

NUMBER = "13812345678"

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("around") / "s", Ports.chosen(preferred=False))
    try:
        running.start()
        until("every door is seen", lambda: doors_seen(running))
        yield running
    finally:
        running.stop()


def test_a_scan_opens_a_door_also_after_the_scanner_was_pulled(stack: Stack) -> None:
    office, phone, hands, visitor = Office(stack), Phone(stack), Hands(stack), Visitor(stack)
    panel = httpx.Client(base_url=stack.panel_url)
    log = stack.folder / "logs" / "locker.log"
    office.pre_review("SCAN-1", "张伟", NUMBER)
    code = str(phone.awaits(NUMBER, "drop_off_code", "SCAN-1")["scan"])

    panel.post("/api/scanner", json={"plugged": False}).raise_for_status()
    until("its loss is said", lambda: "the scanner is lost" in log.read_text(encoding="utf-8"))
    panel.post("/api/scanner", json={"plugged": True}).raise_for_status()
    until("it is found again", lambda: "the scanner is back" in log.read_text(encoding="utf-8"))

    for setting in ("@SETUP0001", "0006010", "^#^"):
        assert panel.post("/api/scan", json={"code": setting}).json()["read"]
    assert visitor.view()["screen"] == "home"
    assert panel.post("/api/scan", json={"code": code}).json()["read"]
    visitor.sees("offer")
    visitor.presses("open")
    door = int(visitor.sees("place")["door"])
    assert len(hands.pulses()) == 1
    # Somebody else's code in the middle of a visit is as if nobody had held it there.
    panel.post("/api/scan", json={"code": "3" + "1" * 40}).raise_for_status()
    hands.put_and_shut(door)
    visitor.sees("receipt")
    assert code not in log.read_text(encoding="utf-8")
    panel.close()


PINS = """
[gpio]
factory = "mock"
tamper = 17
supply = 5
"""
"""Nothing drives them: a contact reads as its pull, which is "open"."""


def test_with_pins_a_contact_is_journaled_and_a_lock_gets_its_supply_until_its_relay_sticks(
    stack: Stack,
) -> None:
    office, phone, hands, visitor = Office(stack), Phone(stack), Hands(stack), Visitor(stack)
    office.pre_review("PINS-1", "张伟", NUMBER)
    code = str(phone.awaits(NUMBER, "drop_off_code", "PINS-1")["scan"])
    pulses = len(hands.pulses())
    assert stack.stop_locker() == 0
    stack.locker_config.write_text(stack.locker_config.read_text(encoding="utf-8") + PINS, encoding="utf-8")
    stack.start_locker()
    until("every door is seen", lambda: doors_seen(stack))
    status = stack.status()
    assert status["surroundings"]["tamper_open"]
    assert status["scanner"]["device"]
    # The relay of whichever door is opened will not let go again.
    stuck = {"stuck_on": [f"1/{door['number']}" for door in hands.doors()]}
    httpx.post(f"{stack.panel_url}/faults", json=stuck).raise_for_status()
    visitor.scans(code)
    visitor.presses("open")
    visitor.sees("place")
    assert len(hands.pulses()) == pulses + 1
    until("the supply is cut", lambda: stack.status()["surroundings"]["supply_cut"])
    until("the hub knows", lambda: {"TamperOpened", "LockSupplyCut"} <= kinds(office))


def kinds(office: Office) -> set[str]:
    return {str(json.loads(row["public"])["type"]) for row in office.ledger()}


def test_a_pin_back_end_that_is_not_there_ends_the_start_in_one_line(stack: Stack) -> None:
    path = stack.locker_config.with_name("no-pins.toml")
    text = stack.locker_config.read_text(encoding="utf-8").replace('"state"', '"state-2"')
    path.write_text(text.replace('factory = "mock"', 'factory = "lgpio"'), encoding="utf-8")
    done = subprocess.run(
        [command("lockerd"), "--config", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"lockerd: {path}: [gpio] factory lgpio: ")
    assert "python3-lgpio" in done.stderr
    assert "Traceback" not in done.stderr
