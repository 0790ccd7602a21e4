"""Simulated boards on a paced pty, as a process of their own: the simulator's line judges every silence.

    python -m tests.bench.line.paced FD JSON

Acts for doors come line by line on standard input ("pry 17"); what was seen is told as JSON when the port is
closed. A real board has its own clock: the last stretch of every wait is spun, so that its lateness is not
the driver's.
"""

import json
import os
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import hw_sim.line
from hw_sim import hands
from hw_sim.cabinet import Cabinet, Move, Pulse
from hw_sim.chance import Chance
from hw_sim.clock import to_ms
from hw_sim.line import Kind, Line, Seen, Wire
from tests.contract.joined import group_of, layout_of

MODULE: Final = "tests.bench.line.paced"
ROOT: Final = Path(__file__).parents[3]
SPIN_S: Final = 0.000_3
READ_BYTES: Final = 4096
NEVER_EARLY_S: Final = 1.0


class Boards:
    """``patient``: boards that hear who speaks too early, so that others can be timed at all."""

    def __init__(self, profiles: list[str], baud: int, *, patient: bool) -> None:
        if patient:
            hw_sim.line.EARLY_GRACE_S = NEVER_EARLY_S  # type: ignore[misc]
        layout = layout_of(*_groups(profiles))
        self.silences: list[float] = []
        self.kinds: dict[str, int] = {}
        self.pulses: list[tuple[int, int | None]] = []
        self.model = Cabinet(layout, self)
        self.model.advance(to_ms(time.monotonic()))
        self.line = Line(self.model.boards("A"), Wire(baud), Chance(1), self._seen)

    def pulse(self, pulse: Pulse) -> None:
        self.pulses.append((pulse.order.at_ms, pulse.compartment))

    def move(self, _move: Move) -> None: ...

    def _seen(self, seen: Seen) -> None:
        self.kinds[seen.kind] = self.kinds.get(seen.kind, 0) + 1
        if seen.kind in {Kind.REQUEST, Kind.EARLY} and seen.gap_s is not None:
            self.silences.append(seen.gap_s)

    def serve(self, fd: int) -> None:
        """Until the port is closed."""
        while True:
            due_s = self._due_s()
            left_s = None if due_s is None else max(0.0, due_s - time.monotonic() - SPIN_S)
            ready, _, _ = select.select([fd, sys.stdin], [], [], left_s)
            if sys.stdin in ready:
                self._act(sys.stdin.readline().split())
            if fd in ready:
                try:
                    data = os.read(fd, READ_BYTES)
                except OSError:
                    return
                now_s = time.monotonic()
                self.model.advance(to_ms(now_s))
                self.line.received(data, now_s)
            elif due_s is not None:
                while (now_s := time.monotonic()) < due_s:
                    pass
                self.model.advance(to_ms(now_s))
                if octets := self.line.due(now_s):
                    os.write(fd, octets)

    def _due_s(self) -> float | None:
        own_ms = self.model.next_ms()
        moments = [self.line.next_s(), None if own_ms is None else own_ms / 1000]
        return min((moment for moment in moments if moment is not None), default=None)

    def _act(self, words: list[str]) -> None:
        if words:
            hands.do(self.model, int(words[1]), words[0], to_ms(time.monotonic()))


def _groups(profiles: list[str]) -> Iterator[list[Any]]:
    address = None
    for profile in profiles:
        group = group_of(profile, "A", address)
        address = max(board.address for board in group) + 1
        yield group


class Paced:
    """The process, and the port at which a driver finds its boards."""

    def __init__(self, profiles: list[str], baud: int, *, patient: bool = False) -> None:
        ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        what = json.dumps({"profiles": profiles, "baud": baud, "patient": patient})
        command = [sys.executable, "-m", MODULE, str(ours), what]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, pass_fds=[ours], stdin=pipe, stdout=pipe, text=True, cwd=ROOT
        )
        os.close(ours)
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it is there

    def act(self, act: str, door: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{act} {door}\n")
        self._process.stdin.flush()

    def close(self) -> dict[str, Any]:
        """What its line has seen. The driver's end is closed before."""
        if self._theirs >= 0:
            os.close(self._theirs)
            self._theirs = -1
        told: dict[str, Any] = json.loads(self._process.communicate(timeout=10)[0])
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._theirs >= 0:
            os.close(self._theirs)
        self._process.kill()
        self._process.communicate()


@contextmanager
def _told(boards: Boards) -> Iterator[None]:
    print("ready", flush=True)
    yield
    told = {"silences": boards.silences, "kinds": boards.kinds, "pulses": boards.pulses}
    print(json.dumps(told))


def main() -> int:
    fd, what = int(sys.argv[1]), json.loads(sys.argv[2])
    boards = Boards(what["profiles"], what["baud"], patient=what["patient"])
    with _told(boards):
        boards.serve(fd)
    return 0


if __name__ == "__main__":
    sys.exit(main())
