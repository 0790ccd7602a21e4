"""Every kind of board that can hang on a simulated line, by the name its profile has everywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from hw_sim.boards import Board, Coils, InputLevels
from hw_sim.boards.clones import ON, FixedPulseLocks, HighByteRelays, PlainRelays, WrongEchoRelays
from hw_sim.boards.eletechsup import R4
from hw_sim.boards.kerong import CU16_LOCKS, CU48_LOCKS, Cu16, Cu48
from hw_sim.boards.station import HIGHEST_ADDRESS
from hw_sim.boards.waveshare import InputBoard, RelayBoard
from hw_sim.boards.winnsen import LOCKS as WINNSEN_LOCKS
from hw_sim.boards.winnsen import Winnsen
from hw_sim.boards.wkly import Wkly
from hw_sim.boards.xor8a import REPORTS, Firmware, Xor8a

Build = Callable[["Options", InputLevels, Coils], Board]

CLOSED_WHEN_LOCKED: Final = "closed_when_locked"
CLOSED_WHEN_OPEN: Final = "closed_when_open"
DIP_HIGHEST: Final = 31
CU16_HIGHEST: Final = 14  # the sixteenth means every board


@dataclass(frozen=True, slots=True)
class Options:
    """What is set on one board of a kind."""

    address: int
    report: int = REPORTS[0]


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of board.

    `sensors` are the inputs that doors may be wired to, `items` those after them for item sensors alone;
    `own_feedback` means that a lock's door contact is wired to the lock's own channel. `turnable` is whether
    the level of a closed door depends on the contact (Options), otherwise it is `closed_level`.
    """

    build: Build
    locks: int
    sensors: int
    items: int = 0
    family: str = "modbus"
    lowest: int = 1
    highest: int = HIGHEST_ADDRESS
    baud: int = 9600
    own_feedback: bool = False
    turnable: bool = True
    closed_level: bool = True
    longest_pulse_ms: int = 500  # of the family's own pulse; where the driver sets it, what it usually is
    experimental: bool = False
    reports: bool = False  # can tell door changes unasked


def _waveshare(relays: int, inputs: int) -> Profile:
    def build(options: Options, levels: InputLevels, coils: Coils) -> Board:
        return RelayBoard(options.address, relays, inputs, levels, coils)

    return Profile(build, relays, inputs)


def _relays(kind: Callable[[int, int, int, InputLevels, Coils], Board], relays: int, inputs: int) -> Build:
    def build(options: Options, levels: InputLevels, coils: Coils) -> Board:
        return kind(options.address, relays, inputs, levels, coils)

    return build


def _xor8a(locks: int, octets: int, *, low_first: bool = False, timed: bool = False) -> Profile:
    def build(options: Options, levels: InputLevels, coils: Coils) -> Board:
        firmware = Firmware(low_first, timed, options.report)
        return Xor8a(options.address, locks, octets, firmware, levels, coils)

    return Profile(
        build,
        locks,
        locks,
        family="xor8a",
        highest=DIP_HIGHEST,
        own_feedback=True,
        longest_pulse_ms=1_000 if timed else 300,
        reports=True,
    )


def _wkly(locks: int) -> Profile:
    def build(options: Options, levels: InputLevels, coils: Coils) -> Board:
        return Wkly(options.address, locks, levels, coils)

    return Profile(
        build,
        locks,
        locks,
        family="wkly",
        lowest=0,
        highest=255,
        own_feedback=True,
        turnable=False,
        longest_pulse_ms=400,
        reports=True,
    )


def _inputs(options: Options, levels: InputLevels, _coils: Coils) -> Board:
    return InputBoard(options.address, 32, levels)


def _cu16(options: Options, levels: InputLevels, coils: Coils) -> Board:
    return Cu16(options.address, levels, coils)


def _cu48(options: Options, levels: InputLevels, coils: Coils) -> Board:
    return Cu48(options.address, levels, coils)


def _winnsen(options: Options, levels: InputLevels, coils: Coils, *, duty: bool) -> Board:
    return Winnsen(options.address, levels, coils, duty=duty)


def _fixed_pulse(options: Options, levels: InputLevels, coils: Coils, *, opens_with: int) -> Board:
    return FixedPulseLocks(options.address, CU48_LOCKS, levels, coils, opens_with=opens_with)


_OWN: Final = partial(Profile, own_feedback=True, turnable=False)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "waveshare-8": _waveshare(8, 0),
        "waveshare-d8": _waveshare(8, 8),
        "waveshare-io8": _waveshare(8, 8),
        "waveshare-16": _waveshare(16, 0),
        "waveshare-32": _waveshare(32, 0),
        "inputs-32": Profile(_inputs, 0, 32),
        "relay8-high": Profile(_relays(HighByteRelays, 8, 8), 8, 8),
        "fc05-8": Profile(_relays(PlainRelays, 8, 8), 8, 8, experimental=True),
        # It has inputs, but its manual asks for them with a count of 0: doors are read elsewhere.
        "fc05-4": Profile(_relays(WrongEchoRelays, 4, 4), 4, 0, experimental=True),
        "eletechsup-r4-8": Profile(_relays(R4, 8, 0), 8, 0, longest_pulse_ms=1_000),
        "eletechsup-n4d3e16": Profile(_relays(R4, 16, 16), 16, 16, longest_pulse_ms=1_000),
        "kerong-cu48-modbus": _OWN(
            partial(_fixed_pulse, opens_with=0), CU48_LOCKS, CU48_LOCKS, baud=115_200, experimental=True
        ),
        "kerong-cu48-modbus-ff": _OWN(
            partial(_fixed_pulse, opens_with=ON), CU48_LOCKS, CU48_LOCKS, baud=115_200, experimental=True
        ),
        "xor8a-8": _xor8a(8, 3),
        "xor8a-12": _xor8a(12, 3),
        "xor8a-24": _xor8a(24, 3),
        "xor8a-50": _xor8a(50, 7),
        "xor8a-24-low": _xor8a(24, 3, low_first=True),
        "xor8a-24-timed": _xor8a(24, 3, timed=True),
        "wkly-12": _wkly(12),
        "wkly-24": _wkly(24),
        "kerong-cu16": _OWN(
            _cu16,
            CU16_LOCKS,
            CU16_LOCKS,
            CU16_LOCKS,
            family="kerong5",
            lowest=0,
            highest=CU16_HIGHEST,
            baud=19_200,
        ),
        "kerong-cu48": _OWN(
            _cu48, CU48_LOCKS, CU48_LOCKS, family="kerong6", lowest=0, highest=255, experimental=True
        ),
        "winnsen-16": _OWN(
            partial(_winnsen, duty=False),
            WINNSEN_LOCKS,
            WINNSEN_LOCKS,
            family="winnsen",
            highest=255,
            closed_level=False,
        ),
        "winnsen-16-duty": _OWN(
            partial(_winnsen, duty=True),
            WINNSEN_LOCKS,
            WINNSEN_LOCKS,
            family="winnsen",
            highest=255,
            closed_level=False,
            experimental=True,
        ),
    }
)
