"""Who acts: a person who signed in, a program with a key, or the hub itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

EVERY_AREA: Final = "*"
"""No area can have this name: theirs are of a-z, 0-9 and -."""


class Role(StrEnum):
    """What a person is at the hub. (What helpers may do at a locker: `locker.domain.access`.)"""

    WINDOW_CLERK = "window_clerk"
    CASE_OFFICER = "case_officer"
    HELPER_LEAD = "helper_lead"
    FLEET_OPERATOR = "fleet_operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    INTEGRATOR = "integrator"
    """A program of the city: the only role that a key has."""


class Scope(StrEnum):
    """What a key may be limited to."""

    CASES_READ = "cases.read"
    CASES_WRITE = "cases.write"
    ITEMS_READ = "items.read"
    ITEMS_WRITE = "items.write"
    TICKETS_READ = "tickets.read"
    TICKETS_WRITE = "tickets.write"
    FLEET_READ = "fleet.read"
    FIGURES_READ = "figures.read"
    STAFF_WRITE = "staff.write"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody whose right to be here was checked just now. Made by the gate and by nothing else."""

    who: str
    """``person:NAME``, ``key:NAME`` or ``hub``: the name in every journal. No two share one."""
    roles: frozenset[Role]
    areas: frozenset[str]
    """Areas whose lockers, cases and items exist for this actor; `EVERY_AREA` for all, also later ones."""
    scopes: frozenset[Scope] | None = None
    """What a key is limited to; None for people, whom only their roles limit."""

    def sees(self, area: str) -> bool:
        """Whether what belongs to ``area`` exists for this actor."""
        return EVERY_AREA in self.areas or area in self.areas

    @property
    def sees_all(self) -> bool:
        return EVERY_AREA in self.areas


HUB: Final = Actor("hub", frozenset(), frozenset({EVERY_AREA}))
"""What the hub does by itself, such as renewing grants. It has no role: no route is open to it."""


def person(name: str, roles: Iterable[Role], areas: Iterable[str]) -> Actor:
    return Actor(f"person:{name}", frozenset(roles), frozenset(areas))


def program(name: str, scopes: Iterable[Scope], areas: Iterable[str]) -> Actor:
    return Actor(f"key:{name}", frozenset({Role.INTEGRATOR}), frozenset(areas), frozenset(scopes))
