"""A second person signs in beside the first: their badge, their PIN, and back to what asked for two."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from kiosk_ui.acts import CodeShown, Press
from kiosk_ui.flow import Signal, Step, advance
from kiosk_ui.names import Act
from kiosk_ui.screens import Visit
from kiosk_ui.visitors import name_in, refused
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import Seq
from locker.operations import second_person
from locker.operations.ports import World
from locker.operations.present_code import BadgeOffer, present_scanned

_NOT_NOW: Final = Refusal(Reason.NOT_NOW)


def asked(visit: Visit, refusal: Refusal | None = None) -> Visit:
    """The page that asks for a second badge, and why."""
    back = Signal.WINDOW if visit.step is Step.WINDOW else Signal.STOCKTAKE
    together = replace(visit.together, back=back)
    return replace(visit, step=advance(visit.step, Signal.SECOND), together=together, refusal=refusal)


async def _second(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return asked(visit)


async def badge(world: World, visit: Visit, shown: CodeShown) -> Visit:
    """Held to the scanner where a second person is asked for: nothing but another badge counts."""
    answer = await present_scanned(world, shown.scanned) if shown.scanned else _NOT_NOW
    if isinstance(answer, Refusal):
        return replace(visit, refusal=answer)
    if not isinstance(answer, BadgeOffer):
        return replace(visit, refusal=_NOT_NOW)
    if answer.staff == visit.staff:
        return replace(visit, refusal=Refusal(Reason.SAME_PERSON))
    record = world.journal.state.staff.get(answer.staff)
    name = await name_in(world, record.seq if record else Seq(0))
    together = replace(visit.together, second_name=name)
    return replace(visit, step=advance(visit.step, Signal.BADGE), offer=answer, together=together)


async def _pin(world: World, visit: Visit, press: Press) -> Visit:
    if not isinstance(visit.offer, BadgeOffer):
        return refused(world, visit, _NOT_NOW)
    answer = await second_person.join(world, visit.staff, visit.offer, str(press.data["digits"]))
    if isinstance(answer, Refusal):
        return refused(world, visit, answer)
    return replace(visit, step=advance(visit.step, visit.together.back), offer=None, said="joined")


async def _back(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(visit, step=advance(visit.step, visit.together.back), offer=None)


async def _leave(world: World, visit: Visit, press: Press) -> Visit:
    del press
    await second_person.leave(world, visit.staff)
    return replace(visit, together=replace(visit.together, second_name=""), said="second_left")


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.SECOND: _second,
    Act.SECOND_PIN: _pin,
    Act.SECOND_BACK: _back,
    Act.SECOND_LEAVE: _leave,
}
