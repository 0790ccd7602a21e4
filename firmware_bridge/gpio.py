"""The Raspberry Pi's own pins: contacts around the doors, lights, a buzzer, the relay of the locks' supply.

Contacts are asked, not waited for: a pin that went deaf is noticed, and every back end behaves the same. A
read takes microseconds, so it happens on the event loop. gpiozero is loaded only where pins are configured,
its back end only by name, never by what happens to be installed or in the environment.
"""

import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from firmware_bridge.contact import Contact, Reading
from firmware_bridge.errors import BridgeError
from locker.domain.surroundings import Sensed, Watched
from locker.operations.ports import Clock

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

ASK_MS: Final = 50
PINS: Final = range(2, 28)
"""By their BCM numbers; 0 and 1 belong to the memory on an add-on board."""
_APT: Final = "python3-lgpio and python3-rpi.gpio come by apt, into a .venv made with --system-site-packages"


@dataclass(frozen=True, slots=True)
class _BackEnd:
    module: str
    factory: str
    remedy: str


BACK_ENDS: Final[Mapping[str, _BackEnd]] = MappingProxyType(
    {
        "lgpio": _BackEnd("lgpio", "LGPIOFactory", f"{_APT}; the daemon's user must be in the group gpio"),
        "rpigpio": _BackEnd("rpigpio", "RPiGPIOFactory", f"{_APT}; on a Pi 5 use lgpio"),
        "native": _BackEnd("native", "NativeFactory", "this one knows the boards up to the Pi 4; use lgpio"),
        "mock": _BackEnd("mock", "MockFactory", "correct the installation"),
    }
)
FACTORIES: Final = ("none", *BACK_ENDS)


class GpioError(BridgeError):
    """A pin cannot be had, read or switched. The message names the remedy."""

    def __init__(self, subject: str, cause: Exception, remedy: str) -> None:
        problem = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
        super().__init__(f"{subject}: {problem}; {remedy}")
        self.subject = subject


@dataclass(frozen=True, slots=True)
class GpioSettings:
    """``[gpio]`` of the configuration. Pins by BCM number; 0: not wired."""

    factory: str = "none"
    pull: str = "up"
    """``up``: contacts switch to ground. ``down``: to 3.3 V."""
    tamper: int = 0
    """A closed loop. Open, cut or not to be read: alarm. Its level follows from ``pull``."""
    mains: int = 0
    mains_lost_level: int = 1
    """With pull ``up`` 1 is an open contact: a cut wire reads as mains lost."""
    battery: int = 0
    battery_low_level: int = 0
    service_key: int = 0
    service_key_level: int = 0
    settle_ms: int = 100
    lights: int = 0
    lights_on_level: int = 1
    buzzer: int = 0
    buzzer_on_level: int = 1
    supply: int = 0
    """The relay of the locks' supply."""
    supply_on_level: int = 1
    supply_rise_ms: int = 50
    """Until the rail can fire a lock."""
    supply_margin_ms: int = 300
    """It stays on this much longer than the pulse."""

    @property
    def contacts(self) -> Mapping[Watched, tuple[int, int]]:
        """Pin and level of "on" of each contact that is wired."""
        every = {
            Watched.TAMPER: (self.tamper, int(self.pull == "up")),
            Watched.MAINS: (self.mains, self.mains_lost_level),
            Watched.BATTERY: (self.battery, self.battery_low_level),
            Watched.SERVICE_KEY: (self.service_key, self.service_key_level),
        }
        return {what: (pin, level) for what, (pin, level) in every.items() if pin}


def open_factory(name: str) -> Any:
    """One of `BACK_ENDS`, ready for pins. Raises GpioError."""
    back_end = BACK_ENDS[name]

    def make() -> Any:
        module = importlib.import_module(f"gpiozero.pins.{back_end.module}")
        return getattr(module, back_end.factory)()

    return _of_the_back_end(f"factory {name}", back_end.remedy, make)


def _of_the_back_end(subject: str, remedy: str, call: Callable[[], T]) -> T:
    """What ``call`` answers. Raises GpioError."""
    try:
        return call()
    except Exception as error:  # each back end fails with exceptions of its own
        raise GpioError(f"[gpio] {subject}", error, remedy) from error


@dataclass(slots=True)
class _Input:
    what: Watched
    device: Any
    on_level: bool
    contact: Contact
    deaf: bool = False


