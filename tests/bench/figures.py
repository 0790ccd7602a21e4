"""The sheet of figures that a run ends with: what was measured, its limit, and whether it holds."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

HOLDS: Final = "PASS"
MISSED: Final = "FALLS SHORT"
GOAL_MISSED: Final = "goal not met"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. ``limit`` is None where the figure only explains another one."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    goal: bool = False
    """Whether the limit is what we aim at, not what we promise."""
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.limit is None or self.value <= self.limit

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        if self.holds:
            return HOLDS
        return GOAL_MISSED if self.goal else MISSED


@dataclass
class Sheet:
    figures: list[Figure] = field(default_factory=list)

    def at_most(self, name: str, value: float, unit: str, limit: float, note: str = "") -> None:
        self.figures.append(Figure(name, value, unit, limit, note=note))

    def aims_at(self, name: str, value: float, unit: str, limit: float, note: str = "") -> None:
        self.figures.append(Figure(name, value, unit, limit, goal=True, note=note))

    def tells(self, name: str, value: float, unit: str, note: str = "") -> None:
        self.figures.append(Figure(name, value, unit, note=note))

    @property
    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if not figure.holds and not figure.goal]

    def lines(self) -> Iterator[str]:
        yield "  ".join(f"{name}: {value}" for name, value in machine().items())
        rows: list[tuple[str, ...]] = [("figure", "measured", "limit", "", "")]
        rows += [_row(figure) for figure in self.figures]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            yield _aligned(row, widths).rstrip()

    def write(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        rows = [asdict(figure) | {"holds": figure.holds} for figure in self.figures]
        body = {"ok": not self.missed, "machine": machine(), "figures": rows}
        path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> Mapping[str, str]:
    load = os.getloadavg()[0]
    return {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load now": f"{load:.1f}",
    }


def _row(figure: Figure) -> tuple[str, ...]:
    limit = "" if figure.limit is None else f"≤ {_number(figure.limit, figure.unit)}"
    return (figure.name, _number(figure.value, figure.unit), limit, figure.verdict, figure.note)


def _number(value: float, unit: str) -> str:
    digits = 3 if unit == "×" else 2 if unit == "s" else 0 if value == int(value) else 1
    return f"{value:,.{digits}f} {unit}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]))
    return "  ".join((*cells, row[3].ljust(widths[3]), *row[4:]))
