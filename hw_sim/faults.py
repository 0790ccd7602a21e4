"""What can go wrong on a line, as one value that people set by JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

LONGEST_MS: Final = 10_000
HIGHEST_ADDRESS: Final = 255


class BadFaultsError(ValueError):
    """The wished faults do not fit; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances are per frame (per byte for `flip`), between 0 and 1; times in milliseconds."""

    dead: tuple[int, ...] = ()  # addresses of boards that are silent and do nothing
    request_loss: float = 0.0  # the board never hears the request
    loss: float = 0.0  # the board acts, its reply is lost
    flip: float = 0.0  # one bit of a reply's byte turns over
    noise: float = 0.0  # a few stray bytes come before the reply
    collision: float = 0.0  # somebody else talks into the reply
    duplicate: float = 0.0  # the reply comes twice
    late: float = 0.0  # the reply comes `late_ms` later than it should
    late_ms: int = 300
    delay_ms: int = 0  # the board's own turn-around, always
    echo: bool = False  # the adapter hands back what is sent


def changed(faults: Faults, wish: Mapping[str, Any]) -> Faults:
    """The faults with the wished ones replaced; BadFaultsError leaves everything as it was."""
    known = {field.name for field in fields(Faults)}
    unknown = sorted(set(wish) - known)
    if unknown:
        raise BadFaultsError(f"unknown fault {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return replace(faults, **{name: _checked(name, value) for name, value in wish.items()})


def _checked(name: str, value: Any) -> Any:
    if name == "dead":
        return _addresses(value)
    if name == "echo":
        if not isinstance(value, bool):
            raise BadFaultsError("echo is true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFaultsError(f"{name} is a number")
    if name.endswith("_ms"):
        if not isinstance(value, int) or not 0 <= value <= LONGEST_MS:
            raise BadFaultsError(f"{name} is a whole number between 0 and {LONGEST_MS}")
        return value
    if not 0 <= value <= 1:
        raise BadFaultsError(f"{name} is a chance between 0 and 1")
    return float(value)


def _addresses(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise BadFaultsError("dead is a list of board addresses")
    for address in value:
        if isinstance(address, bool) or not isinstance(address, int) or not 1 <= address <= HIGHEST_ADDRESS:
            raise BadFaultsError(f"dead: {address!r} is no board address (1..{HIGHEST_ADDRESS})")
    return tuple(sorted(set(value)))
