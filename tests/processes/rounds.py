"""Visits, and in each of them one process that is killed at some moment and started again. Seeded.

The moments are the machine's own: the same seed kills the same processes after the same times, and what they
are doing then may differ. What must hold holds at every moment.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from random import Random  # noqa: TID251  # seeded
from typing import Final

from tests.processes.people import People
from tests.processes.rig import VICTIMS, Rig, rest_s

PHONE: Final = "13812345678"
MOMENT_MAX_S: Final = 1.6
"""A visit without mishap takes about as long."""
DOWN_MAX_S: Final = 0.6
AHEAD: Final = 5
"""Cases that pass pre-review at once."""
FIRST: Final = "L-first"


class Rounds:
    """`play` some, then judge with ``people.acknowledged``."""

    def __init__(self, rig: Rig, seed: int, victims: tuple[str, ...] = VICTIMS) -> None:
        print(f"seed {seed}", flush=True)
        self._rig = rig
        self._chance = Random(seed)
        self._victims = victims
        self.people = People(rig, self._chance)
        self.kills: Counter[str] = Counter()
        self.in_mid_visit = 0
        self._made = 0
        self._codes: deque[tuple[str, str]] = deque()
        self._loaded: deque[str] = deque()
        self._next: deque[tuple[str, Callable[[], None]]] = deque()

    def begin(self) -> None:
        """A licence lies there already, so that the first cycle has something to collect."""
        self.people.loads(FIRST, self.people.label(FIRST, PHONE))
        self._loaded.append(FIRST)

    def play(self, count: int) -> None:
        for _ in range(count):
            if not self._next:
                self._cycle()
            name, visit = self._next.popleft()
            self._struck(name, visit)
        self.people.looks_into_doubted()

    def _cycle(self) -> None:
        """Four visits, in an order in which no lock has to be waited for."""
        if not self._codes:
            cases = [f"C-{self._made + n}" for n in range(AHEAD)]
            self._made += AHEAD
            self._rig.quiet()
            self._codes.extend((case, self.people.pre_reviewed(case, PHONE)) for case in cases)
        case, typed = self._codes.popleft()
        licence, before = f"L-{case}", self._loaded.popleft()
        label = self.people.label(licence, PHONE)
        scan = self.people.scan_of(before, PHONE)
        self._loaded.append(licence)
        self._next.extend(
            (
                ("hands in", lambda: self.people.hands_in(case, typed)),
                ("collects", lambda: self.people.collects(before, scan)),
                ("takes in", lambda: self.people.takes_in(case)),
                ("loads", lambda: self.people.loads(licence, label)),
            )
        )

    def _struck(self, name: str, visit: Callable[[], None]) -> None:
        victim = self._chance.choice(self._victims)
        after_s, down_s = self._chance.uniform(0, MOMENT_MAX_S), self._chance.uniform(0, DOWN_MAX_S)
        failed: list[BaseException] = []

        def visits() -> None:
            try:
                visit()
            except BaseException as error:  # noqa: BLE001  # told by the thread that waits
                failed.append(error)

        # Processes end with the thread that started them: this one starts them, another one visits.
        visitor = threading.Thread(target=visits)
        visitor.start()
        try:
            rest_s(after_s)
            self.in_mid_visit += visitor.is_alive()
            self._rig.kill(victim)
            rest_s(down_s)
            self._rig.begin(victim)
        finally:
            visitor.join()
        if failed:
            raise failed[0]
        self.kills[f"{victim} while somebody {name}"] += 1
