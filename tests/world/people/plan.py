"""Who comes when."""

import math
from functools import partial
from random import Random  # noqa: TID251  # seeded
from typing import Final

from locker.domain.entry import Entry
from locker.domain.state import LockerState
from tests.world.centre import Size
from tests.world.machine import Machine
from tests.world.people.afar import Operator
from tests.world.people.agents import Agent
from tests.world.people.applicants import Applicant
from tests.world.people.clerks import WORKS, Clerk
from tests.world.people.crowds import PATIENT_S
from tests.world.people.listeners import Listener
from tests.world.people.recipients import Recipient
from tests.world.people.rounds import Helper
from tests.world.people.technicians import Technician
from tests.world.people.together import Fitter, Stocktaker
from tests.world.people.town import RHYTHM, Town, hour_of_day
from tests.world.people.vandals import SIEGE_S, PasserBy, Vandal
from tests.world.people.windows import Window
from tests.world.times import DAY_S, HOUR_S, MINUTE_S
from tests.world.world import World

FROM_S: Final = 60.0
SIZES: Final = (Size.S, Size.S, Size.S, Size.M, Size.M, Size.L)
PASSERS_A_DAY: Final = 5
VANDALS_A_DAY: Final = 0.7
PAIRS: Final = ("doubts", "all", "all")
"""Stocktakes of a day, at each locker, by their scope. Each takes the place of four of the day's visits."""
PAIR_VISITS: Final = 4
WINDOWS_A_DAY: Final = 1.0
ERRANDS_A_DAY: Final = 8
"""Of clerks at the centre."""
WINDOW_A_DAY, LISTENS_A_DAY = 5, 4
"""In the hall: how often somebody receives what helpers bring, and works what people could not get done."""
HANDED_IN: Final = frozenset({0, 2, 4, 6, 9, 11, 13, 15, 17})
"""Of twenty visits; the others collect."""


