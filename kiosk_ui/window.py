"""The service window's page: open it, leave it standing, close it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from kiosk_ui import second
from kiosk_ui.acts import Press
from kiosk_ui.flow import Signal, advance
from kiosk_ui.names import Act
from kiosk_ui.screens import Visit
from kiosk_ui.visitors import refused
from locker.domain.errors import Reason
from locker.operations import service_window
from locker.operations.ports import World


async def _look(world: World, visit: Visit, press: Press) -> Visit:
    del world, press
    return replace(visit, step=advance(visit.step, Signal.WINDOW), door=None)


async def _open(world: World, visit: Visit, press: Press) -> Visit:
    del press
    refusal = await service_window.open_window(world, visit.staff)
    if refusal is not None and refusal.reason is Reason.SECOND_NEEDED:
        return second.asked(visit, refusal)
    if refusal is not None and refusal.reason is Reason.KEY_NEEDED:
        return replace(visit, refusal=refusal)
    return refused(world, visit, refusal) if refusal else visit


async def _close(world: World, visit: Visit, press: Press) -> Visit:
    del press
    refusal = await service_window.close_window(world, visit.staff)
    return replace(visit, refusal=refusal) if refusal else replace(visit, said="window_closed")


DOES: Final[Mapping[Act, Callable[[World, Visit, Press], Awaitable[Visit]]]] = {
    Act.WINDOW: _look,
    Act.WINDOW_OPEN: _open,
    Act.WINDOW_CLOSE: _close,
}
