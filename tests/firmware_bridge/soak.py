"""Pulses over a bad line, judged by what the boards did; the test run takes some, a soak as many as asked."""

from collections import Counter

from firmware_bridge.request import Pulse, ReadDoors
from locker.domain.door import PulseOutcome
from locker.domain.ids import BoardId
from tests.firmware_bridge.faulty_line import Faults, ToyBoard, World

LOCKS, DOORS = BoardId("A/1"), BoardId("A/2")
ROUNDING_S = 1e-9


def world(seed: int, baud: int, echo: bool, faults: Faults) -> World:
    toys = {LOCKS: ToyBoard(1, relays=32, modes=[0] * 32), DOORS: ToyBoard(2, inputs=[True] * 32)}
    polls = {DOORS: ReadDoors(DOORS, 1, 32)}
    it = World(
        {LOCKS: "waveshare-32", DOORS: "inputs-32"}, toys, polls=polls, baud=baud, echo=echo, seed=seed
    )
    it.run(2)
    it.faults = faults
    return it


def run(
    pulses: int, seed: int, baud: int = 9600, echo: bool = False, faults: Faults | None = None
) -> Counter[str]:
    """How often each outcome came, and under "wrong" what must never be."""
    line = world(seed, baud, echo, faults or Faults.all(0.05))
    tally: Counter[str] = Counter()
    for n in range(pulses):
        line.toys[LOCKS].dead = line.rng.random() < 0.1
        line.toys[LOCKS].refuses = 3 if line.rng.random() < 0.05 else 0
        line.toys[DOORS].inputs[n % 32] ^= True
        fired_before = len(line.toys[LOCKS].fired)
        within_s = line.rng.choice([0.01, 0.5, 3.0])
        deadline_s = line.now + within_s
        pulse = line.pulse(LOCKS, n % 32 + 1, within_s)
        line.run(line.rng.uniform(0.2, 4.0) if line.rng.random() < 0.2 else 1.0)
        while not line.settled(pulse):
            line.run(1.0)
        line.toys[LOCKS].dead = False
        line.run(0.1)
        tally += judge(line, pulse, deadline_s, line.toys[LOCKS].fired[fired_before:])
        line.events.clear()
    quiet = [gap for gap in line.gaps if gap < line.timing.silence_s - ROUNDING_S]
    tally["wrong"] += len(quiet)
    return tally


def judge(line: World, pulse: Pulse, deadline_s: float, fired: list[tuple[float, int, int]]) -> Counter[str]:
    settled = line.settled(pulse)
    outcome = settled[0].result.outcome
    times = {
        PulseOutcome.ACKNOWLEDGED: {1},
        PulseOutcome.UNCERTAIN: {0, 1},
        PulseOutcome.REFUSED: {0},
        PulseOutcome.NOT_SENT: {0},
    }[outcome]
    wrong = [
        len(settled) != 1,
        len(fired) not in times,
        any(at_s >= deadline_s for at_s, _, _ in fired),
        any((channel, units) != (pulse.channel, 5) for _, channel, units in fired),
    ]
    return Counter({outcome.value: 1, "wrong": sum(wrong)})
