"""What people were told and what they did, in their own words and with the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.world.machine import Machine
    from tests.world.world import World


@dataclass(frozen=True, slots=True)
class Said:
    """``what`` is one of the words of `WORDS`; the rest as far as it is known."""

    at_s: float
    who: str
    locker: str
    what: str
    case: str = ""
    door: int = 0
    thing: str = ""
    word: str = ""
    """A receipt's number, a finding, a reason."""
    deposit: str = ""
    """As rows of a round name it: only staff get to see it."""


WORDS = (
    "code",  # a right code was shown; word: typed or scanned
    "refused",  # the screen said no; word: its reason
    "opened",  # the screen said that this door is open for me, and it was
    "put",  # thing put behind door
    "took",  # thing taken out from behind door
    "astray",  # thing put behind a door that was not the one on the screen
    "receipt",  # the screen showed a receipt; word: its number
    "taken_back",  # the screen said so
    "collected",  # the screen said so
    "declined",  # the screen said that the item was refused; word: the reason given
    "not_empty",  # somebody else's thing lay there, and the screen was told
    "loaded",  # the screen said so
    "taken_in",  # the screen took the finding; word: the finding
    "withdrawn",  # the screen said so
    "checked",  # the screen took the finding; word: what was found
    "booked",  # a slot; word: its name
    "key",  # the service key was turned; word: on or back
    "left_open",  # went away from an open door
    "lied",  # told the screen what was not so; word: what
    "dark",  # the screen went dark in the middle
    "gave_up",  # word: why
)


class Testimony:
    """Of everybody in one world. Who was there may be asked; the product never is."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.said: list[Said] = []
        self.entrusted: dict[str, tuple[str, int]] = {}
        """Things that the screen took over in so many words, and behind which door they were put.

        It ends when somebody takes them out, or says of that door what is not so. A locker that forgot what
        it had taken over (`shaken`) is no witness either.
        """

    def say(self, who: str, machine: "Machine", what: str, **more: str | int) -> None:
        at_s = self._world.loop.time()
        said = Said(at_s, who, machine.name, what, **more)  # type: ignore[arg-type]
        self.said.append(said)
        text = " ".join(str(each) for each in (said.case, said.door or "", said.thing, said.word) if each)
        self._world.trace.add(f"{machine.name} {who}: {what} {text}")

    def took_over(self, thing: str, machine: "Machine", door: int) -> None:
        self.entrusted[thing] = (machine.name, door)

    def moved(self, thing: str) -> None:
        self.entrusted.pop(thing, None)

    def lied_about(self, machine: "Machine", door: int) -> None:
        """Nobody may blame the locker for what is behind this door now."""
        self._forget([thing for thing, place in self.entrusted.items() if place == (machine.name, door)])

    def shaken(self, machine: "Machine", but: Mapping[str, tuple[str, int]] = MappingProxyType({})) -> None:
        """Whoever breaks sensors, swaps wires or puts an old card back says so here; ``but``: of these the
        locker still knows."""
        here = [thing for thing, place in self.entrusted.items() if place[0] == machine.name]
        self._forget([thing for thing in here if but.get(thing) != self.entrusted[thing]])

    def _forget(self, things: list[str]) -> None:
        for thing in things:
            del self.entrusted[thing]
