"""Facts as text: canonical JSON of frozen dataclasses, and back, by their annotations.

Fields marked with `personal()` never enter the public text: they can be purged without breaking the chain,
and decode to their default afterwards.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from locker.domain.errors import UnreadableFact

T = TypeVar("T")


def personal() -> Any:
    """A text field that belongs to a person: kept apart, purgeable, never read by `fold`."""
    return field(default="", metadata={"personal": True})


# One encoder for all: `json.dumps` with settings builds a new one a call.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: object) -> str:
    """One text for one value: sorted keys, no spaces, UTF-8 kept."""
    return _CANONICAL.encode(value)


def public_data(fact: object) -> dict[str, Any]:
    return {name: _plain(getattr(fact, name)) for name in _names(type(fact))[0]}


def personal_data(fact: object) -> dict[str, str]:
    """Only the personal fields that hold something."""
    return {name: text for name in _names(type(fact))[1] if (text := getattr(fact, name))}


def build(kind: type[T], data: Mapping[str, Any]) -> T:
    """The fact of ``kind`` that ``data`` describes.

    Raises UnreadableFact for missing fields, unknown fields and wrong types.
    """
    wanted: Any = kind
    try:
        return _reader(wanted)(data)  # type: ignore[no-any-return]  # readers are made from the annotation
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableFact(kind.__name__, str(error)) from error


_NAMES: dict[Any, tuple[tuple[str, ...], tuple[str, ...]]] = {}


def _names(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of a dataclass: public ones, personal ones. Asked several times for every entry."""
    known = _NAMES.get(kind)
    if known is None:
        parts = fields(kind)
        personals = tuple(f.name for f in parts if f.metadata.get("personal"))
        publics = tuple(f.name for f in parts if f.name not in personals)
        known = _NAMES[kind] = publics, personals
    return known


_ATOMS: Final = frozenset({str, int, bool, float, type(None)})


def _plain(value: Any) -> Any:
    if type(value) in _ATOMS:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | frozenset):
        items = [_plain(item) for item in value]
        return sorted(items) if isinstance(value, frozenset) else items
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if is_dataclass(value):
        public, personals = _names(type(value))
        return {name: _plain(getattr(value, name)) for name in (*public, *personals)}
    return value


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin = get_origin(kind)
    if origin in (tuple, frozenset):
        return _sequence_reader(origin, get_args(kind))
    if origin is UnionType:
        return _scalar_reader(*get_args(kind))
    kind = getattr(kind, "__supertype__", kind)  # NewType
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if issubclass(kind, Enum):
        return kind  # type: ignore[no-any-return]  # an enum is the reader of its values
    return _scalar_reader(kind)


def _sequence_reader(origin: type, args: tuple[Any, ...]) -> Callable[[Any], Any]:
    read = _reader(args[0])

    def read_sequence(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"a list was expected, not {type(value).__name__}")
        return origin(read(item) for item in value)

    return read_sequence


def _dataclass_reader(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    readers = {f.name: _reader(hints[f.name]) for f in fields(kind)}

    def read_dataclass(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"an object was expected, not {type(value).__name__}")
        if unknown := set(value) - set(readers):
            raise KeyError(f"unknown field {min(unknown)}")
        return kind(**{name: readers[name](item) for name, item in value.items()})

    return read_dataclass


def _scalar_reader(*kinds: type) -> Callable[[Any], Any]:
    def read_scalar(value: Any) -> Any:
        if type(value) not in kinds:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{wanted} was expected, not {type(value).__name__}")
        return value

    return read_scalar
