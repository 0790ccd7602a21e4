"""A machine behind the kiosk's page: boards with made-up figures, wires, and a self-test that really runs."""

from dataclasses import replace

from kiosk_ui.backroom import Backroom, Contact, Wires
from locker.domain.door import Position, Presence
from locker.domain.figures import BoardFigures, LineFigures
from locker.domain.ids import BoardId, CompartmentNumber
from locker.operations.self_tester import SelfTester
from tests.locker.operations.world import MemoryWorld

CHANNELS = 24
BOARD = BoardFigures(
    BoardId("A/1"), "xor8a-24", "silver", "serving", "", 1_200, 3, 0, 0, 21.4, (21.0, 22.0), (), 1
)


class Machine:
    """Boards of 24 channels; each sees the doors of its own locks. A test loses boards and links."""

    def __init__(self, world: MemoryWorld) -> None:
        self.world = world
        self.lost: set[str] = set()
        self.why = "no answer"
        self.contact = Contact(online=True, last_wall_ms=1_790_000_000_000, unsent=2)
        self._begun_ms = world.clock.mono_ms()
        doors = world.journal.state.compartments
        self.tester = SelfTester(world.world, self.figures, dict.fromkeys(doors, "A"))

    def backroom(self) -> Backroom:
        wires = {CompartmentNumber(n): self.wires(n) for n in range(1, 193)}
        return Backroom(self.figures, lambda: self.contact, wires, "doclocker 1.2.3", self.tester)

    def wires(self, door: int) -> Wires:
        board, place = divmod(door - 1, CHANNELS)
        lock = (BoardId(f"A/{board + 1}"), place + 1)
        return Wires(lock, lock, (BoardId(f"B/{board + 1}"), place + 1))

    def figures(self) -> tuple[LineFigures, ...]:
        doors = len(self.world.hands.readings)
        numbers = range(1, -(-doors // CHANNELS) + 1)
        return tuple(
            LineFigures(
                line,
                f"/dev/serial/by-id/usb-{line}",
                19_200,
                0.412,
                2.1,
                4.0,
                3.6,
                tuple(self._board(line, n) for n in numbers),
            )
            for line in ("A", "B")
        )

    def _board(self, line: str, number: int) -> BoardFigures:
        asked = BOARD.asked + (self.world.clock.mono_ms() - self._begun_ms) // 500
        name, levels = BoardId(f"{line}/{number}"), self._levels(line, number)
        board = replace(BOARD, board=name, levels=levels, asked=asked)
        if board.board in self.lost:
            return replace(board, standing="lost", why=self.why, missed=400)
        return board

    def _levels(self, line: str, number: int) -> tuple[bool, ...]:
        first = (number - 1) * CHANNELS + 1
        mine = [self.world.hands.readings.get(CompartmentNumber(first + n)) for n in range(CHANNELS)]
        if line == "A":
            return tuple(each is not None and each.position is Position.CLOSED for each in mine)
        return tuple(each is not None and each.item is Presence.PRESENT for each in mine)
