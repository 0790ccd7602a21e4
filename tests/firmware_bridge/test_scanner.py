"""The scanner's thread on real ptys: read, pulled, back under another name; and which port a name means."""

import logging
import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest

from firmware_bridge.scanner import ScannerError, ScannerSettings, SerialScanner, device_of, open_device
from firmware_bridge.scans import REFRESH_S, STIR_S, WORDS, Beam

PATIENCE_S = 60
DONE = bytes.fromhex("02 00 00 01 00 33 31")
ONE, TWO = "1" + "3" * 40, "3" + "1" * 40


class Gadget:
    """A scanner's end of a pty; plugged in anew it is another device under another name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fd = self._theirs = -1
        self._link = folder

    def plug_in(self, name: str) -> None:
        self._fd, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self._link = self.folder / name
        self._link.symlink_to(os.ttyname(self._theirs))

    def unplug(self) -> None:
        self._link.unlink()
        os.close(self._theirs)
        os.close(self._fd)

    def sends(self, data: bytes) -> None:
        os.write(self._fd, data)

    def is_told(self, count: int) -> bytes:
        """The next ``count`` bytes that the daemon says to it."""
        heard = b""
        while len(heard) < count:
            assert select.select([self._fd], [], [], PATIENCE_S)[0], heard
            heard += os.read(self._fd, count - len(heard))
        return heard


@pytest.fixture
def gadget(tmp_path: Path) -> Gadget:
    return Gadget(tmp_path)


class Running:
    def __init__(self, settings: ScannerSettings) -> None:
        self.scans: Queue[str] = Queue()
        self._ended = threading.Event()
        self.scanner = SerialScanner(settings, self.scans.put, self._ended.set)
        self.scanner.start()

    def scan(self) -> str:
        return self.scans.get(timeout=PATIENCE_S)

    def awaits(self, true: Callable[[], bool]) -> None:
        for _ in range(PATIENCE_S * 100):
            if true():
                return
            self._ended.wait(0.01)
        raise AssertionError(self.scanner.report())

    def close(self) -> None:
        self.scanner.close()
        assert self._ended.wait(PATIENCE_S)


Start = Callable[..., Running]


@pytest.fixture
def start(gadget: Gadget) -> Iterator[Start]:
    running: list[Running] = []

    def begin(trigger: str = "continuous", terminator: str = "any") -> Running:
        settings = ScannerSettings(str(gadget.folder / "usb-*"), trigger=trigger, terminator=terminator)
        running.append(Running(settings))
        return running[-1]

    yield begin
    for each in running:
        each.close()


def test_codes_come_up_and_nothing_else(gadget: Gadget, start: Start) -> None:
    gadget.plug_in("usb-one")
    running = start()
    running.awaits(lambda: bool(running.scanner.report().device))
    gadget.sends(b"@SETUP0001\r" + ONE.encode() + b"\r\n" + ONE.encode() + b"\r\n")
    gadget.sends(TWO.encode())
    assert [running.scan(), running.scan()] == [ONE, TWO]
    report = running.scanner.report()
    assert (report.scans, report.dropped) == (2, {"foreign": 1, "repeat": 1})


def test_pulled_and_back_under_another_name(
    gadget: Gadget, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    gadget.plug_in("usb-one")
    running = start()
    running.awaits(lambda: bool(running.scanner.report().device))
    gadget.sends(ONE[:20].encode())
    gadget.unplug()
    running.awaits(lambda: not running.scanner.report().device)
    gadget.plug_in("usb-two")
    running.awaits(lambda: running.scanner.report().device.endswith("usb-two"))
    gadget.sends(TWO.encode() + b"\r")
    assert running.scan() == TWO
    said = [record.getMessage() for record in caplog.records if record.name == "firmware_bridge.scanner"]
    assert len(said) == 2
    assert said[0].startswith("the scanner is lost: ")
    assert said[1].startswith("the scanner is back: ")


def test_a_scanner_that_is_not_there_yet_is_said_once_and_waited_for(
    gadget: Gadget, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = start()
    running.awaits(lambda: "nothing of that name is plugged in" in running.scanner.report().why)
    gadget.plug_in("usb-late")
    running.awaits(lambda: bool(running.scanner.report().device))
    gadget.sends(ONE.encode() + b"\r")
    assert running.scan() == ONE
    assert len(caplog.records) == 2
    assert "the scanner is there: " in caplog.text


@pytest.mark.parametrize("mode", ["gm65", "honeywell"])
def test_the_beam_follows_the_page_also_on_a_new_port(gadget: Gadget, start: Start, mode: str) -> None:
    on, off = WORDS[mode][Beam.ON], WORDS[mode][Beam.OFF]
    gadget.plug_in("usb-one")
    running = start(trigger=mode)
    running.awaits(lambda: bool(running.scanner.report().device))
    running.scanner.wanted(True)
    assert gadget.is_told(len(on)) == on
    gadget.sends(ONE.encode() + b"\r")
    assert running.scan() == ONE
    assert gadget.is_told(len(on)) == on
    gadget.unplug()
    running.awaits(lambda: not running.scanner.report().device)
    gadget.plug_in("usb-two")
    assert gadget.is_told(len(on)) == on
    running.scanner.wanted(False)
    assert gadget.is_told(len(off)) == off


def test_a_beam_that_went_off_by_a_setting_barcode_is_soon_on_again(gadget: Gadget, start: Start) -> None:
    on = WORDS["gm65"][Beam.ON]
    gadget.plug_in("usb-one")
    running = start(trigger="gm65")
    running.scanner.wanted(True)
    assert gadget.is_told(len(on)) == on
    began_s = running.scanner.now()
    gadget.sends(DONE + b"@SETUP0001\r")
    assert gadget.is_told(len(on)) == on
    assert STIR_S <= running.scanner.now() - began_s < REFRESH_S
    assert running.scanner.report().dropped == {"answer": 1, "foreign": 1}


def test_no_code_is_ever_logged(gadget: Gadget, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gadget.plug_in("usb-one")
    running = start()
    running.awaits(lambda: bool(running.scanner.report().device))
    gadget.sends(ONE.encode() + b"\r")
    assert running.scan() == ONE
    gadget.sends(TWO[:30].encode())
    gadget.unplug()
    running.awaits(lambda: not running.scanner.report().device)
    for code in (ONE, TWO[:30]):
        assert code not in caplog.text + str(running.scanner.report())


# --- which port a name means -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plugged:
    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None = None


PLUGGED = (
    Plugged("/dev/ttyS0", None, None),
    Plugged("/dev/ttyACM0", 0x0C2E, 0x0CAA, "A1"),
    Plugged("/dev/ttyACM1", 0x0C2E, 0x0CAA, "B2"),
    Plugged("/dev/ttyACM2", 0x1A86, 0x7523),
)


def test_a_usb_name_is_found_among_what_is_plugged_in() -> None:
    assert device_of("usb:1a86:7523", lambda: PLUGGED) == "/dev/ttyACM2"
    assert device_of("usb:0C2E:0CAA:B2", lambda: PLUGGED) == "/dev/ttyACM1"
    with pytest.raises(ScannerError, match="ttyACM0 and /dev/ttyACM1 both fit; name one"):
        device_of("usb:0c2e:0caa", lambda: PLUGGED)
    with pytest.raises(ScannerError, match="check the scanner's cable"):
        device_of("usb:0c2e:0caa:C3", lambda: PLUGGED)


def test_the_machine_itself_can_be_asked() -> None:
    with pytest.raises(ScannerError, match="nothing of that name"):
        device_of("usb:ffff:fffe:none")


def test_a_pattern_may_match_one_device_by_several_names(tmp_path: Path) -> None:
    (tmp_path / "usb-a").symlink_to("/dev/null")
    (tmp_path / "usb-b").symlink_to("/dev/null")
    assert device_of(f"{tmp_path}/usb-*") == f"{tmp_path}/usb-a"
    (tmp_path / "usb-c").symlink_to("/dev/zero")
    with pytest.raises(ScannerError, match="both fit"):
        device_of(f"{tmp_path}/usb-*")


def test_a_plain_name_is_that_device() -> None:
    assert device_of("/dev/serial/by-id/x") == "/dev/serial/by-id/x"


def test_a_port_that_cannot_be_had_is_named() -> None:
    for device in ("/dev/null", "/dev/serial/by-id/none"):
        with pytest.raises(ScannerError, match=f"{device}: .*who else holds it"):
            open_device(device, 9600)


def test_a_port_has_one_owner(gadget: Gadget) -> None:
    gadget.plug_in("usb-one")
    device = str(gadget.folder / "usb-one")
    with closing(open_device(device, 9600)), pytest.raises(ScannerError, match="who else holds it"):
        open_device(device, 9600)
