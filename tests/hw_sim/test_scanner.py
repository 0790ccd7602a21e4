"""The simulated scanner: what it reads and when, what it answers, and that pulled it is another device."""

import json
import os
import select
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from hw_sim.panel.scan import routes
from hw_sim.scanner import KINDS, Scanner, UnpluggedError
from hw_sim.web import say_refused
from tests.hw_sim.conftest import Start

GOLDEN = Path(__file__).parents[1] / "golden" / "frames.json"
CODE = "1" + "3" * 40
PATIENCE_S = 60


class Host:
    """The other end: what a driver is to a scanner."""

    def __init__(self, device: str) -> None:
        self._fd = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)

    def hears(self, count: int) -> bytes:
        heard = b""
        while len(heard) < count:
            assert select.select([self._fd], [], [], PATIENCE_S)[0], heard
            heard += os.read(self._fd, count - len(heard))
        return heard

    def says(self, words: bytes) -> None:
        os.write(self._fd, words)

    def close(self) -> None:
        os.close(self._fd)


Made = Callable[[str], Scanner]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    running: list[Scanner] = []

    def start(kind: str) -> Scanner:
        running.append(Scanner(tmp_path, kind))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()


@contextmanager
def plugged_into(scanner: Scanner) -> Iterator[Host]:
    (device,) = glob(scanner.pattern)  # noqa: PTH207  # as a driver looks for it
    host = Host(device)
    try:
        yield host
    finally:
        host.close()


def shows(scanner: Scanner, **facts: object) -> None:
    """Until its state is so: words take a moment to arrive."""
    for _ in range(PATIENCE_S * 100):
        if facts.items() <= scanner.state().items():
            return
        select.select([], [], [], 0.01)
    raise AssertionError(scanner.state())


def test_one_that_always_reads_sends_the_code_and_its_line_end(made: Made) -> None:
    scanner = made("continuous")
    with plugged_into(scanner) as host:
        assert scanner.hold(CODE)
        assert scanner.hold("@SETUP")
        assert host.hears(len(CODE) + 8) == CODE.encode() + b"\r@SETUP\r"


def test_a_gm65_reads_once_it_is_told_answers_first_and_stops_after_a_code(made: Made) -> None:
    scanner = made("gm65")
    with plugged_into(scanner) as host:
        assert not scanner.hold(CODE)
        host.says(KINDS["gm65"].on)
        shows(scanner, beam=True)
        assert scanner.hold(CODE)
        answer = KINDS["gm65"].answer
        assert host.hears(len(answer) + len(CODE) + 1) == answer + CODE.encode() + b"\r"
        assert not scanner.hold(CODE)
        assert scanner.state()["codes"] == 1


def test_an_imager_is_switched_on_and_off(made: Made) -> None:
    scanner = made("honeywell")
    with plugged_into(scanner) as host:
        for byte in b"\x16T\r":
            host.says(bytes([byte]))
        shows(scanner, beam=True)
        host.says(b"\x16U\r")
        shows(scanner, beam=False)
        assert not scanner.hold(CODE)


def test_its_words_are_the_captured_ones() -> None:
    frames = {bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_text(encoding="utf-8"))}
    assert {KINDS["gm65"].on, KINDS["honeywell"].on, KINDS["honeywell"].off} <= frames


def test_pulled_it_is_gone_and_back_it_is_another_device(made: Made) -> None:
    scanner = made("honeywell")
    (before,) = glob(scanner.pattern)  # noqa: PTH207  # as a driver looks for it
    scanner.unplug()
    scanner.unplug()
    assert glob(scanner.pattern) == []  # noqa: PTH207  # as a driver looks for it
    with pytest.raises(UnpluggedError):
        scanner.hold(CODE)
    scanner.plug_in()
    scanner.plug_in()
    with plugged_into(scanner) as host:
        assert scanner.state()["device"] != before
        host.says(KINDS["honeywell"].on)
        shows(scanner, beam=True)
        assert scanner.hold(CODE)
        assert host.hears(len(CODE) + 1) == CODE.encode() + b"\r"


# --- the panel's part --------------------------------------------------------------------------------------


@pytest.fixture
async def page(made: Made) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=routes(made("continuous")), exception_handlers={HTTPException: say_refused})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://panel") as client:
        yield client


async def test_a_code_is_held_and_the_plug_is_pulled_by_hand(page: httpx.AsyncClient) -> None:
    assert (await page.post("/api/scan", json={"code": CODE})).json() == {"read": True}
    assert (await page.post("/api/scanner", json={"plugged": False})).json()["plugged"] is False
    assert (await page.post("/api/scan", json={"code": CODE})).status_code == 409
    assert (await page.post("/api/scanner", json={"plugged": True})).json()["plugged"] is True
    assert (await page.get("/api/scanner")).json()["codes"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/scan", {}),
        ("/api/scan", {"code": ""}),
        ("/api/scan", {"code": 7}),
        ("/api/scan", {"code": "\uff11"}),
        ("/api/scan", {"code": "1" * 2_001}),
        ("/api/scanner", {}),
        ("/api/scanner", {"plugged": 1}),
        ("/api/scanner", {"plugged": True, "x": 1}),
    ],
)
async def test_what_does_not_fit_is_refused(page: httpx.AsyncClient, path: str, body: object) -> None:
    assert (await page.post(path, json=body)).status_code == 400


def test_a_cabinet_announces_its_scanner_or_has_none(start: Start, tmp_path: Path) -> None:
    for kind in ("gm65", "none"):
        folder = tmp_path / kind
        start("cabinet", "--dir", str(folder), "--panel-port", "0", "--scanner", kind)
        facts = json.loads((folder / "ready.json").read_text())
        answer = httpx.get(f"{facts['panel']}api/scanner")
        if kind == "none":
            assert "scanner" not in facts
            assert answer.status_code == 404
        else:
            assert glob(facts["scanner"]) == [answer.json()["device"]]  # noqa: PTH207  # as a driver looks
            assert answer.json()["kind"] == kind
