"""After a restart: say so, end every attempt that was under way as unknown, and let the sensors settle it.

Never pulses. Doing it again gives the same state.
"""

from collections.abc import Mapping
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
from locker.domain.ids import Epoch
from locker.domain.opening import LIVE
from locker.domain.state import LockerState
from locker.operations import acts
from locker.operations.ports import Decided, World


async def recover(
    world: World,
    software: str,
    boot: int,
    cabinet: tuple[CompartmentSpec, ...],
    policy: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Commit the start of this run in one transaction; the first one of a new journal names its epoch.

    ``policy`` holds what the configuration sets, checked already.
    """

    def decide(state: LockerState) -> Decided[None]:
        events: list[Event] = []
        if not state.epoch:
            epoch = Epoch(f"{world.secrets.draw(2**128):032x}")
            events.append(EpochStarted(epoch, world.locker))
        events.append(Booted(software, boot))
        if tuple(c.spec for c in state.compartments.values()) != cabinet:
            events.append(CompartmentsConfigured(cabinet))
        changed = {name: value for name, value in policy.items() if getattr(state.policy, name) != value}
        events += [PolicyChanged(name, value) for name, value in changed.items()]
        events += acts.cut_off(state)
        events += [OpeningUnknown(key) for key, o in state.openings.items() if o.phase in LIVE]
        return Decided(None, tuple(events))

    await world.journal.commit("daemon", decide)
