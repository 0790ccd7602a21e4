"""Roles × actions × compartment states: the whole matrix in one table."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.compartment import Status


class Role(StrEnum):
    HELPER = "helper"
    TECHNICIAN = "technician"
    SUPERVISOR = "supervisor"


class Action(StrEnum):
    INTAKE = "intake"
    LOAD = "load"
    WITHDRAW = "withdraw"
    CHECK = "check"
    TEST_OPEN = "test_open"
    BLOCK = "block"
    RESTORE = "restore"
    STOCKTAKE = "stocktake"
    """A door is looked into whether it is doubted or not."""
    ASSIST = "assist"
    """Standing beside somebody who has a code: what may be opened, their code says."""
    WINDOW = "window"
    """A service window, about no door in particular."""
    VOUCH = "vouch"
    """The doors open again without the centre's memory, about no door in particular."""


_ITEM: Final = frozenset({Status.HOLDING, Status.TO_CHECK, Status.RESERVED})
_ANY: Final = frozenset(Status)
_LOOKED_INTO: Final = frozenset(Status) - {Status.RESERVED}

MATRIX: Final[Mapping[tuple[Role, Action], frozenset[Status]]] = MappingProxyType(
    {
        (Role.HELPER, Action.INTAKE): _ITEM,
        # RESERVED: the helper's own half-finished load.
        (Role.HELPER, Action.LOAD): frozenset({Status.VACANT, Status.RESERVED}),
        (Role.HELPER, Action.WITHDRAW): _ITEM,
        (Role.HELPER, Action.CHECK): frozenset({Status.TO_CHECK}),
        (Role.HELPER, Action.STOCKTAKE): _LOOKED_INTO,
        (Role.HELPER, Action.ASSIST): _ANY,
        (Role.HELPER, Action.VOUCH): _ANY,
        (Role.TECHNICIAN, Action.TEST_OPEN): frozenset({Status.VACANT, Status.FAULTY, Status.OUT_OF_SERVICE}),
        (Role.TECHNICIAN, Action.BLOCK): frozenset({Status.VACANT, Status.FAULTY}),
        (Role.TECHNICIAN, Action.RESTORE): frozenset({Status.FAULTY, Status.OUT_OF_SERVICE}),
        (Role.TECHNICIAN, Action.WINDOW): _ANY,
        (Role.SUPERVISOR, Action.INTAKE): _ITEM,
        (Role.SUPERVISOR, Action.LOAD): frozenset({Status.VACANT, Status.RESERVED}),
        (Role.SUPERVISOR, Action.WITHDRAW): _ITEM,
        (Role.SUPERVISOR, Action.CHECK): frozenset({Status.TO_CHECK}),
        (Role.SUPERVISOR, Action.RESTORE): _ANY,
        (Role.SUPERVISOR, Action.STOCKTAKE): _LOOKED_INTO,
        (Role.SUPERVISOR, Action.ASSIST): _ANY,
        (Role.SUPERVISOR, Action.VOUCH): _ANY,
    }
)
"""What is not here is not allowed."""


def allowed(roles: Iterable[str], action: Action, status: Status) -> bool:
    """Whether any of ``roles`` may do ``action`` at a compartment in ``status``; unknown roles: nothing."""
    return any(status in MATRIX.get((Role(role), action), ()) for role in roles if role in set(Role))
