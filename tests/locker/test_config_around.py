"""``[gpio]`` and ``[scanner]``: what holds, and what is refused with line and remedy."""

from pathlib import Path

import pytest

from firmware_bridge.gpio import GpioSettings
from firmware_bridge.scanner import ScannerSettings
from locker.config import ConfigError, load
from locker.domain.surroundings import Watched
from tests.locker.configured import TEXT, behind, write

END = TEXT.count("\n")


def with_kiosk(scanner: str, tail: str) -> str:
    return behind("[kiosk]", f'scanner = "{scanner}"') + tail


def test_without_them_nothing_is_wired(tmp_path: Path) -> None:
    config = load(write(tmp_path))
    assert (config.gpio, config.scanner) == (GpioSettings(), ScannerSettings())
    assert config.gpio.contacts == {}


def test_contacts_have_pin_and_level(tmp_path: Path) -> None:
    gpio = '[gpio]\nfactory = "lgpio"\ntamper = 17\nmains = 27\nmains_lost_level = 0\nsupply = 5\n'
    config = load(write(tmp_path, TEXT + gpio))
    assert config.gpio.contacts == {Watched.TAMPER: (17, 1), Watched.MAINS: (27, 0)}
    config = load(write(tmp_path, TEXT + gpio + 'pull = "down"\n'))
    assert config.gpio.contacts[Watched.TAMPER] == (17, 0)


@pytest.mark.parametrize("kiosk", ["serial", "screen"])
def test_a_scanner_is_named_and_heard(tmp_path: Path, kiosk: str) -> None:
    text = with_kiosk(kiosk, '[scanner]\nport = "usb:0c2e:0caa"\ntrigger = "honeywell"\nbaud = 115200\n')
    assert load(write(tmp_path, text)).scanner == ScannerSettings("usb:0c2e:0caa", 115200, "honeywell")


@pytest.mark.parametrize(
    ("table", "at", "words"),
    [
        ('[gpio]\nfactory = "pigpio"', 2, "factory 'pigpio' is unknown.*lgpio"),
        ("[gpio]\ntamper = 17", 2, "factory is none.*to lgpio"),
        ('[gpio]\nfactory = "mock"\ntamper = 1', 3, "tamper = 1 is no pin.*2 to 27"),
        ('[gpio]\nfactory = "mock"\nsupply = 28', 3, "supply = 28 is no pin"),
        ('[gpio]\nfactory = "mock"\ntamper = 17\nlights = 17', 4, "lights = 17 is the pin of tamper"),
        ('[gpio]\nfactory = "mock"\npull = "none"', 3, "pull 'none' is unknown"),
        ("[gpio]\nmains_lost_level = 2", 2, "mains_lost_level = 2 is out of range"),
        ("[gpio]\nsettle_ms = 0", 2, "settle_ms = 0 is out of range. Use 50 to 5000"),
        ("[gpio]\nsupply_rise_ms = 3000", 2, "supply_rise_ms = 3000"),
        ("[gpio]\nbell = 3", 2, "unknown key 'bell'"),
        ('[scanner]\nport = "/dev/x"', 0, 'scanner is none.*Set scanner = "serial"'),
        ('[scanner]\ntrigger = "x"', 2, "trigger 'x' is unknown.*continuous, gm65, honeywell"),
        ('[scanner]\nterminator = "nul"', 2, "terminator 'nul' is unknown"),
        ("[scanner]\nbaud = 9601", 2, "9601 baud"),
        ("[scanner]\nshortest = 0", 2, "shortest = 0"),
        ("[scanner]\nlongest = 5", 2, "longest = 5 is out of range. Use 11 to 365"),
        ("[scanner]\nlongest = 400", 2, "longest = 400"),
    ],
)
def test_what_does_not_fit_is_refused_on_its_line(tmp_path: Path, table: str, at: int, words: str) -> None:
    path = write(tmp_path, TEXT + table + "\n")
    with pytest.raises(ConfigError, match=words) as caught:
        load(path)
    assert caught.value.line == (END + at if at else TEXT.splitlines().index("[kiosk]") + 1)


def test_a_kiosk_with_a_scanner_needs_its_port(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"scanner is serial, but no port.*Add port to \[scanner\]"
    ) as caught:
        load(write(tmp_path, with_kiosk("serial", "")))
    assert caught.value.line == TEXT.splitlines().index("[kiosk]") + 2
