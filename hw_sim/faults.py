"""What can go wrong on a line and in its boards, as one value that people set by JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final

from hw_sim.boards import Ailments, Twist

LONGEST_MS: Final = 10_000
HIGHEST_ADDRESS: Final = 255
HIGHEST_CHANNEL: Final = 256
FIGURES: Final = 3  # of an address or a channel


class BadFaultsError(ValueError):
    """The wished faults do not fit; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances are per frame (per byte for `flip`), between 0 and 1; times in milliseconds.

    Boards are named by their address, terminals as "address/channel". A fault that a board's family cannot
    have does nothing.
    """

    dead: tuple[int, ...] = ()  # silent, and do nothing
    garbage: tuple[int, ...] = ()  # put stray bytes before every reply
    reports: tuple[int, ...] = ()  # tell door changes unasked
    wrong_echo: tuple[int, ...] = ()  # an order's reply names another lock
    wrong_address: tuple[int, ...] = ()  # reply in another board's name
    wrong_command: tuple[int, ...] = ()  # reply to another command
    inverted: tuple[int, ...] = ()  # inputs the other way round
    reordered: tuple[int, ...] = ()  # status bytes in the other order
    welded: tuple[str, ...] = ()  # relays whose contact never opens again; the board does not know
    stuck_on: tuple[str, ...] = ()  # relays that stay on and read as on
    stuck_0: tuple[str, ...] = ()  # inputs that always read 0
    stuck_1: tuple[str, ...] = ()
    request_loss: float = 0.0  # the board never hears the request
    loss: float = 0.0  # the board acts, its reply is lost
    flip: float = 0.0  # one bit of a reply's byte turns over
    noise: float = 0.0  # a few stray bytes come before the reply
    collision: float = 0.0  # somebody else talks into the reply
    duplicate: float = 0.0  # the reply comes twice
    late: float = 0.0  # the reply comes `late_ms` later than it should
    late_ms: int = 300
    delay_ms: int = 0  # turn-around of every board, always
    echo: bool = False  # the adapter hands back what is sent
    swapped: bool = False  # its A and B are the wrong way round: nobody understands anybody

    def ailments(self, address: int) -> Ailments:
        """What of it is the matter with one board."""
        return Ailments(
            welded=_channels(self.welded, address),
            stuck_on=_channels(self.stuck_on, address),
            stuck_0=_channels(self.stuck_0, address),
            stuck_1=_channels(self.stuck_1, address),
            inverted=address in self.inverted,
            reordered=address in self.reordered,
            reports=address in self.reports,
        )

    def twists(self, address: int) -> list[Twist]:
        return [twist for twist in Twist if address in getattr(self, twist)]


def changed(faults: Faults, wish: Mapping[str, Any]) -> Faults:
    """The faults with the wished ones replaced; BadFaultsError leaves everything as it was."""
    known = {field.name for field in fields(Faults)}
    unknown = sorted(set(wish) - known)
    if unknown:
        raise BadFaultsError(f"unknown fault {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return replace(faults, **{name: _CHECKS[name](name, value) for name, value in wish.items()})


def terminal(text: str) -> tuple[int, int]:
    """Address and channel of "address/channel"."""
    address, channel = text.split("/")
    return int(address), int(channel)


def _channels(terminals: tuple[str, ...], address: int) -> frozenset[int]:
    return frozenset(channel for board, channel in map(terminal, terminals) if board == address)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadFaultsError(f"{name} is true or false")
    return value


def _time(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_MS:
        raise BadFaultsError(f"{name} is a whole number between 0 and {LONGEST_MS}")
    return value


def _chance(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFaultsError(f"{name} is a number")
    if not 0 <= value <= 1:
        raise BadFaultsError(f"{name} is a chance between 0 and 1")
    return float(value)


def _addresses(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise BadFaultsError(f"{name} is a list of board addresses")
    for address in value:
        if isinstance(address, bool) or not isinstance(address, int) or not 0 <= address <= HIGHEST_ADDRESS:
            raise BadFaultsError(f"{name}: {address!r} is no board address (0..{HIGHEST_ADDRESS})")
    return tuple(sorted(set(value)))


def _terminals(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BadFaultsError(f'{name} is a list of terminals like "1/3": board 1, channel 3')
    return tuple(f"{board}/{channel}" for board, channel in sorted({_place(name, text) for text in value}))


def _place(name: str, text: Any) -> tuple[int, int]:
    board, _, channel = text.partition("/") if isinstance(text, str) else ("", "", "")
    figures = all(part.isascii() and part.isdigit() and len(part) <= FIGURES for part in (board, channel))
    if figures and int(board) <= HIGHEST_ADDRESS and 1 <= int(channel) <= HIGHEST_CHANNEL:
        return int(board), int(channel)
    raise BadFaultsError(f'{name}: {text!r} is no terminal; write "1/3" for board 1, channel 3')


BOARDS: Final = (
    "dead",
    "garbage",
    "reports",
    "wrong_echo",
    "wrong_address",
    "wrong_command",
    "inverted",
    "reordered",
)
"""Faults of a whole board, set as a list of addresses."""
TERMINALS: Final = ("welded", "stuck_on", "stuck_0", "stuck_1")
"""Faults of one terminal."""
_CHECKS: Final[Mapping[str, Callable[[str, Any], Any]]] = MappingProxyType(
    {field.name: _chance for field in fields(Faults)}
    | dict.fromkeys(BOARDS, _addresses)
    | dict.fromkeys(TERMINALS, _terminals)
    | {"late_ms": _time, "delay_ms": _time, "echo": _flag, "swapped": _flag}
)
