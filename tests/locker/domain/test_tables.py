"""The state machines are their tables: every pair of phase and signal is either in it or refused."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from locker.domain import acts, deposit, opening
from locker.domain.errors import IllegalTransition

MACHINES: list[tuple[str, type[StrEnum], type[StrEnum], Mapping[Any, Any], Callable[..., Any], StrEnum]] = [
    ("opening", opening.Phase, opening.Signal, opening.NEXT, opening.advance, opening.Phase.REQUESTED),
    ("deposit", deposit.Phase, deposit.Signal, deposit.NEXT, deposit.advance, deposit.Phase.RESERVED),
    ("act", acts.Phase, acts.Signal, acts.NEXT, acts.advance, acts.Phase.ACCEPTED),
]
DIAGRAMS = Path(__file__).parents[3] / "docs" / "state-machines.md"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m[0])
def test_every_pair_advances_by_the_table_or_is_refused(machine: Any) -> None:
    name, phases, signals, table, advance, _ = machine
    for phase in phases:
        for signal in signals:
            if (phase, signal) in table:
                assert advance(phase, signal) is table[phase, signal]
            else:
                with pytest.raises(IllegalTransition) as refused:
                    advance(phase, signal)
                assert (refused.value.machine, refused.value.signal) == (name, signal)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m[0])
def test_every_phase_can_be_reached(machine: Any) -> None:
    _, phases, _, table, _, start = machine
    reached = {start}
    for _ in phases:
        reached |= {after for (before, _), after in table.items() if before in reached}
    assert reached == set(phases)


def test_phases_that_have_ended_never_begin_again() -> None:
    assert all(phase not in deposit.ENDED for phase, _ in deposit.NEXT)
    commanded = {opening.Signal.ACKNOWLEDGE, opening.Signal.SILENCE}
    ended = opening.NEVER_OPENED
    assert not any(phase in ended for phase, signal in opening.NEXT if signal not in commanded)


def test_the_documented_diagrams_are_the_tables() -> None:
    """Render with `python -m tests.locker.domain.test_tables`."""
    assert DIAGRAMS.read_text(encoding="utf-8") == rendered()


def rendered() -> str:
    """Mermaid diagrams of all tables."""
    parts = ["# State machines\n\nDrawn from the tables in `locker/domain`; a test keeps them equal.\n"]
    for name, _, _, table, _, start in MACHINES:
        lines = [f"    [*] --> {start}"]
        lines += [f"    {before} --> {after}: {signal}" for (before, signal), after in table.items()]
        parts.append(f"\n## {name}\n\n```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    DIAGRAMS.write_text(rendered(), encoding="utf-8")
