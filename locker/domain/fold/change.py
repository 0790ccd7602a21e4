"""How a state is changed: copies with one record put, moved on or freed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from locker.domain import deposit as deposits
from locker.domain import opening as openings
from locker.domain.deposit import Proof
from locker.domain.entry import Stamp
from locker.domain.ids import AuthorisationId, CodeId, CompartmentNumber, DepositId, GrantId, Seq
from locker.domain.state import LockerState

K = TypeVar("K")
V = TypeVar("V")

Apply = Mapping[type[Any], Callable[[LockerState, Stamp, Any, Seq], LockerState]]
"""Events to what each makes of a state."""


def put(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return MappingProxyType({**mapping, key: value})


def without(mapping: Mapping[K, V], keys: tuple[K, ...]) -> Mapping[K, V]:
    return MappingProxyType({key: value for key, value in mapping.items() if key not in keys})


def door(s: LockerState, number: CompartmentNumber, **changes: Any) -> LockerState:
    return replace(s, compartments=put(s.compartments, number, replace(s.compartments[number], **changes)))


def renamed(s: LockerState, before: Any, t: Stamp) -> LockerState:
    """``before``, a record with its entry's number or None, gives way: nobody reads that entry's name."""
    return replace(s, named=s.named.ends((before.seq,), t.wall_ms)) if before else s


def deposit(s: LockerState, key: DepositId, **changes: Any) -> LockerState:
    return replace(s, deposits=put(s.deposits, key, replace(s.deposits[key], **changes)))


def advance(s: LockerState, key: DepositId, by: deposits.Signal, t: Stamp) -> LockerState:
    return deposit(s, key, phase=deposits.advance(s.deposits[key].phase, by), since_ms=t.wall_ms)


def opening(s: LockerState, grant: GrantId, by: openings.Signal) -> LockerState:
    before = s.openings[grant]
    moved = replace(before, phase=openings.advance(before.phase, by))
    return replace(s, openings=put(s.openings, grant, moved))


def authorisation(s: LockerState, key: AuthorisationId, **changes: Any) -> LockerState:
    if key not in s.authorisations:
        return s
    changed = replace(s.authorisations[key], **changes)
    return replace(s, authorisations=put(s.authorisations, key, changed))


def code(s: LockerState, key: CodeId, **changes: Any) -> LockerState:
    return replace(s, codes=put(s.codes, key, replace(s.codes[key], **changes)))


def free(s: LockerState, key: DepositId, proof: Proof) -> LockerState:
    """The deposit's compartment is empty; somebody's word or a sensor also ends a doubt."""
    number = s.deposits[key].door
    doubt = s.compartments[number].doubt if proof is Proof.ASSUMED else ""
    return door(s, number, deposit=DepositId(""), holding=False, doubt=doubt)
