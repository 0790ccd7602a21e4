"""The whole configuration, checked."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, get_type_hints
from urllib.parse import urlsplit

from firmware_bridge.errors import WiringError
from firmware_bridge.gpio import GpioSettings
from firmware_bridge.scanner import ScannerSettings
from firmware_bridge.wiring import PACKETS, CompartmentConfig, Experimental, LineConfig, Wiring
from locker.config.around import SCANNERS, Wrong, wrong_gpio, wrong_kiosk_scanner, wrong_scanner
from locker.config.errors import ConfigError
from locker.config.places import Place, line_of
from locker.config.sections import (
    AnchorSection,
    BridgeSection,
    CompartmentSection,
    KioskSection,
    LineSection,
    LockerSection,
    MqttSection,
    StatusSection,
)
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.errors import PolicyOutOfRange
from locker.domain.ids import AreaId, CompartmentNumber, LockerId
from locker.domain.policy import Policy, is_text, range_of, unfit

LOCKER_ID: Final = re.compile(r"[a-z0-9-]{1,32}")
PORT_MAX: Final = 65_535
NUMBER_MAX: Final = 999
LOSS_DELAY_MAX_S: Final = 3_600
SOCKET_PATH_MAX: Final = 107
"""Bytes; the kernel takes no longer name for a socket (unix(7))."""
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
TABLES: Final = (
    *("locker", "kiosk", "mqtt", "bridge", "lines", "boards", "supplies", "compartments", "policy"),
    *("gpio", "scanner", "status", "anchor"),
)
_WHAT_A_WIRING_ERROR_MEANS: Final = (
    # words of its problem, and the key they are about
    ("baud", "baud"),
    ("port", "url"),
    ("shares", "url"),
    ("too long for a lock", "pulse_cap_ms"),
    ("door sensor", "sensor"),
    ("item sensor", "item"),
    ("lock", "lock"),
    ("pulse", "pulse_ms"),
    ("door_closed_level", "door_closed_level"),
    ("item_present_level", "item_present_level"),
)

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Config:
    path: Path
    locker: LockerSection
    mqtt: MqttSection
    kiosk: KioskSection
    wiring: Wiring
    cabinet: tuple[CompartmentSpec, ...]
    policy: Mapping[str, int | str] = field(default_factory=dict)
    """What this file says of `locker.domain.policy.Policy`, each checked."""
    bridge: BridgeSection = field(default_factory=BridgeSection)
    gpio: GpioSettings = field(default_factory=GpioSettings)
    scanner: ScannerSettings = field(default_factory=ScannerSettings)
    status: StatusSection = field(default_factory=StatusSection)
    anchor: AnchorSection = field(default_factory=AnchorSection)

    @property
    def locker_id(self) -> LockerId:
        return LockerId(self.locker.id)

    @property
    def area(self) -> AreaId:
        return AreaId(self.locker.area)

    @property
    def state_dir(self) -> Path:
        return self.path.parent / self.locker.state_dir

    @property
    def keys_dir(self) -> Path:
        return self.path.parent / self.locker.keys_dir

    @property
    def journal_path(self) -> Path:
        return self.state_dir / "journal.sqlite3"

    @property
    def control_path(self) -> Path:
        return self.state_dir / "control.sock"


_UNREAD: Final[Mapping[type[Exception], str]] = {
    FileNotFoundError: "`lockerctl provision` makes it; another place is named by --config",
    PermissionError: "It is for the daemon's user and root: sudo -u doclocker lockerctl …",
}


def load(path: Path, *, learning: bool = False) -> Config:
    """The checked configuration. ``learning``: its wiring is about to be proved, so experimental boards may
    be in it unproved. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = _UNREAD.get(type(error), "Name a readable UTF-8 file")
        raise ConfigError(path, 0, f"it cannot be read ({error})", remedy) from error
    return load_text(path, text, learning=learning)


