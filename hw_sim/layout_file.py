"""A cabinet from a TOML file: any make-up of lines, boards and doors. The format: docs/simulator.md.

What does not fit is refused with the place in the file and what would fit.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hw_sim.boards.profiles import CLOSED_WHEN_LOCKED, CLOSED_WHEN_OPEN, PROFILES
from hw_sim.boards.xor8a import REPORTS
from hw_sim.faults import BOARDS, TERMINALS, BadFaultsError, Faults, changed, terminal
from hw_sim.layout import (
    BAUDS,
    HOOK,
    LEAF,
    MODBUS_TCP,
    PTY,
    TRANSPORTS,
    BoardPlan,
    CompartmentPlan,
    Layout,
    LinePlan,
    Terminal,
)

Value = TypeVar("Value", int, str)

LINE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,7}")
PLACE: Final = re.compile(r"([A-Z][A-Za-z0-9]{0,7})/(\d{1,3})/(\d{1,3})")
SIZES: Final = ("S", "M", "L")
COMPARTMENTS_MOST: Final = 500
HIGHEST_NUMBER: Final = 9_999
HIGHEST_PORT: Final = 65_535
TABLES: Final = ("name", "lines", "boards", "compartments", "faults")


class BadLayoutError(ValueError):
    """The file makes no cabinet; the message says where and why."""


def load(path: Path) -> Layout:
    """The cabinet that a file describes. BadLayoutError, whose message begins with the file's name."""
    try:
        text = path.read_text(encoding="utf-8")
        return parse(tomllib.loads(text), path.stem)
    except OSError as error:
        raise BadLayoutError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML, UTF-8, and our own refusals are ValueErrors
        raise BadLayoutError(f"{path}: {error}") from None


