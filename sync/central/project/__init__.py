"""Entries → the tables that people query. Facts are written down as they come, never judged or edited.

A projection asks nothing of the state before: an entry that surprises it still leaves the ledger whole.

The rooms are those of `locker.domain.fold`; `rights` are its centre and access.
"""

from typing import Final

from locker.domain.events import Event
from sync.central.project import (
    acts,
    centre_keys,
    custody,
    doors,
    history,
    machine,
    pickups,
    rights,
    settings,
    surroundings,
)
from sync.central.project.cases import case_of
from sync.central.project.rows import Apply, CannotProject, Place

__all__ = ["CannotProject", "Place", "project"]

_APPLY: Final[Apply] = {
    **machine.APPLY,
    **history.APPLY,
    **rights.APPLY,
    **pickups.APPLY,
    **doors.APPLY,
    **custody.APPLY,
    **surroundings.APPLY,
    **settings.APPLY,
    **centre_keys.APPLY,
    **acts.APPLY,
}


def project(at: Place, event: Event) -> str:
    """Write what ``event`` changes; the case it belongs to, or "". Raises CannotProject."""
    apply = _APPLY.get(type(event))
    if apply:
        apply(at, event)
    return case_of(at, event)