def load_text(path: Path, text: str, *, learning: bool = False) -> Config:
    """The same of a text that is to stand at ``path``. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, _line_in(str(error), text), f"{error}", "Correct the TOML") from error
    return _Reader(path, text, learning=learning).config(table)


def _line_in(message: str, text: str) -> int:
    """Where the parser stopped, by its own words."""
    found = re.search(r"at line (\d+)", message)
    if found:
        return int(found.group(1))
    return text.rstrip("\n").count("\n") + 1 if "end of document" in message else 0


class _Reader:
    """Turns tables into sections, and problems into places."""

    def __init__(self, path: Path, text: str, *, learning: bool) -> None:
        self._learning = learning
        self._path = path
        self._text = text

    def config(self, table: Mapping[str, Any]) -> Config:
        for name in table:
            if name not in TABLES:
                self._refuse((name,), f"{name!r} is unknown", f"Known tables are {', '.join(TABLES)}")
        rows = self._rows(table)
        locker = self._locker(table)
        config = Config(
            self._path,
            locker,
            self._mqtt(table),
            self._kiosk(table),
            self._wiring(table, rows),
            tuple(self._compartment(n, row) for n, row in enumerate(rows)),
            self._policy(table, locker.help_line),
            self._section(BridgeSection, table, "bridge"),
            self._checked(table, "gpio", GpioSettings, wrong_gpio),
            self._checked(table, "scanner", ScannerSettings, wrong_scanner),
            self._section(StatusSection, table, "status"),
            self._section(AnchorSection, table, "anchor"),
        )
        self._check_anchor(config)
        self._check_range(("status", "port"), config.status.port, 0, PORT_MAX)
        self._check("kiosk", wrong_kiosk_scanner(config.kiosk.scanner, config.scanner))
        if len(os.fsencode(config.control_path)) > SOCKET_PATH_MAX:
            problem = f"{config.control_path} is too long a name for a socket"
            self._refuse(("locker", "state_dir"), problem, f"At most {SOCKET_PATH_MAX} bytes")
        return config

    def _check_anchor(self, config: Config) -> None:
        place = (config.path.parent / config.anchor.file).absolute()
        if config.anchor.file and place.is_relative_to(config.state_dir.absolute()):
            problem = f"{config.anchor.file!r} is beside the journal: who puts back that card puts back both"
            self._refuse(("anchor", "file"), problem, "Name a place that is not the card")

    # --- tables -----------------------------------------------------------------------------------------

    def _locker(self, table: Mapping[str, Any]) -> LockerSection:
        locker = self._section(LockerSection, table, "locker")
        for key in ("id", "area"):
            if not LOCKER_ID.fullmatch(getattr(locker, key)):
                problem = f"{key} {getattr(locker, key)!r} does not fit"
                self._refuse(("locker", key), problem, "Use 1 to 32 of a to z, 0 to 9 and -")
        return locker

    def _kiosk(self, table: Mapping[str, Any]) -> KioskSection:
        kiosk = self._section(KioskSection, table, "kiosk")
        if kiosk.host not in LOOPBACK:
            problem = f"host {kiosk.host!r} is not this machine alone"
            self._refuse(("kiosk", "host"), problem, f"Use one of {', '.join(LOOPBACK)}")
        self._check_range(("kiosk", "port"), kiosk.port, 1, PORT_MAX)
        if kiosk.scanner not in SCANNERS:
            problem = f"scanner {kiosk.scanner!r} is unknown"
            self._refuse(("kiosk", "scanner"), problem, f"Use one of {', '.join(SCANNERS)}")
        return kiosk

    def _mqtt(self, table: Mapping[str, Any]) -> MqttSection:
        mqtt = self._section(MqttSection, table, "mqtt")
        self._check_range(("mqtt", "port"), mqtt.port, 1, PORT_MAX)
        self._check_range(("mqtt", "loss_delay_max_s"), mqtt.loss_delay_max_s, 0, LOSS_DELAY_MAX_S)
        if any((mqtt.ca, mqtt.cert, mqtt.key)) and not all((mqtt.ca, mqtt.cert, mqtt.key)):
            self._refuse(("mqtt",), "ca, cert and key belong together", "Give all three or none")
        for key in ("password_file", "ca", "cert", "key"):
            name = getattr(mqtt, key)
            if name and not os.access(self._path.parent / name, os.R_OK):
                problem = f"{key} {name!r} cannot be read"
                self._refuse(("mqtt", key), problem, "Put the file there, readable for the daemon's user")
        return mqtt

    def _rows(self, table: Mapping[str, Any]) -> list[CompartmentSection]:
        found = table.get("compartments", [])
        if not isinstance(found, list):
            self._refuse(
                ("compartments",), "compartments are no list", "Write [[compartments]] for each door"
            )
        rows = [self._fill(CompartmentSection, row, ("compartments", n)) for n, row in enumerate(found)]
        seen: dict[int, int] = {}
        for n, row in enumerate(rows):
            place = ("compartments", n, "number")
            self._check_range(place, row.number, 1, NUMBER_MAX)
            if row.number in seen:
                first = line_of(self._text, ("compartments", seen[row.number], "number"))
                problem = f"door {row.number} is there already, on line {first}"
                self._refuse(place, problem, "Number each door once")
            seen[row.number] = n
        return rows

    def _compartment(self, n: int, row: CompartmentSection) -> CompartmentSpec:
        for key, known in (("size", list(Size.__members__)), ("reach", [str(reach) for reach in Reach])):
            if getattr(row, key) not in known:
                problem = f"{key} {getattr(row, key)!r} is unknown"
                self._refuse(("compartments", n, key), problem, f"Use one of {', '.join(known)}")
        for key in ("row", "column"):
            self._check_range(("compartments", n, key), getattr(row, key), 0, NUMBER_MAX)
        number, size, reach = CompartmentNumber(row.number), Size[row.size], Reach(row.reach)
        return CompartmentSpec(number, row.cabinet, size, reach, row.row, row.column, bool(row.item))

    def _wiring(self, table: Mapping[str, Any], rows: list[CompartmentSection]) -> Wiring:
        lines = {
            name: self._line(name, self._fill(LineSection, line, ("lines", name)))
            for name, line in self._table(table, "lines").items()
        }
        boards = self._table(table, "boards")
        for name, profile in boards.items():
            if type(profile) is not str or not profile.isprintable():
                self._refuse(("boards", name), f"{profile!r} is no profile's name", "Give a string")
        wanted = {row.number: _wanted(row) for row in rows}
        bridge = self._section(BridgeSection, table, "bridge")
        experimental = Experimental(bridge.accept_experimental, bridge.learned, self._learning)
        try:
            return Wiring.build(lines, boards, wanted, self._supplies(table), experimental, self._path.parent)
        except WiringError as error:
            self._refuse(_place(error, rows), f"{error.subject}: {error.problem}", _sentence(error.remedy))

    def _supplies(self, table: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        supplies = self._table(table, "supplies")
        for name, boards in supplies.items():
            if type(boards) is not list or any(type(board) is not str for board in boards):
                self._refuse(("supplies", name), f"{boards!r} is no list of boards", 'Write ["A/1", "A/2"]')
        return supplies

    def _line(self, name: str, line: LineSection) -> LineConfig:
        if ":" in line.url.partition("/")[0] and not _is_socket(line.url):
            problem = f"{line.url!r} names no host and port"
            self._refuse(("lines", name, "url"), problem, f"Write socket://host:port or {PACKETS}host:port")
        return LineConfig(line.url, line.baud)

    def _policy(self, table: Mapping[str, Any], help_line: str) -> Mapping[str, int | str]:
        policy, known = Policy(), {f.name for f in fields(Policy) if not is_text(f.name)}
        given = self._table(table, "policy")
        for name, value in given.items():
            if name not in known:
                self._refuse(("policy", name), f"there is no limit {name!r}", "See locker/domain/policy.py")
            if type(value) is not int:
                self._refuse(("policy", name), f"{name} = {value!r} is no int", "Give a whole number")
            try:
                policy = policy.with_value(name, value)
            except PolicyOutOfRange as error:
                self._refuse(("policy", name), str(error), "Choose a value inside the range")
        if unfit(Policy, "help_line", help_line):
            longest = range_of("help_line")[1]
            self._refuse(("locker", "help_line"), "one line is shown", f"Write at most {longest} characters")
        return {**given, **({"help_line": help_line} if help_line else {})}

    def _checked(
        self, table: Mapping[str, Any], name: str, kind: type[S], wrong: Callable[[S], Wrong | None]
    ) -> S:
        section = self._section(kind, table, name)
        self._check(name, wrong(section))
        return section

    def _check(self, name: str, wrong: Wrong | None) -> None:
        if wrong is not None:
            self._refuse((name, wrong.key), wrong.problem, wrong.remedy)

    # --- what tables are made of ------------------------------------------------------------------------

    def _table(self, table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = table.get(name, {})
        if not isinstance(found, dict):
            self._refuse((name,), f"{name} = {found!r} is no table", f"Write [{name}]")
        return found

    def _section(self, kind: type[S], table: Mapping[str, Any], name: str) -> S:
        return self._fill(kind, self._table(table, name), (name,))

    def _fill(self, kind: type[S], table: Any, place: Place) -> S:
        """A section from the table at ``place``: its keys, their types, nothing else."""
        name = ".".join(str(step) for step in place if type(step) is str)
        if not isinstance(table, dict):
            self._refuse(place, f"{table!r} is no table", f"Write [{name}]")
        hints = get_type_hints(kind)
        for key, value in table.items():
            if key not in hints:
                self._refuse((*place, key), f"unknown key {key!r}", f"Known are {', '.join(hints)}")
            if type(value) is not hints[key]:
                wanted = hints[key].__name__
                self._refuse((*place, key), f"{key} = {value!r} is no {wanted}", f"Give a {wanted}")
            if isinstance(value, str) and not value.isprintable():
                self._refuse((*place, key), f"{key} holds {value!r}", "Write it without control characters")
        for f in fields(kind):  # type: ignore[arg-type]  # all sections are dataclasses
            if f.default is MISSING and table.get(f.name) in {None, ""}:
                self._refuse((*place, f.name), f"{f.name} is missing", f"Add {f.name} to [{name}]")
        return kind(**table)

    def _check_range(self, place: Place, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            self._refuse(place, f"{place[-1]} = {value} is out of range", f"Use {low} to {high}")

    def _refuse(self, place: Place, problem: str, remedy: str) -> NoReturn:
        raise ConfigError(self._path, line_of(self._text, place), problem, remedy) from None


def _wanted(row: CompartmentSection) -> CompartmentConfig:
    return CompartmentConfig(
        row.lock,
        row.sensor,
        row.item or None,
        row.pulse_ms or None,
        row.pulse_cap_ms,
        None if row.door_closed_level == -1 else row.door_closed_level,
        row.item_present_level,
    )


def _is_socket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"socket", "modbus-tcp"}
        return bool(known and parts.hostname and parts.port)
    except ValueError:
        return False


def _place(error: WiringError, rows: list[CompartmentSection]) -> Place:
    """Where a problem of the wiring stands in the file."""
    kind, _, name = str(error.subject).partition(" ")
    place: Place = ("compartments",)
    if kind in {"line", "board"}:
        place = (f"{kind}s", name)
    elif kind == "supply":
        place = ("supplies", name)
    elif kind == "compartment":
        numbers = [str(row.number) for row in rows]
        place = ("compartments", numbers.index(name))
    about = next((key for words, key in _WHAT_A_WIRING_ERROR_MEANS if words in error.problem), "")
    return (*place, about) if about and kind != "board" else place


def _sentence(remedy: str) -> str:
    return remedy[:1].upper() + remedy[1:]
