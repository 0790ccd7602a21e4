"""After a restart: say so, end every attempt that was under way as unknown, and let the sensors settle it.

Never pulses. Doing it again gives the same state.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from locker.domain.compartment import CompartmentSpec
from locker.domain.events import (
    Booted,
    CompartmentsConfigured,
    EpochStarted,
    Event,
    OpeningUnknown,
    PolicyChanged,
)
from locker.domain.history import Break
from locker.domain.ids import Epoch
from locker.domain.opening import LIVE
from locker.domain.policy import Policy
from locker.domain.settings import digest
from locker.domain.state import LockerState
from locker.operations import acts, service_window, settings
from locker.operations.ports import Decided, World


async def recover(
    world: World,
    software: str,
    boot: int,
    cabinet: tuple[CompartmentSpec, ...],
    policy: Mapping[str, int | str] = MappingProxyType({}),
    *,
    known: bool = False,
) -> None:
    """Commit the start of this run in one transaction; the first one of a new journal names its epoch.

    ``policy`` holds what the configuration sets, checked already. What it does not name has the default, also
    where it was named before; what the centre has set stands over it. ``known``: the centre has heard of this
    locker before, so a journal that begins only now is not its first: no door opens before the centre's word.
    """

    def decide(state: LockerState) -> Decided[None]:
        events: list[Event] = []
        if not state.epoch:
            epoch = Epoch(f"{world.secrets.draw(2**128):032x}")
            events.append(EpochStarted(epoch, world.locker, why=Break.REPLACED.value if known else ""))
        events += service_window.over(state, "restart")
        events.append(Booted(software, boot))
        if tuple(c.spec for c in state.compartments.values()) != cabinet:
            events.append(CompartmentsConfigured(cabinet))
        own = replace(Policy(), **policy)  # type: ignore[arg-type]  # the configuration checked each
        events += [
            PolicyChanged(f.name, getattr(own, f.name))
            for f in fields(own)
            if getattr(own, f.name) != getattr(state.given.own, f.name)
        ]
        given = replace(state.given, own=own)
        if state.given.reported != digest(given):
            events.append(settings.report(given))
        events += acts.cut_off(state)
        events += [OpeningUnknown(key) for key, o in state.openings.items() if o.phase in LIVE]
        return Decided(None, tuple(events))

    await world.journal.commit("daemon", decide)