class Gpio:
    """Open by `Gpio.open`; `run` tells ``on_sensed`` each contact's first value and every change."""

    def __init__(
        self, settings: GpioSettings, clock: Clock, on_sensed: Callable[[Sensed], None], factory: Any
    ) -> None:
        self._clock, self._on_sensed, self._factory = clock, on_sensed, factory
        self._settings = settings
        self._devices: list[Any] = []
        self._inputs = [self._input(what, pin, level) for what, (pin, level) in settings.contacts.items()]
        self._lights = self._output(settings.lights, settings.lights_on_level)
        self._buzzer = self._output(settings.buzzer, settings.buzzer_on_level)
        self._supply = self._output(settings.supply, settings.supply_on_level)

    @classmethod
    def open(cls, settings: GpioSettings, clock: Clock, on_sensed: Callable[[Sensed], None]) -> "Gpio":
        """Raises GpioError where the back end or a pin is not to be had."""
        return cls(settings, clock, on_sensed, open_factory(settings.factory))

    async def run(self) -> None:
        """Ask every contact, for ever."""
        while True:
            self.ask()
            await self._clock.sleep_until(self._clock.mono_ms() + ASK_MS)

    def ask(self) -> None:
        """One round over the contacts."""
        now_ms = self._clock.mono_ms()
        for each in self._inputs:
            reading = _reading(each)
            self._listen(each, deaf=reading is Reading.UNREADABLE)
            if each.contact.read(reading, now_ms) and each.contact.settled is not Reading.UNREADABLE:
                self._settled(each)

    def mains_lost(self) -> bool:
        """As the contact reads at this moment, before it may be believed. One that cannot be read says no."""
        return any(each.what is Watched.MAINS and _reading(each) is Reading.ON for each in self._inputs)

    def lights(self, on: bool) -> None:
        self._light_up(self._lights, on, "lights")

    def buzzer(self, on: bool) -> None:
        self._light_up(self._buzzer, on, "buzzer")

    def supply(self, on: bool) -> None:
        """Raises GpioError."""
        _switch(self._supply, on, "supply")

    def close(self) -> None:
        """Every output off, every pin given back: the locks have no supply then."""
        for held in (*self._devices, self._factory):
            try:
                _of_the_back_end("closing", "nothing: the system takes the pins back", held.close)
            except GpioError as error:
                _LOGGER.warning("%s", error)
        self._devices.clear()

    # --- pins --------------------------------------------------------------------------------------------

    def _input(self, what: Watched, pin: int, level: int) -> _Input:
        from gpiozero import InputDevice  # noqa: PLC0415  # a locker without pins never loads it

        device = self._claimed(
            what.value,
            lambda: InputDevice(pin, pull_up=self._settings.pull == "up", pin_factory=self._factory),
        )
        contact = Contact(self._settings.settle_ms, fail_safe=what is Watched.TAMPER)
        return _Input(what, device, bool(level), contact)

    def _output(self, pin: int, on_level: int) -> Any:
        if not pin:
            return None
        from gpiozero import OutputDevice  # noqa: PLC0415  # a locker without pins never loads it

        return self._claimed(
            f"pin {pin}",
            lambda: OutputDevice(
                pin, active_high=bool(on_level), initial_value=False, pin_factory=self._factory
            ),
        )

    def _claimed(self, name: str, claim: Callable[[], Any]) -> Any:
        try:
            device = _of_the_back_end(name, "see who else holds the pin, and the group gpio", claim)
        except GpioError:
            self.close()
            raise
        self._devices.append(device)
        return device

    def _listen(self, each: _Input, *, deaf: bool) -> None:
        if deaf is not each.deaf:
            said = "cannot be read" if deaf else "is read again"
            _LOGGER.warning("[gpio] %s %s", each.what.value, said)
        each.deaf = deaf

    def _settled(self, each: _Input) -> None:
        on = each.contact.settled is Reading.ON
        why = "unreadable" if each.deaf else "open"
        self._on_sensed(Sensed(each.what, on, why if on and each.what is Watched.TAMPER else ""))

    def _light_up(self, device: Any, on: bool, name: str) -> None:
        if device is None:
            return
        try:
            _switch(device, on, name)
        except GpioError as error:
            _LOGGER.warning("%s", error)


def _reading(each: _Input) -> Reading:
    try:
        level = _of_the_back_end(each.what, "see its wiring", lambda: bool(each.device.pin.state))
    except GpioError:
        return Reading.UNREADABLE
    return Reading.ON if level is each.on_level else Reading.OFF


def _switch(device: Any, on: bool, name: str) -> None:
    _of_the_back_end(name, "see who else holds the pin", device.on if on else device.off)
