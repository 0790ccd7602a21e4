"""People of a world without faults: who behaves well is served, who does not is met by the right screens."""

from collections.abc import Callable
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from types import SimpleNamespace
from typing import Any

import pytest

from sync.central.custody.hand_over import Receipt
from sync.central.custody.parties import Kind, Party
from tests.world.disks import WorldVfs
from tests.world.people import windows
from tests.world.people.agents import Agent
from tests.world.people.applicants import Applicant
from tests.world.people.plan import people
from tests.world.people.points import FAMILIES, POINTS, SELDOM
from tests.world.people.recipients import Recipient
from tests.world.people.rounds import Helper
from tests.world.people.technicians import Technician
from tests.world.people.town import Town
from tests.world.times import DAY_S
from tests.world.world import World, run

pytestmark = pytest.mark.timeout(240)
"""Hours are lived through; a busy machine takes its time."""
DAYS = 0.1
VISITS_A_DAY = 120
LATER_S = 0.12 * DAY_S
"""Those who were told of their code late come late; a helper's last round is behind them."""
NOT_OF_PEOPLE = "person left: dark screen or closed hub"


def lived(folder: Path, vfs: WorldVfs, seed: int, look: Callable[[World, Town], Any], **how: Any) -> Any:
    async def story(world: World) -> Any:
        town = people(world, DAYS, VISITS_A_DAY, **how)
        await world.begin()
        await world.until(DAYS * DAY_S + LATER_S)
        return look(world, town)

    return run(seed, folder, story, vfs)


def test_who_behaves_well_is_served(tmp_path: Path, vfs: WorldVfs) -> None:
    def look(world: World, town: Town) -> None:
        kinds = {type(person) for person in town.everybody}
        assert {Agent, Applicant, Helper, Recipient, Technician} <= kinds
        applicants = [person for person in town.everybody if isinstance(person, Applicant)]
        assert applicants
        assert all(person.receipt and not person.in_hand for person in applicants)
        label_on_desk = {label.case for label in town.desk["loc-1"]}
        recipients = [person for person in town.everybody if isinstance(person, Recipient)]
        loaded = [person for person in recipients if person.case not in label_on_desk and person.typed]
        assert len(loaded) > len(recipients) / 2
        assert sum(person.done for person in loaded) >= len(loaded) - 2
        assert all(person.told and person.in_hand for person in loaded if person.done)
        told = town.testimony
        collected = {said.case for said in told.said if said.what == "collected"}
        assert collected == {person.case for person in recipients if person.done}
        assert {said.what for said in told.said} >= {"opened", "put", "took", "receipt", "loaded", "taken_in"}
        # What the locker took over and nobody fetched lies where it was put.
        assert all(world.contents.where(thing) == place for thing, place in told.entrusted.items())

    lived(tmp_path, vfs, 1, look, well_behaved=True)


def test_what_people_do_wrong_ends_well_or_at_a_screen_that_says_why(tmp_path: Path, vfs: WorldVfs) -> None:
    def look(world: World, _town: Town) -> tuple[set[str], str]:
        assert {"drop-off", "outgoing item", "round", "technician", "agent", "passer-by", "vandal"} <= set(
            world.happened
        )
        return set(world.points) - {NOT_OF_PEOPLE}, world.trace.digest

    reached, _ = lived(tmp_path, vfs, 3, look)
    strange = {point for point in reached - {*POINTS, *SELDOM} if not point.startswith(FAMILIES)}
    assert not strange
    assert len(reached & set(POINTS)) >= 12


@pytest.mark.parametrize("spoil", ["receipt", "papers"])
def test_people_notice_what_only_they_can_see(tmp_path: Path, vfs: WorldVfs, spoil: str) -> None:
    """Hands of the test play the locker's lies: a thing taken over lies behind a door given as vacant."""

    async def story(world: World) -> list[int]:
        town = people(world, 0.01, 0, well_behaved=True)
        machine = world.machines[0]
        person = Applicant(town, machine, world.chance("one"), "CASE100001", "13800000001")
        await world.begin()
        if spoil == "papers":
            person.opened_before = {}
            machine.do(5, "pry")
            world.contents.put(machine, 5, "papers of CASE999999")
            town.testimony.took_over("papers of CASE999999", machine, 5)
            person.finds(5, person.thing)
        else:
            person.opened_before = {7: 0}
            person.told_done(5, "receipt", 7)
        return [violation.number for violation in world.violations]

    assert run(1, tmp_path, story, vfs) == ([4] if spoil == "papers" else [5])


async def test_a_slip_that_lay_for_long_may_name_what_its_recipient_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taken out, put on a slip, loaded again, collected: it is not in the bag, and stays with them."""
    giver, to, recipient = (Party(kind, "") for kind in (Kind.WINDOW, Kind.COURIER, Kind.RECIPIENT))
    held, said = {"result/a": giver, "result/b": recipient}, list[str]()

    async def settle(_slip: str, receipt: Receipt, _who: object) -> None:
        held.update(dict.fromkeys(receipt.received, to))

    async def look(work: Any) -> Any:
        return work(held)

    async def does(act: Any, _point: str) -> None:
        await act(SimpleNamespace(settle=settle, look=look))

    monkeypatch.setattr(windows, "MISSES", 0.0)
    monkeypatch.setattr(windows, "_holder", lambda where, thing: where[thing])
    world = SimpleNamespace(centre=None, violated=lambda _number, what: said.append(what))
    town: Any = SimpleNamespace(world=world)
    window = windows.Window(town, Random(1))
    monkeypatch.setattr(window, "_does", does)
    await window._settles("slip", giver, to, list(held))
    assert (held, said) == ({"result/a": to, "result/b": recipient}, [])
