"""What people do wrong, each with a chance of its own."""

from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Final

from tests.world.machine import Machine
from tests.world.times import HOUR_S, MINUTE_S, pause

if TYPE_CHECKING:
    from tests.world.people.person import Person

CHANCES: Final = {
    "slips": 0.06,  # a wrong code first
    "slips_phone": 0.08,
    "only_looks": 0.03,  # half a visit, then away
    "shuts_empty": 0.03,  # opens and closes empty
    "leaves_open": 0.02,
    "wrong_door": 0.3,  # where another one stands open
    "declines": 0.05,  # does not want what lies there
    "lets_lie": 0.03,  # opens, and takes nothing
    "keeps": 0.02,  # takes it, and says it is still inside
    "leans": 0.02,  # holds doors shut while they are pulsed
    "presses_twice": 0.03,
    "pushes_in": 0.03,
    "wrong_locker": 0.04,
    "wants_help": 0.03,
    "is_helped": 0.05,  # somebody of the staff stands beside them
    "books": 0.15,  # says beforehand when they come
    "is_late": 0.2,  # later than they said
    "cancels": 0.15,  # gives back what was booked, and comes all the same
    "tries_the_old": 0.5,  # a code that was lost and found again
}


class Habits:
    """Of one person. Each misdeed happens once at most: `once` forgets it."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._will = {name for name, share in CHANCES.items() if rng.random() < share}
        self.scans = rng.random() < 0.5
        self.comes_back = rng.random() < 0.06
        self.wants_back = True

    def once(self, name: str) -> bool:
        will = name in self._will
        self._will.discard(name)
        return will

    def well_behaved(self) -> None:
        self._will &= {"is_helped", "books"}
        self.comes_back = False

    def wrong(self, typed: str) -> str:
        """One digit is another."""
        digits = [each for each in typed if each.isdigit()]
        place = self._rng.randrange(len(digits))
        digits[place] = str((int(digits[place]) + self._rng.randrange(1, 10)) % 10)
        return "".join(digits)

    def leans_on(self, who: "Person") -> None:
        """Against the cabinet: its doors are held shut while one of them is pulsed."""
        if not self.once("leans"):
            return
        who.world.reached("held doors shut while one was pulsed")
        for door in who.machine.model.numbers:
            who.machine.do(door, "hold")
        who.world.spawn(lets_go_later(who.machine, self._rng.uniform(2, 9)))

    def door_taken_for(self, who: "Person", door: int) -> int:
        """The door they take for theirs."""
        others = [each for each in who.open_doors() if each != door]
        if not others or not self.once("wrong_door"):
            return door
        who.world.reached("put behind the wrong door")
        who.say("astray", door=others[0])
        return others[0]

    async def walks_off(self, who: "Person", door: int) -> bool:
        """Away from an open door; somebody shuts it 10 minutes or 10 hours later."""
        long = self._rng.random() < 0.3
        who.say("left_open", door=door)
        who.world.reached("a door was left open")
        who.world.spawn(shuts_later(who.machine, door, 10 * HOUR_S if long else 10 * MINUTE_S))
        return True

    @staticmethod
    def offline(machine: Machine) -> bool:
        return machine.built is not None and not machine.built.edge.status.connected


async def shuts_later(machine: Machine, door: int, after_s: float) -> None:
    await pause(after_s)
    if machine.is_open(door):
        machine.do(door, "shut")


async def lets_go_later(machine: Machine, after_s: float) -> None:
    await pause(after_s)
    for door in machine.model.numbers:
        machine.do(door, "release")