def people(world: World, days: float, visits_a_day: int, *, well_behaved: bool = False) -> Town:
    """Plan everybody's visits."""
    town = Town(world, days, well_behaved=well_behaved)
    for machine in world.machines:
        rng = world.chance(f"people of {machine.name}")
        _helpers(town, machine, rng)
        _technicians(town, machine, rng)
        _visitors(town, machine, rng, visits_a_day // len(world.machines))
        _pairs(town, machine, rng)
        _clerks(town, machine, rng)
        _agents(town, machine, rng)
        if not well_behaved:
            _strangers(town, machine, rng)
        if visits_a_day:
            _patient(town, machine, rng)
    world.on_entries.append(_Called(town).told)
    return town


class _Called:
    """Two members of staff come where a locker that may have forgotten something opens for nobody."""

    def __init__(self, town: Town) -> None:
        self.town, self.waiting, self.count = town, set[str](), 0

    def told(self, machine: Machine, state: LockerState, _entries: tuple[Entry, ...]) -> None:
        if not state.history.awaited:
            self.waiting.discard(machine.name)
        elif machine.name not in self.waiting:
            self.waiting.add(machine.name)
            self.count += 1
            rng = self.town.world.chance(f"called {self.count}")
            one, other = rng.sample(("helper-1", "helper-2", "helper-3"), 2)
            self.town.world.spawn(Stocktaker(self.town, machine, one, other, rng).is_called())


def _moment(town: Town, rng: Random) -> float:
    """Some time of some day, as people are about."""
    while True:
        at_s = rng.uniform(FROM_S, town.days * DAY_S)
        if rng.random() * 10 < RHYTHM[hour_of_day(at_s)]:
            return at_s


def _visitors(town: Town, machine: Machine, rng: Random, visits_a_day: int) -> None:
    pairs = PAIR_VISITS * len(PAIRS) if visits_a_day else 0
    for number in range(max(1, round((visits_a_day - pairs) * town.days))):
        at_s, size = _moment(town, rng), rng.choice(SIZES)
        case = f"CASE{machine.name[-1]}{number:05d}"
        phone = f"13{machine.name[-1]}{number:08d}"
        if number % 20 in HANDED_IN:
            _drop_off(town, machine, at_s, size, case, phone, rng)
        else:
            _pickup(town, machine, at_s, size, case, phone, rng)


def _drop_off(
    town: Town, machine: Machine, at_s: float, size: Size, case: str, phone: str, rng: Random
) -> None:
    lead_s = min(at_s - FROM_S, rng.uniform(MINUTE_S, 6 * HOUR_S))
    valid_h = 1 if rng.random() < 0.05 and not town.well_behaved else 72

    def act(own: Random) -> object:
        return Applicant(town, machine, own, case, phone).lives(size, lead_s, valid_h)

    town.world.at(at_s - lead_s, "drop-off", act)


def _pickup(
    town: Town, machine: Machine, at_s: float, size: Size, case: str, phone: str, rng: Random
) -> None:
    mean_s = min(town.crowd.lag_s, town.days * DAY_S / 6)
    lag_s, second = rng.expovariate(1 / mean_s), rng.random() < 0.3
    ready_s = max(FROM_S, at_s - 2 * mean_s)

    def act(own: Random) -> object:
        return Recipient(town, machine, own, case, phone).lives(size, second, lag_s)

    town.world.at(ready_s, "outgoing item", act)


def _patient(town: Town, machine: Machine, rng: Random) -> None:
    """Things that lie there for days: as many as it takes until a crowded locker is full."""
    for day in range(math.ceil(town.days)):
        wanted = town.crowd.waiting * len(machine.layout.compartments)
        for number in range(round(wanted / 2 if day else wanted)):
            at_s = max(FROM_S, day * DAY_S) + rng.uniform(0, MINUTE_S)
            case, phone = (
                f"CASE{machine.name[-1]}7{day}{number:03d}",
                f"17{machine.name[-1]}{day:05d}{number:03d}",
            )
            size, second, lag_s = rng.choice(SIZES), rng.random() < 0.3, rng.expovariate(1 / PATIENT_S)

            def act(
                own: Random, what: tuple[Size, str, str, bool, float] = (size, case, phone, second, lag_s)
            ) -> object:
                size, case, phone, second, lag_s = what
                return Recipient(town, machine, own, case, phone).lives(size, second, lag_s)

            town.world.at(at_s, "outgoing item", act)


def _helpers(town: Town, machine: Machine, rng: Random) -> None:
    """Rounds from morning to night: on some days too few, and the locker is full."""
    for day in range(int(town.days) + 1):
        rounds = 6 if town.well_behaved else rng.choice(town.crowd.rounds)
        span_s = min(12 * HOUR_S, town.days * DAY_S)
        for place in range(rounds):
            at_s = max(FROM_S, day * DAY_S + (place + rng.random()) * span_s / rounds)
            name = f"helper-{rng.randrange(2) + 1}"

            def act(own: Random, name: str = name) -> object:
                return Helper(town, machine, name, own).comes_round()

            if at_s < town.days * DAY_S:
                town.world.at(at_s, "round", act)


def _technicians(town: Town, machine: Machine, rng: Random) -> None:
    """About every other day; with a self-test of all doors now and then."""
    for _ in range(max(1, round(town.days / 2))):
        tests_all = rng.random() < 0.3

        def act(own: Random, tests_all: bool = tests_all) -> object:
            return Technician(town, machine, "technician-1", own).comes_round(tests_all=tests_all)

        town.world.at(rng.uniform(FROM_S, town.days * DAY_S), "technician", act)


def _pairs(town: Town, machine: Machine, rng: Random) -> None:
    """Two at a time: stocktakes, and now and then a technician behind the doors."""
    for scope in PAIRS * max(1, round(town.days)):
        first, second = rng.sample(("helper-1", "helper-2", "helper-3"), 2)

        def act(own: Random, scope: str = scope, pair: tuple[str, str] = (first, second)) -> object:
            return Stocktaker(town, machine, *pair, own).takes_stock(scope)

        town.world.at(rng.uniform(FROM_S, town.days * DAY_S), "stocktake", act)
    for _ in range(max(1, round(WINDOWS_A_DAY * town.days))):

        def fit(own: Random) -> object:
            return Fitter(town, machine, "technician-2", "helper-3", own).fits()

        town.world.at(rng.uniform(FROM_S, town.days * DAY_S), "service window", fit)


def _clerks(town: Town, machine: Machine, rng: Random) -> None:
    if town.well_behaved:
        return  # whoever was promised something gets it
    for _ in range(max(1, round(ERRANDS_A_DAY * town.days))):
        work = rng.choice(WORKS)

        def act(own: Random, work: str = work) -> object:
            return Clerk(town, machine, own).works(work)

        town.world.at(rng.uniform(FROM_S, town.days * DAY_S), "from the centre", act)


def _agents(town: Town, machine: Machine, rng: Random) -> None:
    for number in range(max(1, round(town.days))):
        count = rng.choice((2, 2, 3))
        cases = tuple(f"CASE{machine.name[-1]}8{number:03d}{each}" for each in range(count))
        phone = f"15{machine.name[-1]}{number:08d}"
        lead_s = rng.uniform(MINUTE_S, HOUR_S)

        def act(
            own: Random, cases: tuple[str, ...] = cases, phone: str = phone, lead_s: float = lead_s
        ) -> object:
            return Agent(town, machine, own, cases, phone).lives(lead_s)

        town.world.at(max(FROM_S, _moment(town, rng) - lead_s), "agent", act)


def operators(town: Town) -> None:
    """Somebody calls the help line now and then. Planned last: the others' chances stay what they are."""
    for machine in town.world.machines:
        _calls(town, machine, town.world.chance(f"operators of {machine.name}"))
    hall = town.world.chance("hall")
    for work, name, times_a_day in (
        (_at_the_window, "window", WINDOW_A_DAY),
        (_listens, "complaints", LISTENS_A_DAY),
    ):
        for _ in range(max(1, round(times_a_day * town.days))):
            act = partial(work, town)
            town.world.at(hall.uniform(FROM_S, town.days * DAY_S), name, act)


def _at_the_window(town: Town, own: Random) -> object:
    return Window(town, own).works()


def _listens(town: Town, own: Random) -> object:
    return Listener(town, own).works()


def _calls(town: Town, machine: Machine, rng: Random) -> None:
    """On some days so many that the locker's cap is met."""
    for _ in range(max(1, round(2 * town.days))):
        count = rng.choice((1, 1, 1, 5))

        def act(own: Random, count: int = count) -> object:
            return Operator(town, machine, own).opens(count)

        town.world.at(rng.uniform(FROM_S, town.days * DAY_S), "from afar", act)


def _strangers(town: Town, machine: Machine, rng: Random) -> None:
    """Passers-by every few hours, vandals on some days, a siege of many hours now and then."""
    for _ in range(max(1, round(PASSERS_A_DAY * town.days))):
        town.world.at(
            _moment(town, rng),
            "passer-by",
            lambda own: PasserBy(town, machine, "passer-by", own).passes(),
        )
    for number in range(max(1, round(VANDALS_A_DAY * town.days))):
        work = rng.choice(("guesses", "scans", "presses", "pries"))
        for_s = 0.0 if work == "pries" else rng.choice((0.0, 10 * MINUTE_S, HOUR_S))

        def act(own: Random, number: int = number, work: str = work, for_s: float = for_s) -> object:
            return Vandal(town, machine, f"vandal-{number + 1}", own).rages(work, for_s)

        town.world.at(rng.uniform(FROM_S, town.days * DAY_S), "vandal", act)
    if rng.random() < min(0.5, 0.1 * town.days):
        town.world.at(
            rng.uniform(FROM_S, town.days * DAY_S),
            "siege",
            lambda own: Vandal(town, machine, "besieger", own).long_siege(SIEGE_S),
        )
