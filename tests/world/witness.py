"""The product's public state against the small model's answers, for whatever a transaction has touched."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from locker.domain.allocation import being_opened, usable
from locker.domain.codes import Authorisation, CodeRecord
from locker.domain.state import LockerState
from tests.world.reference import Code, Door, Fact, Reference

EVERYTHING: Final = frozenset({"Booted", "CompartmentsConfigured", "RecordsForgotten", "BoardWentSilent"})
"""After these all of it is compared."""


def disagreements(model: Reference, state: LockerState, facts: Sequence[Fact]) -> Iterator[str]:
    """Of what ``facts`` were about."""
    if any(fact.kind in EVERYTHING for fact in facts):
        yield from all_disagreements(model, state)
        return
    doors, stays = set[int](), set[str]()
    for fact in facts:
        doors |= {number for number in (fact.data.get("door", 0), _by_grant(model, fact)) if number}
        key = fact.data.get("deposit", "")
        stays |= {key} if key else set()
        record = fact.data.get("record", "")
        yield from _record(model, state, record)
        if "code" in fact.data:
            yield from _record(model, state, f"code/{fact.data['code']}")
        if "authorisation" in fact.data:
            yield from _record(model, state, f"authorisation/{fact.data['authorisation']}")
    stays |= {model.doors[number].deposit for number in doors if number in model.doors} - {""}
    doors |= {model.stays[key].door for key in stays if key in model.stays}
    for number in sorted(doors):
        yield from _door(model, state, number)
    for key in sorted(stays):
        yield from _stay(model, state, key)
        if key in model.stays and model.stays[key].authorisation in model.authorisations:
            # What becomes of a deposit, its right goes with.
            yield from _record(model, state, f"authorisation/{model.stays[key].authorisation}")


def all_disagreements(model: Reference, state: LockerState) -> Iterator[str]:
    for ours, theirs, what in (
        (model.doors, state.compartments, "doors"),
        (model.stays, state.deposits, "deposits"),
        (model.codes, state.codes, "codes"),
        (model.authorisations, state.authorisations, "authorisations"),
        (model.staff, state.staff, "staff"),
        (model.items, state.items, "items"),
    ):
        if set(ours) != set(theirs):
            odd = sorted(map(str, set(ours) ^ set(theirs)))
            yield f"the model has {len(ours)} {what}, the locker {len(theirs)}: {odd[:5]}"
            return
    for number in model.doors:
        yield from _door(model, state, number)
    for key in model.stays:
        yield from _stay(model, state, key)
    for key in model.codes:
        yield from _record(model, state, f"code/{key}")
    for key in model.authorisations:
        yield from _record(model, state, f"authorisation/{key}")
    for who, record in model.staff.items():
        if state.staff[who].pin_failures != record.failures:  # type: ignore[index]  # names are texts
            yield f"{who} failed {record.failures} times, the locker has counted otherwise"


def _by_grant(model: Reference, fact: Fact) -> int:
    right = model.rights.get(fact.data.get("grant", ""))
    return right.door if right is not None else 0


def _door(model: Reference, state: LockerState, number: int) -> Iterator[str]:
    own = model.doors.get(number)
    theirs = state.compartments.get(number)  # type: ignore[call-overload]  # numbers are ints
    if own is None or theirs is None:
        yield f"door {number}: {own} in the model, {theirs} in the locker"
        return
    opening = state.opening_of(number)  # type: ignore[arg-type]  # same
    right = model.latest(number)
    here = (*_of_door(own), model.free(number), right.phase if right else "")
    there = (
        theirs.deposit,
        theirs.holding,
        bool(theirs.doubt),
        bool(theirs.fault),
        bool(theirs.blocked),
        theirs.position.value,
        theirs.item.value,
        usable(theirs) and not being_opened(state, number),  # type: ignore[arg-type]  # same
        opening.phase.value if opening else "",
    )
    if here != there:
        yield f"door {number} is {there}, the model says {here}"


def _of_door(door: Door) -> tuple[Any, ...]:
    return (
        door.deposit,
        door.holding,
        bool(door.doubt),
        bool(door.fault),
        bool(door.blocked),
        door.position,
        door.item,
    )


def _stay(model: Reference, state: LockerState, key: str) -> Iterator[str]:
    own = model.stays.get(key)
    theirs = state.deposits.get(key)  # type: ignore[call-overload]  # names are texts
    if own is None or theirs is None:
        # Neither: of another history, and over before it was told here.
        if own is not None or theirs is not None:
            yield f"deposit {key}: {own} in the model, {theirs} in the locker"
        return
    here = (own.phase, own.door, own.case, own.item, own.looks, own.overdue)
    there = (theirs.phase.value, theirs.door, theirs.case, theirs.item, theirs.openings, theirs.overdue)
    if here != there:
        yield f"deposit {key} is {there}, the model says {here}"


def _record(model: Reference, state: LockerState, name: str) -> Iterator[str]:
    kind, _, key = name.partition("/")
    if not key:
        return
    own: Code | None = model.record(name)
    kept: Any = state.codes if kind == "code" else state.authorisations
    theirs: CodeRecord | Authorisation | None = kept.get(key)
    if own is None or theirs is None:
        if own is not None or theirs is not None:
            yield f"{name}: {own} in the model, {theirs} in the locker"
        return
    here = (own.deposit, own.failures, own.phone_failures, own.ended)
    there = (theirs.deposit, theirs.failures, theirs.phone_failures, theirs.ended)
    if here != there:
        yield f"{name} is {there}, the model says {here}"
    elif (door := model.opens(name)) != (opens := _opens(state, theirs)):
        yield f"{name} opens door {opens}, the model says {door}"


def _opens(state: LockerState, record: CodeRecord | Authorisation) -> int:
    deposit = state.deposits.get(record.deposit)
    if deposit is None or record.ended or deposit.ended:
        return 0
    if isinstance(record, CodeRecord) and deposit.phase.value != "awaiting_pickup":
        return 0
    return deposit.door
