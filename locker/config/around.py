"""What can be wrong with ``[gpio]`` and ``[scanner]``: the first thing found, with its remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from firmware_bridge.gpio import FACTORIES, PINS, GpioSettings
from firmware_bridge.scanner import ScannerSettings
from firmware_bridge.scans import ENDS, LONGEST, WORDS
from firmware_bridge.wiring import BAUDS

SCANNERS: Final = ("none", "serial", "screen")
_PIN_KEYS: Final = ("tamper", "mains", "battery", "service_key", "lights", "buzzer", "supply")
_LEVEL_KEYS: Final = (
    "mains_lost_level",
    "battery_low_level",
    "service_key_level",
    "lights_on_level",
    "buzzer_on_level",
    "supply_on_level",
)
_RANGES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        **dict.fromkeys(_LEVEL_KEYS, (0, 1)),
        "settle_ms": (50, 5_000),
        # No rail needs longer, and what it takes is taken from the pulse's own deadline.
        "supply_rise_ms": (0, 400),
        "supply_margin_ms": (100, 5_000),
    }
)


@dataclass(frozen=True, slots=True)
class Wrong:
    key: str
    problem: str
    remedy: str


def wrong_gpio(gpio: GpioSettings) -> Wrong | None:
    return next(_wrongs_of_gpio(gpio), None)


def _wrongs_of_gpio(gpio: GpioSettings) -> Iterator[Wrong]:
    yield from _not_one_of("factory", gpio.factory, FACTORIES)
    yield from _not_one_of("pull", gpio.pull, ("up", "down"))
    taken: dict[int, str] = {}
    for key in _PIN_KEYS:
        pin = getattr(gpio, key)
        if not pin:
            continue
        if gpio.factory == "none":
            yield Wrong(
                key, f"{key} has a pin, but factory is none", "Set factory, on a Raspberry Pi to lgpio"
            )
        if pin not in PINS:
            yield Wrong(key, f"{key} = {pin} is no pin", f"Use its BCM number, {PINS[0]} to {PINS[-1]}")
        if pin in taken:
            yield Wrong(key, f"{key} = {pin} is the pin of {taken[pin]}", "Wire each to a pin of its own")
        taken[pin] = key
    for key, (low, high) in _RANGES.items():
        yield from _out_of_range(key, getattr(gpio, key), low, high)


def wrong_scanner(scanner: ScannerSettings) -> Wrong | None:
    return next(_wrongs_of_scanner(scanner), None)


def _wrongs_of_scanner(scanner: ScannerSettings) -> Iterator[Wrong]:
    yield from _not_one_of("trigger", scanner.trigger, tuple(WORDS))
    yield from _not_one_of("terminator", scanner.terminator, tuple(ENDS))
    if scanner.baud not in BAUDS:
        known = ", ".join(str(baud) for baud in sorted(BAUDS))
        yield Wrong("baud", f"{scanner.baud} baud is no rate of a scanner", f"Use one of {known}")
    yield from _out_of_range("shortest", scanner.shortest, 1, LONGEST)
    yield from _out_of_range("longest", scanner.longest, scanner.shortest, LONGEST)


def wrong_kiosk_scanner(kiosk_scanner: str, scanner: ScannerSettings) -> Wrong | None:
    """A scanner that nobody hears, or one that is not there."""
    if kiosk_scanner == "serial" and not scanner.port:
        return Wrong("scanner", "scanner is serial, but no port is named", "Add port to [scanner]")
    if kiosk_scanner == "none" and scanner.port:
        return Wrong("scanner", "scanner is none, but [scanner] names a port", 'Set scanner = "serial"')
    return None


def _not_one_of(key: str, value: str, known: tuple[str, ...]) -> Iterator[Wrong]:
    if value not in known:
        yield Wrong(key, f"{key} {value!r} is unknown", f"Use one of {', '.join(known)}")


def _out_of_range(key: str, value: int, low: int, high: int) -> Iterator[Wrong]:
    if not low <= value <= high:
        yield Wrong(key, f"{key} = {value} is out of range", f"Use {low} to {high}")
