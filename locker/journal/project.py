"""States and the rows that hold them: the difference of two states as rows, and rows as a state again.

Everything is derived from the dataclasses of the domain: a new field costs nothing here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, make_dataclass
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from locker.domain.encoding import build, canonical, public_data
from locker.domain.errors import UnreadableFact
from locker.domain.state import COLLECTIONS, SCALARS, LockerState

Key = str | int
Records = Mapping[str, Iterable[tuple[Key, str]]]
"""Per collection: key and canonical JSON of each record, in the order in which they came to be."""

_HINTS: Final = get_type_hints(LockerState)
_SCALAR: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {name: make_dataclass(name, [("value", _HINTS[name])], frozen=True) for name in SCALARS}
)
"""One scalar alone, so that the domain's own encoding writes and reads it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to write and rows to drop. Drops come first."""

    scalars: tuple[tuple[str, str], ...] = ()
    gone: Mapping[str, list[Key]] = field(default_factory=dict)
    put: Mapping[str, list[tuple[Key, str]]] = field(default_factory=dict)


def changes(before: LockerState, after: LockerState) -> Changes:
    """What to write so that rows of ``before`` become rows of ``after``.

    Records are immutable, so one that is the same object did not change.
    """
    changed = tuple(name for name in SCALARS if getattr(before, name) is not getattr(after, name))
    gone: dict[str, list[Key]] = {}
    put: dict[str, list[tuple[Key, str]]] = {}
    for name in COLLECTIONS:
        old, new = getattr(before, name), getattr(after, name)
        if old is new:
            continue
        gone[name] = [key for key in old if key not in new]
        put[name] = [(key, record_text(item)) for key, item in new.items() if old.get(key) is not item]
    return Changes(_scalars(after, changed), gone, put)


def snapshot(state: LockerState) -> Changes:
    """Every row of a state."""
    put = {
        name: [(key, record_text(item)) for key, item in getattr(state, name).items()] for name in COLLECTIONS
    }
    return Changes(_scalars(state, SCALARS), {}, put)


def _scalars(state: LockerState, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, scalar_text(name, getattr(state, name))) for name in names)


def record_text(record: Any) -> str:
    return canonical(public_data(record))


def scalar_text(name: str, value: Any) -> str:
    return canonical(public_data(_SCALAR[name](value))["value"])


def state_of(scalars: Mapping[str, str], records: Records) -> LockerState:
    """The state that these rows hold. Raises UnreadableFact for rows of another make.

    A scalar without a row has its default: it is younger than the file.
    """
    try:
        parts: dict[str, Any] = {
            name: build(_SCALAR[name], {"value": json.loads(scalars[name])}).value
            for name in SCALARS
            if name in scalars
        }
        for name in COLLECTIONS:
            parts[name] = _collection(name, records[name])
    except (json.JSONDecodeError, AttributeError, TypeError) as error:
        raise UnreadableFact("LockerState", str(error)) from error
    return LockerState(**parts)


def state_from(text: str) -> LockerState:
    """The state of which ``text`` is the `state_text`. Raises UnreadableFact."""
    try:
        body = json.loads(text)
        scalars = {name: canonical(body[name]) for name in SCALARS if name in body}
        records = {
            name: [(_key(name, key), canonical(record)) for key, record in body[name].items()]
            for name in COLLECTIONS
        }
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableFact("LockerState", str(error)) from error
    return state_of(scalars, records)


def _collection(name: str, rows: Iterable[tuple[Key, str]]) -> Mapping[Any, Any]:
    _, kind = get_args(_HINTS[name])
    return MappingProxyType({key: build(kind, json.loads(text)) for key, text in rows})


def _key(name: str, text: str) -> Key:
    kind, _ = get_args(_HINTS[name])
    return int(text) if kind.__supertype__ is int else text
