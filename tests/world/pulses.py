"""What reached a board, against the rights that were durable before it: nothing else may move a lock."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hw_sim.line import Kind, Seen
from tests.world.journals import Complaint
from tests.world.reference import Fact

if TYPE_CHECKING:
    from hw_sim.cabinet import Pulse
    from tests.world.machine import Machine

DEADLINE_S: Final = 3.0
"""A pulse leaves this long after the person's act at the latest."""
WIRE_S: Final = 0.1
"""From the last look at the clock until a board has heard the whole order."""


@dataclass(slots=True)
class Right:
    """One grant. ``since_s``: when it was decided, by true time."""

    grant: str
    door: int
    seq: int
    hash: bytes
    since_s: float
    life: int
    pulsed_s: float = -1.0
    reply_s: float = math.inf
    """When its board's reply was whole; never, where it was lost."""
    in_vain: bool = False
    """Whether its journal had already written in vain in that life."""


@dataclass
class Pulses:
    """One locker's."""

    machine: "Machine"
    rights: dict[str, Right] = field(default_factory=dict)
    by_door: dict[int, Right] = field(default_factory=dict)
    last: tuple[float, bytes, int] = (-1.0, b"", 0)

    def __post_init__(self) -> None:
        plans = self.machine.layout.compartments
        # As configured: wires may have been swapped since.
        self.doors = {(each.lock.line, each.lock.board, each.lock.channel): each.number for each in plans}
        self._unanswered: Right | None = None
        self._vain_life = 0
        """The latest life whose disk refused it something."""
        self.machine.platter.ills.refused = self._refused
        for wire in self.machine.wires.values():
            wire.seen = self._replied

    def door_of(self, pulse: "Pulse") -> int | None:
        return self.doors.get((pulse.line, pulse.order.address, pulse.order.channel))

    def _refused(self) -> None:
        self._vain_life = self.machine.life

    def _replied(self, seen: Seen) -> None:
        """A board says something, or would have: right after an order this is its reply, unless it only
        tells what moved."""
        if seen.kind is Kind.REPORT:
            return
        right, self._unanswered = self._unanswered, None
        if right is not None and seen.kind is Kind.REPLY:
            right.reply_s = seen.at_s

    def forget(self) -> None:
        """Another card: what it says is another past."""
        self.rights.clear()
        self.by_door.clear()

    def told(self, fact: Fact, link: bytes, life: int) -> Iterator[Complaint]:
        """A fact is durable."""
        if fact.kind in {"PulseAcknowledged", "PulseNotSent"}:
            yield from self._wired(fact)
        if fact.kind != "OpeningRequested":
            return
        machine, grant, door = self.machine, fact.data["grant"], fact.data["door"]
        if grant in self.rights:
            yield 2, f"entry {fact.seq} grants {grant} for door {door} a second time"
        # The stamp was made when it was decided; a slow disk tells us later.
        late_s = max(0.0, (machine.time.mono_ms() - fact.mono_ms) / 1000) if life == machine.life else 0.0
        right = Right(grant, door, fact.seq, link, machine.loop.time() - late_s, life)
        right.in_vain = life == self._vain_life
        self.rights[grant] = self.by_door[door] = right

    def _wired(self, fact: Fact) -> Iterator[Complaint]:
        """What is said of the wire, against what was on it."""
        right, now_s = self.rights.get(fact.data["grant"]), self.machine.loop.time()
        echo = any(wire.faults.echo for wire in self.machine.wires.values())
        if right is None or not right.life:  # of a past that we have not seen
            return
        if fact.kind == "PulseNotSent" and right.pulsed_s >= 0:
            at_s = f"{right.pulsed_s:.3f} s"
            yield 2, f"entry {fact.seq}: no pulse of door {right.door} was sent, and one came at {at_s}"
        if fact.kind == "PulseAcknowledged" and right.reply_s > now_s and not echo:
            yield 2, f"entry {fact.seq}: the pulse of door {right.door} is acknowledged, and no reply came"

    def seen(self, pulse: "Pulse") -> Iterator[Complaint]:
        """An order reached a board."""
        machine, now_s, order = self.machine, self.machine.loop.time(), pulse.order
        door = self.door_of(pulse)
        where = f"{machine.name} at {now_s:.3f} s, door {door}"
        if door is None:
            yield (
                1,
                f"{where}: {pulse.line}/{order.address}/{order.channel} was pulsed, no door is wired to it",
            )
            return
        at_s, frame, other = self.last
        twins = any(
            len({b.address for b in wire.boards}) < len(wire.boards) for wire in machine.wires.values()
        )
        if (at_s, frame) == (now_s, order.frame) and other != door and not twins:
            yield 11, f"{where}: one command opened door {other} as well ({frame.hex()})"
        self.last = (now_s, order.frame, door)
        right = self.by_door.get(door)
        if right is None:
            yield (
                16 if machine.platter.refuses else 1,
                f"{where}: pulsed, and no grant was ever durable for it",
            )
            return
        yield from self._judged(right, where, now_s)
        right.pulsed_s = now_s
        self._unanswered = right

    def _judged(self, right: Right, where: str, now_s: float) -> Iterator[Complaint]:
        machine = self.machine
        named = f"its latest grant is {right.grant} (entry {right.seq}, decided at {right.since_s:.3f} s)"
        failing = machine.platter.refuses is not None
        if right.pulsed_s >= 0:
            number = 16 if failing else 2
            yield number, f"{where}: pulsed again; {named}, and was used at {right.pulsed_s:.3f} s"
        elif right.in_vain:
            yield 16, f"{where}: pulsed in a life in which the disk had refused a write; {named}"
        elif machine.built is not None and right.life != machine.life:
            yield 7, f"{where}: pulsed by a later run; {named}, of an earlier one"
        elif now_s > right.since_s + DEADLINE_S + WIRE_S:
            yield 2, f"{where}: pulsed {now_s - right.since_s:.3f} s after the act; {named}"
