"""Real gpiozero on mock pins: contacts, fail-safe where it counts, outputs, and what is not to be had."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from gpiozero.exc import PinInvalidState
from gpiozero.pins.mock import MockFactory, MockPin

from firmware_bridge.contact import CHATTER_MS
from firmware_bridge.gpio import ASK_MS, BACK_ENDS, Gpio, GpioError, GpioSettings, open_factory
from locker.domain.surroundings import Sensed, Watched
from tests.locker.operations.world import VirtualClock

TAMPER, MAINS, BATTERY, KEY, LIGHTS, BUZZER, SUPPLY = 17, 27, 22, 23, 24, 25, 5
WIRED = GpioSettings(
    "mock",
    tamper=TAMPER,
    mains=MAINS,
    battery=BATTERY,
    service_key=KEY,
    lights=LIGHTS,
    buzzer=BUZZER,
    buzzer_on_level=0,
    supply=SUPPLY,
)
QUIET = {TAMPER: 0, MAINS: 0, BATTERY: 1, KEY: 1}
"""Levels with nothing the matter: loop and mains relay closed to ground, the others open."""
NOTHING = [
    Sensed(Watched.TAMPER, False),
    Sensed(Watched.MAINS, False),
    Sensed(Watched.BATTERY, False),
    Sensed(Watched.SERVICE_KEY, False),
]


class DeafPin(MockPin):  # type: ignore[misc]  # the library has no types
    """A pin whose back end gives up."""

    deaf = False

    def _get_state(self) -> Any:
        if self.deaf:
            raise PinInvalidState("the chip does not answer")
        return super()._get_state()


class Board:
    def __init__(self, settings: GpioSettings = WIRED) -> None:
        self.factory = MockFactory(pin_class=DeafPin)
        self.clock = VirtualClock()
        self.said: list[Sensed] = []
        self.gpio = Gpio(settings, self.clock, self.said.append, self.factory)
        for pin, level in QUIET.items():
            self.put(pin, level)

    def put(self, pin: int, level: int) -> None:
        mock = self.factory.pin(pin)
        mock.drive_high() if level else mock.drive_low()

    def wait(self, ms: int) -> list[Sensed]:
        """What is said in this time."""
        self.said.clear()
        for _ in range(ms // ASK_MS):
            self.clock.advance(ASK_MS)
            self.gpio.ask()
        return list(self.said)


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    yield made
    made.gpio.close()


def test_the_first_reading_of_each_contact_is_said_also_where_nothing_is_the_matter(board: Board) -> None:
    assert board.wait(1_000) == NOTHING


def test_what_is_on_at_the_start_is_said(board: Board) -> None:
    board.put(TAMPER, 1)
    board.put(MAINS, 1)
    said = board.wait(1_000)
    assert said[:2] == [Sensed(Watched.TAMPER, True, "open"), Sensed(Watched.MAINS, True)]


@pytest.mark.parametrize(
    ("pin", "what"),
    [
        (TAMPER, Watched.TAMPER),
        (MAINS, Watched.MAINS),
        (BATTERY, Watched.BATTERY),
        (KEY, Watched.SERVICE_KEY),
    ],
)
def test_a_change_is_said_once_after_it_settled(board: Board, pin: int, what: Watched) -> None:
    board.wait(1_000)
    board.put(pin, 1 - QUIET[pin])
    assert board.wait(WIRED.settle_ms) == []
    assert [(s.what, s.on) for s in board.wait(5_000)] == [(what, True)]
    board.put(pin, QUIET[pin])
    assert [(s.what, s.on) for s in board.wait(5_000)] == [(what, False)]


def test_bouncing_is_not_said(board: Board) -> None:
    board.wait(1_000)
    for _ in range(10):
        board.put(MAINS, 1)
        assert board.wait(ASK_MS) == []
        board.put(MAINS, 0)
        assert board.wait(ASK_MS) == []
    assert board.wait(5_000) == []


def test_a_tamper_loop_that_only_flickers_is_an_alarm(board: Board) -> None:
    board.wait(1_000)
    said: list[Sensed] = []
    for _ in range(CHATTER_MS // ASK_MS):
        board.put(TAMPER, 1)
        said += board.wait(ASK_MS)
        board.put(TAMPER, 0)
        said += board.wait(ASK_MS)
    assert said == [Sensed(Watched.TAMPER, True, "open")]
    assert board.wait(1_000) == [Sensed(Watched.TAMPER, False)]


def test_a_tamper_loop_that_cannot_be_read_is_an_alarm_the_others_are_not(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    board.wait(1_000)
    DeafPin.deaf = True
    try:
        assert board.wait(5_000) == [Sensed(Watched.TAMPER, True, "unreadable")]
    finally:
        DeafPin.deaf = False
    assert board.wait(5_000) == [Sensed(Watched.TAMPER, False), *NOTHING[1:]]
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"[gpio] {what.value} {how}" for how in ("cannot be read", "is read again") for what in Watched
    ]


def test_a_cut_wire_of_the_loop_is_an_alarm_whichever_way_it_is_wired() -> None:
    for pull in ("up", "down"):
        board = Board(GpioSettings("mock", pull=pull, tamper=TAMPER))
        # Nothing drives the pin: what is left is its own pull.
        assert board.factory.pin(TAMPER).pull == pull
        board.put(TAMPER, int(pull == "up"))
        assert board.wait(1_000) == [Sensed(Watched.TAMPER, True, "open")]
        board.gpio.close()


def test_levels_are_as_configured() -> None:
    board = Board(GpioSettings("mock", mains=MAINS, mains_lost_level=0))
    assert board.wait(1_000) == [Sensed(Watched.MAINS, True)]
    board.gpio.close()


def test_outputs_begin_off_and_follow(board: Board) -> None:
    pins = {
        name: board.factory.pin(pin)
        for name, pin in (("lights", LIGHTS), ("buzzer", BUZZER), ("supply", SUPPLY))
    }
    assert {name: pin.state for name, pin in pins.items()} == {"lights": 0, "buzzer": 1, "supply": 0}
    board.gpio.lights(True)
    board.gpio.buzzer(True)
    board.gpio.supply(True)
    assert {name: pin.state for name, pin in pins.items()} == {"lights": 1, "buzzer": 0, "supply": 1}
    # Not for a moment was the rail on before it was asked for.
    assert [state.state for state in pins["supply"].states] == [0, 1]
    board.gpio.close()
    assert {pin.function for pin in pins.values()} == {"input"}


def test_what_is_not_wired_is_left_alone() -> None:
    board = Board(GpioSettings("mock"))
    board.gpio.lights(True)
    board.gpio.buzzer(True)
    assert board.wait(1_000) == []
    board.gpio.close()


def test_a_lamp_that_cannot_be_switched_is_logged_a_supply_is_an_error(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    board.gpio.close()
    board.gpio.lights(True)
    assert "[gpio] lights: " in caplog.text
    with pytest.raises(GpioError, match=r"\[gpio\] supply: .*who else holds the pin"):
        board.gpio.supply(True)


@pytest.mark.parametrize("name", ["lgpio", "rpigpio", "native"])
def test_a_back_end_that_is_not_to_be_had_is_named_with_its_remedy(name: str) -> None:
    """This machine has no pins: each of them fails here in its own way."""
    with pytest.raises(GpioError) as caught:
        open_factory(name)
    said = str(caught.value)
    assert said.startswith(f"[gpio] factory {name}: ")
    assert said.endswith(BACK_ENDS[name].remedy)
    assert "\n" not in said


@pytest.mark.parametrize("name", sorted(BACK_ENDS))
def test_each_back_end_is_where_the_library_has_it(name: str) -> None:
    """Read, not imported: most of them cannot be loaded here."""
    spec = find_spec(f"gpiozero.pins.{BACK_ENDS[name].module}")
    assert spec is not None
    assert spec.origin is not None
    assert f"\nclass {BACK_ENDS[name].factory}(" in Path(spec.origin).read_text(encoding="utf-8")


def test_a_pin_that_cannot_be_had_gives_the_others_back() -> None:
    factory = MockFactory()
    with pytest.raises(GpioError, match=r"\[gpio\] pin 99: PinInvalidPin.*group gpio"):
        Gpio(GpioSettings("mock", tamper=TAMPER, lights=99), VirtualClock(), lambda _: None, factory)
    Gpio(GpioSettings("mock", tamper=TAMPER), VirtualClock(), lambda _: None, factory).close()


def test_a_mock_is_opened_by_name_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nonsense")
    gpio = Gpio.open(GpioSettings("mock", tamper=TAMPER), VirtualClock(), lambda _: None)
    gpio.ask()
    gpio.close()


def test_a_locker_without_pins_does_not_load_the_library() -> None:
    program = "import sys, firmware_bridge.gpio, firmware_bridge.supply; sys.exit('gpiozero' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
