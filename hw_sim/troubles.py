"""What can be wrong with a cabinet, to see whether a self-test notices: a table of faults and mistakes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hw_sim.layout import CompartmentPlan, Layout
from hw_sim.settings import Wiring
from hw_sim.workshop import Rewire, Workshop

RATE: Final = 0.05
LATE_MS: Final = 900
SLOW_MS: Final = 15
RARE_S: Final = 25
DOORS_MIN: Final = 2

Wish = Mapping[str, Any]


def _nothing(_layout: Layout) -> Wish:
    return {}


def _as_it_is(_layout: Layout) -> Rewire:
    return lambda _wiring: None


@dataclass(frozen=True, slots=True)
class Trouble:
    """``must``: a self-test has to notice it; the others are borne, and it may pass."""

    name: str
    what: str
    must: bool = True
    faults: Callable[[Layout], Wish] = _nothing
    """For the cabinet, before the daemon starts."""
    rewire: Callable[[Layout], Rewire] = _as_it_is
    """A mistake in the daemon's configuration."""
    breaks: Callable[[Workshop], None] = field(default=lambda _workshop: None)
    """Done by a hand, before the daemon starts."""
    possible: Callable[[Layout], bool] = field(default=lambda _layout: True)
    watched_s: int = 1
    """The lines must be watched this long at least: what is rare needs questions enough to show."""

    @property
    def rewires(self) -> bool:
        return self.rewire is not _as_it_is


def first(layout: Layout) -> CompartmentPlan:
    return layout.compartments[0]


def _sensor_boards(layout: Layout) -> list[int]:
    return sorted({plan.door.board for plan in layout.compartments if plan.door.line == layout.lines[0]})


def _lock_boards(layout: Layout) -> list[int]:
    return sorted({plan.lock.board for plan in layout.compartments if plan.lock.line == layout.lines[0]})


def _lock(layout: Layout) -> str:
    lock = first(layout).lock
    return f"{lock.board}/{lock.channel}"


def _rate(name: str, **more: Any) -> Callable[[Layout], Wish]:
    return lambda _layout: {name: RATE, **more}


def _swap(layout: Layout) -> Rewire:
    one, other = (plan.number for plan in layout.compartments[:DOORS_MIN])

    def rewire(wiring: Wiring) -> None:
        doors = wiring.doors
        doors[one]["sensor"], doors[other]["sensor"] = doors[other]["sensor"], doors[one]["sensor"]

    return rewire


def _invert_one(layout: Layout) -> Rewire:
    def rewire(wiring: Wiring) -> None:
        wiring.doors[first(layout).number]["door_closed_level"] ^= 1

    return rewire


def _other_baud(layout: Layout) -> Rewire:
    def rewire(wiring: Wiring) -> None:
        line = wiring.lines[layout.lines[0]]
        line["baud"] = 4_800 if line["baud"] != 4_800 else 9_600  # noqa: PLR2004  # two speeds that exist

    return rewire


def _has_items(layout: Layout) -> bool:
    return first(layout).item is not None


def _has_two(layout: Layout) -> bool:
    return len(layout.compartments) >= DOORS_MIN and not layout.board(first(layout).lock).kind.own_feedback


def _on_a_pty(layout: Layout) -> bool:
    return layout.wire(layout.lines[0]).transport == "pty"


def _reports(layout: Layout) -> bool:
    return any(board.kind.reports for board in layout.boards)


def _orders_answered(layout: Layout) -> bool:
    return layout.board(first(layout).lock).kind.family != "kerong5"


def _several_octets(layout: Layout) -> bool:
    """Status octets of a lock board in the other order; a board of one octet turns its bits."""
    return layout.board(first(layout).door).kind.own_feedback


