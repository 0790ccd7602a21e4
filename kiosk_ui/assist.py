"""Assisted service 帮办: a helper steps beside whoever has a code, and is signed in no more.

What opens, the code says. The helper is named with what it opened, until the visit ends.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from kiosk_ui.acts import Press
from kiosk_ui.flow import Signal, advance
from kiosk_ui.names import Act
from kiosk_ui.screens import Visit
from kiosk_ui.together import Together
from kiosk_ui.visitors import name_in
from locker.domain.ids import Seq
from locker.operations.ports import World


async def _begin(world: World, visit: Visit, press: Press) -> Visit:
    del press
    record = world.journal.state.staff.get(visit.staff)
    name = await name_in(world, record.seq if record else Seq(0))
    together = Together(helper=visit.staff, helper_name=name)
    return Visit(visit=visit.visit, step=advance(visit.step, Signal.ASSIST), together=together)


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {Act.ASSIST: _begin}
