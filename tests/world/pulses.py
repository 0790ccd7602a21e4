"""What reached a board, against the rights that were durable before it: nothing else may move a lock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

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


@dataclass
class Pulses:
    """One locker's."""

    machine: "Machine"
    rights: dict[str, Right] = field(default_factory=dict)
    by_door: dict[int, Right] = field(default_factory=dict)
    last: tuple[float, bytes, int] = (-1.0, b"", 0)

    def told(self, fact: Fact, link: bytes, life: int) -> Iterator[Complaint]:
        """A fact is durable."""
        if fact.kind != "OpeningRequested":
            return
        machine, grant, door = self.machine, fact.data["grant"], fact.data["door"]
        if grant in self.rights:
            yield 2, f"entry {fact.seq} grants {grant} for door {door} a second time"
        # The stamp was made when it was decided; a slow disk tells us later.
        late_s = max(0.0, (machine.time.mono_ms() - fact.mono_ms) / 1000) if life == machine.life else 0.0
        right = Right(grant, door, fact.seq, link, machine.loop.time() - late_s, life)
        self.rights[grant] = self.by_door[door] = right

    def seen(self, pulse: "Pulse") -> Iterator[Complaint]:
        """An order reached a board."""
        machine, now_s, order = self.machine, self.machine.loop.time(), pulse.order
        door = pulse.compartment
        where = f"{machine.name} at {now_s:.3f} s, door {door}"
        if door is None:
            yield (
                1,
                f"{where}: {pulse.line}/{order.address}/{order.channel} was pulsed, no door is wired to it",
            )
            return
        at_s, frame, other = self.last
        if (at_s, frame) == (now_s, order.frame) and other != door:
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

    def _judged(self, right: Right, where: str, now_s: float) -> Iterator[Complaint]:
        machine = self.machine
        named = f"its latest grant is {right.grant} (entry {right.seq}, decided at {right.since_s:.3f} s)"
        failing = machine.platter.refuses is not None
        if right.pulsed_s >= 0:
            number = 16 if failing else 2
            yield number, f"{where}: pulsed again; {named}, and was used at {right.pulsed_s:.3f} s"
        elif machine.built is not None and right.life != machine.life:
            yield 7, f"{where}: pulsed by a later run; {named}, of an earlier one"
        elif now_s > right.since_s + DEADLINE_S + WIRE_S:
            yield 2, f"{where}: pulsed {now_s - right.since_s:.3f} s after the act; {named}"