def parse(document: Mapping[str, Any], name: str) -> Layout:
    """The same of a file that is read already. BadLayoutError."""
    top = _Table("the file", document, TABLES)
    wires = {line: _line(line, table) for line, table in _tables(top, "lines").items()}
    if not wires:
        raise BadLayoutError("no [lines.NAME]: a cabinet has one line at least, like [lines.A]")
    boards = [_board(table, wires) for table in _rows(top, "boards")]
    _no_twins("boards", [f"{board.line}/{board.address}" for board in boards])
    known = {(board.line, board.address): board for board in boards}
    if idle := sorted(set(wires) - {board.line for board in boards}):
        raise BadLayoutError(f"lines.{idle[0]}: no board hangs on it")
    compartments = [_compartment(table, known) for table in _rows(top, "compartments")]
    if not 1 <= len(compartments) <= COMPARTMENTS_MOST:
        raise BadLayoutError(f"{len(compartments)} [[compartments]]; a cabinet has 1 to {COMPARTMENTS_MOST}")
    _no_twins("compartments: number", [str(plan.number) for plan in compartments])
    _no_twins("compartments: lock", [str(plan.lock) for plan in compartments])
    sensors = [str(plan.door) for plan in compartments]
    _no_twins("compartments: input", sensors + [str(plan.item) for plan in compartments if plan.item])
    _no_twins("compartments: column and row", [f"{plan.column}, {plan.row}" for plan in compartments])
    faults = {line: _faults(line, table, wires, known) for line, table in _tables(top, "faults").items()}
    name = top.optional("name", str, name)
    return Layout(name, tuple(boards), tuple(compartments), MappingProxyType(wires), MappingProxyType(faults))


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file, with the keys that it may have."""

    where: str
    values: Mapping[str, Any]
    known: Sequence[str]

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.values) - set(self.known)):
            raise BadLayoutError(
                f"{self.where}: unknown key {unknown[0]!r}; known are {', '.join(self.known)}"
            )

    def needed(self, key: str, kind: type[Value]) -> Value:
        if key not in self.values:
            raise BadLayoutError(f"{self.where}: {key} is missing")
        value = self.values[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BadLayoutError(f"{self.where}: {key} = {value!r} is no {KINDS[kind]}")
        return value

    def optional(self, key: str, kind: type[Value], otherwise: Value) -> Value:
        return self.needed(key, kind) if key in self.values else otherwise

    def number(self, key: str, low: int, high: int) -> int:
        value = self.needed(key, int)
        if not low <= value <= high:
            raise BadLayoutError(f"{self.where}: {key} = {value} lies outside {low} to {high}")
        return value

    def one_of(self, key: str, allowed: Sequence[Value], otherwise: Value | None = None) -> Value:
        if key not in self.values and otherwise is not None:
            return otherwise
        value = self.needed(key, type(allowed[0]))
        if value not in allowed:
            choice = ", ".join(map(str, allowed))
            raise BadLayoutError(f"{self.where}: {key} = {value!r} is none of {choice}")
        return value


KINDS: Final[Mapping[type, str]] = MappingProxyType({int: "whole number", str: "text"})


def _tables(top: _Table, key: str) -> Mapping[str, Mapping[str, Any]]:
    found = top.values.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
        raise BadLayoutError(f"{key}: write [{key}.A]")
    return found


def _rows(top: _Table, key: str) -> list[tuple[int, Mapping[str, Any]]]:
    found = top.values.get(key, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BadLayoutError(f"{key}: write [[{key}]] once for each")
    return list(enumerate(found, start=1))


def _line(name: str, values: Mapping[str, Any]) -> LinePlan:
    where = f"lines.{name}"
    if not LINE_NAME.fullmatch(name):
        raise BadLayoutError(f"{where}: a line's name begins with a capital, like A or North1")
    table = _Table(where, values, ("baud", "transport", "port"))
    transport = table.one_of("transport", TRANSPORTS, PTY)
    port = table.number("port", 1, HIGHEST_PORT) if "port" in values else 0
    if port and transport == PTY:
        raise BadLayoutError(f"{where}: port is for {TRANSPORTS[1]} and {TRANSPORTS[2]} only")
    return LinePlan(table.one_of("baud", BAUDS, 9600), transport, port)


def _board(row: tuple[int, Mapping[str, Any]], wires: Mapping[str, LinePlan]) -> BoardPlan:
    place, values = row
    where = f"boards, number {place}"
    table = _Table(where, values, ("line", "address", "profile", "feedback", "senses", "report_header"))
    line = table.one_of("line", tuple(wires))
    profile = table.one_of("profile", tuple(PROFILES))
    kind = PROFILES[profile]
    if wires[line].transport == MODBUS_TCP and kind.family != "modbus":
        raise BadLayoutError(f"{where}: {profile} speaks no Modbus, and line {line} is {MODBUS_TCP}")
    feedback = table.one_of("feedback", (CLOSED_WHEN_LOCKED, CLOSED_WHEN_OPEN), CLOSED_WHEN_LOCKED)
    if "feedback" in values and not kind.turnable:
        raise BadLayoutError(f"{where}: {profile} has its own way to tell open from closed; drop feedback")
    if "report_header" in values and kind.family != "xor8a":
        raise BadLayoutError(f"{where}: report_header is for boards of the xor8a family")
    report = table.one_of("report_header", REPORTS, REPORTS[0])
    address = table.number("address", kind.lowest, kind.highest)
    return BoardPlan(line, address, profile, feedback, report, table.one_of("senses", (LEAF, HOOK), LEAF))


def _compartment(
    row: tuple[int, Mapping[str, Any]], boards: Mapping[tuple[str, int], BoardPlan]
) -> CompartmentPlan:
    place, values = row
    where = f"compartments, number {place}"
    table = _Table(where, values, ("number", "size", "column", "row", "lock", "door", "item"))
    lock = _terminal(table, "lock", boards)
    door = _terminal(table, "door", boards)
    item = _terminal(table, "item", boards) if "item" in values else None
    if boards[lock.line, lock.board].kind.own_feedback and door != lock:
        raise BadLayoutError(f"{where}: the board of lock {lock} tells its door itself: door = {str(lock)!r}")
    return CompartmentPlan(
        number=table.number("number", 1, HIGHEST_NUMBER),
        size=table.one_of("size", SIZES, "S"),
        column=table.number("column", 1, COMPARTMENTS_MOST),
        row=table.number("row", 1, COMPARTMENTS_MOST),
        lock=lock,
        door=door,
        item=item,
    )


def _terminal(table: _Table, key: str, boards: Mapping[tuple[str, int], BoardPlan]) -> Terminal:
    text = table.needed(key, str)
    parts = PLACE.fullmatch(text)
    if parts is None:
        raise BadLayoutError(f'{table.where}: {key} = {text!r}; write line, board and channel like "A/1/3"')
    at = Terminal(parts[1], int(parts[2]), int(parts[3]))
    if (at.line, at.board) not in boards:
        raise BadLayoutError(f"{table.where}: {key} = {text!r}: there is no board {at.line}/{at.board}")
    kind = boards[at.line, at.board].kind
    low, high = {
        "lock": (1, kind.locks),
        "door": (1, kind.sensors),
        "item": (kind.sensors + 1, kind.sensors + kind.items) if kind.own_feedback else (1, kind.sensors),
    }[key]
    if high < low:
        raise BadLayoutError(f"{table.where}: {key} = {text!r}: that board has no {KEYS[key]}")
    if not low <= at.channel <= high:
        raise BadLayoutError(f"{table.where}: {key} = {text!r}: that board's {KEYS[key]} are {low} to {high}")
    return at


KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {"lock": "locks", "door": "door inputs", "item": "item inputs"}
)


def _faults(
    line: str,
    wish: Mapping[str, Any],
    wires: Mapping[str, LinePlan],
    boards: Mapping[tuple[str, int], BoardPlan],
) -> Mapping[str, Any]:
    where = f"faults.{line}"
    if line not in wires:
        raise BadLayoutError(f"{where}: there is no line {line}; there are {', '.join(wires)}")
    try:
        faults = changed(Faults(), wish)
    except BadFaultsError as error:
        raise BadLayoutError(f"{where}: {error}") from None
    for name in BOARDS + TERMINALS:
        for each in getattr(faults, name):
            address = terminal(each)[0] if name in TERMINALS else each
            if (line, address) not in boards:
                raise BadLayoutError(f"{where}: {name}: there is no board {line}/{address}")
    return dict(wish)


def _no_twins(what: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadLayoutError(f"{what} {name}: there twice")
        seen.add(name)
