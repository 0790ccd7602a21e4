"""A code held before a scanner on a pty opens a door of the real product; pulled, it stops nothing else."""

from collections.abc import Iterator

import httpx
import pytest

from hw_sim.people import Hands, Office, Phone, Visitor, doors_seen, until
from hw_sim.stack import Ports, Stack

NUMBER = "13812345678"

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]


@pytest.fixture
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
