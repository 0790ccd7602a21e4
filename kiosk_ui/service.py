"""What technicians do: look at doors, boards and sensors, try a door, block it, free it, test them all."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from kiosk_ui.acts import Press
from kiosk_ui.flow import Signal, Step, advance
from kiosk_ui.names import Act
from kiosk_ui.screens import Visit
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import CompartmentNumber
from locker.operations import service
from locker.operations.ports import World
from locker.operations.self_test import Wish
from locker.operations.self_tester import SelfTester
from locker.operations.service import Technician

LOOKING: Final = frozenset({Step.SERVICE, Step.SERVICE_DOOR, Step.BLOCKING})
"""Steps whose pages show figures that move by themselves."""
_NOT_NOW: Final = Refusal(Reason.NOT_NOW)


def _who(visit: Visit) -> Technician:
    return Technician(visit.staff)


async def _look(world: World, visit: Visit, press: Press) -> Visit:
    """One tab of the overview, from its first page or from the one that is named."""
    del world
    tab, page = str(press.data.get("tab", visit.tab)), int(press.data.get("page", 0))
    return replace(visit, step=advance(visit.step, Signal.SERVICE), door=None, tab=tab, page=max(0, page))


async def _door(world: World, visit: Visit, press: Press) -> Visit:
    door = CompartmentNumber(int(press.data.get("door", visit.door or 0)))
    if door not in world.journal.state.compartments:
        return replace(visit, refusal=_NOT_NOW)
    return replace(visit, step=advance(visit.step, Signal.SERVICE_DOOR), door=door)


async def _test_open(world: World, visit: Visit, press: Press) -> Visit:
    """The page stays: what became of it, the journal tells."""
    if visit.door is None or press.data.get("door", visit.door) != visit.door:
        return replace(visit, refusal=_NOT_NOW)
    answer = await service.test_open(world, _who(visit), visit.door)
    return replace(visit, refusal=answer if isinstance(answer, Refusal) else None)


async def _blocking(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(visit, step=advance(visit.step, Signal.BLOCKING))


async def _block(world: World, visit: Visit, press: Press) -> Visit:
    if visit.door is None:
        return replace(visit, refusal=_NOT_NOW)
    refusal = await service.block(world, _who(visit), visit.door, str(press.data["why"]))
    return _back_at_the_door(visit, refusal, "blocked")


async def _unblock(world: World, visit: Visit, press: Press) -> Visit:
    if visit.door is None or press.data.get("door", visit.door) != visit.door:
        return replace(visit, refusal=_NOT_NOW)
    return _back_at_the_door(visit, await service.unblock(world, _who(visit), visit.door), "unblocked")


def _back_at_the_door(visit: Visit, refusal: Refusal | None, said: str) -> Visit:
    step = advance(visit.step, Signal.SERVICE_DOOR)
    return replace(visit, step=step, refusal=refusal, said="" if refusal else said)


def testing(tester: SelfTester | None) -> Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]:
    """The acts that start and stop a self-test, bound to who runs them."""

    async def start(world: World, visit: Visit, press: Press) -> Visit:
        del world, press
        refusal = tester.start(_who(visit), Wish()) if tester else _NOT_NOW
        return replace(visit, refusal=refusal, page=0)

    async def stop(world: World, visit: Visit, press: Press) -> Visit:
        del world, press
        if tester:
            tester.stop()
        return visit

    return {Act.SELF_TEST: start, Act.SELF_TEST_STOP: stop}


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.SERVICE: _look,
    Act.SERVICE_DOOR: _door,
    Act.TEST_OPEN: _test_open,
    Act.BLOCKING: _blocking,
    Act.BLOCK: _block,
    Act.UNBLOCK: _unblock,
}