_ALL: Final = (
    Trouble(
        "dead-sensor-board",
        "the board that sees the doors is silent",
        faults=lambda it: {"dead": _sensor_boards(it)},
    ),
    Trouble(
        "dead-lock-board", "the board with the locks is silent", faults=lambda it: {"dead": _lock_boards(it)}
    ),
    Trouble(
        "jammed",
        "the first door's latch is jammed",
        breaks=lambda shop: shop.does(first(shop.layout).number, "jam"),
    ),
    Trouble(
        "sensor-stuck-shut",
        "the first door's sensor always says shut",
        breaks=lambda shop: shop.breaks(first(shop.layout).number, door="stuck_1"),
    ),
    Trouble(
        "sensor-stuck-open",
        "the first door's sensor always says open",
        breaks=lambda shop: shop.breaks(first(shop.layout).number, door="stuck_0"),
    ),
    Trouble(
        "item-stuck",
        "the first item sensor always sees something",
        breaks=lambda shop: shop.breaks(first(shop.layout).number, item="stuck_1"),
        possible=_has_items,
    ),
    Trouble(
        "inverted",
        "every input of the sensor board reads the other way round",
        faults=lambda it: {"inverted": _sensor_boards(it)},
    ),
    Trouble("inverted-door", "the first door's level is configured the wrong way round", rewire=_invert_one),
    Trouble(
        "reordered",
        "status octets come in the other order",
        faults=lambda it: {"reordered": _sensor_boards(it)},
        possible=_several_octets,
    ),
    Trouble("swapped", "the sensors of the first two doors are swapped", rewire=_swap, possible=_has_two),
    Trouble("welded", "the first lock's relay never opens again", faults=lambda it: {"welded": [_lock(it)]}),
    Trouble(
        "stuck-on",
        "the first lock's relay stays on, and says so",
        faults=lambda it: {"stuck_on": [_lock(it)]},
    ),
    Trouble(
        "request-loss", "one request in twenty is not heard", faults=_rate("request_loss"), watched_s=RARE_S
    ),
    Trouble("loss", "one reply in twenty is lost", faults=_rate("loss"), watched_s=RARE_S),
    Trouble(
        "flip",
        "a bit of one octet in a hundred turns over",
        faults=lambda _it: {"flip": 0.01},
        watched_s=RARE_S,
    ),
    Trouble(
        "collision", "somebody talks into one reply in twenty", faults=_rate("collision"), watched_s=RARE_S
    ),
    Trouble(
        "late", "one reply in twenty comes too late", faults=_rate("late", late_ms=LATE_MS), watched_s=RARE_S
    ),
    Trouble("noise", "stray octets before one reply in twenty", faults=_rate("noise")),
    Trouble("garbage", "stray octets before every reply", faults=lambda it: {"garbage": _sensor_boards(it)}),
    Trouble(
        "wrong-echo",
        "the reply to a pulse names another lock",
        faults=lambda it: {"wrong_echo": _lock_boards(it)},
        possible=_orders_answered,
    ),
    Trouble(
        "wrong-address",
        "a board replies in another one's name",
        faults=lambda it: {"wrong_address": _sensor_boards(it)},
    ),
    Trouble(
        "wrong-command",
        "a board replies to another command",
        faults=lambda it: {"wrong_command": _sensor_boards(it)},
    ),
    Trouble("wrong-baud", "the line is configured at another speed", rewire=_other_baud, possible=_on_a_pty),
    Trouble("echo", "the adapter hands back what is sent", must=False, faults=lambda _it: {"echo": True}),
    Trouble("duplicate", "one reply in twenty comes twice", must=False, faults=_rate("duplicate")),
    Trouble(
        "slow", "every board thinks a little longer", must=False, faults=lambda _it: {"delay_ms": SLOW_MS}
    ),
    Trouble(
        "reports",
        "boards tell door changes unasked",
        must=False,
        faults=lambda it: {"reports": _sensor_boards(it)},
        possible=_reports,
    ),
)

TROUBLES: Final[Mapping[str, Trouble]] = {trouble.name: trouble for trouble in _ALL}


def possible(layout: Layout, names: Iterable[str]) -> list[Trouble]:
    """Those of the names that this make-up can have."""
    return [TROUBLES[name] for name in names if TROUBLES[name].possible(layout)]
