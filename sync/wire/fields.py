"""How a field is checked: readers made from annotations, ``Annotated[type, Must(…)]``.

Strict by design: 1 is not True, 1.0 is not 1, a text must be encodable, a list has a limit.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

Reader = Callable[[Any], Any]
"""The value itself, immutable; Misfit or UnicodeEncodeError where it does not fit."""

WIRE_NAMES: Final[Mapping[str, str]] = MappingProxyType({"from_seq": "from", "to_seq": "to"})
"""Fields whose name on the wire is a word of Python."""
_SCALARS: Final = frozenset({str, int, bool, float, NoneType})
_MANY: Final = frozenset({list, dict})


class Misfit(ValueError):
    """A value that a field cannot hold; `codec` tells it as a WrongField."""


@dataclass(frozen=True, slots=True)
class Must:
    """A condition on a value of the right type, and how it is told to people."""

    hold: Callable[[Any], bool]
    told: str
    schema: tuple[tuple[str, int | str], ...]
    """The same in the words of JSON Schema; ``max`` stands for maxLength, maxItems or maxProperties."""


def between(low: int, high: int) -> Must:
    schema = (("minimum", low), ("maximum", high))
    return Must(lambda value: low <= value <= high, f"{low} to {high}", schema)


def matching(pattern: str) -> Must:
    compiled = re.compile(pattern)
    schema = (("pattern", f"^{pattern}$"),)
    return Must(lambda value: compiled.fullmatch(value) is not None, pattern, schema)


def at_most(length: int) -> Must:
    return Must(lambda value: len(value) <= length, f"at most {length} long", (("max", length),))


def plain(value: Any) -> Any:
    """A payload as JSON values."""
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    if names := _names(kind):
        return {on_wire: plain(getattr(value, field)) for field, on_wire in names}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """Of a payload's fields, here and on the wire; none for what is no payload."""
    return tuple((f.name, wire_name(f.name)) for f in fields(kind)) if is_dataclass(kind) else ()


def wire_name(field: str) -> str:
    return WIRE_NAMES.get(field, field)


@cache
def reader_of(kind: Any) -> Reader:
    """The reader of an annotation."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _checked(reader_of(args[0]), args[1])
    if origin is UnionType:
        return _one_of(args)
    if origin is tuple:
        return _list_of(reader_of(args[0]))
    if origin is Mapping:
        return _mapping_of(reader_of(args[0]), reader_of(args[1]))
    return _object(kind) if is_dataclass(kind) else _scalar(kind)


def _checked(read: Reader, must: Must) -> Reader:
    hold, longest = must.hold, dict(must.schema).get("max")

    def read_checked(value: Any) -> Any:
        result = read(value)
        if not hold(result):
            raise Misfit(must.told)
        return result

    if not isinstance(longest, int):
        return read_checked
    most = longest

    def read_measured(value: Any) -> Any:
        # A list is measured before its items are read: a long one costs nothing.
        if type(value) in _MANY and len(value) > most:
            raise Misfit(must.told)
        return read_checked(value)

    return read_measured


def _scalar(kind: Any) -> Reader:
    def read_scalar(value: Any) -> Any:
        if type(value) is not kind:
            raise Misfit(f"{kind.__name__} was expected, not {type(value).__name__}")
        if kind is str:
            value.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
        return value

    return read_scalar


def _list_of(read: Reader) -> Reader:
    def read_list(value: Any) -> Any:
        if not isinstance(value, list):
            raise Misfit(f"a list was expected, not {type(value).__name__}")
        return tuple(read(item) for item in value)

    return read_list


def _mapping_of(read_key: Reader, read: Reader) -> Reader:
    def read_mapping(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"an object was expected, not {type(value).__name__}")
        return MappingProxyType({read_key(key): read(item) for key, item in value.items()})

    return read_mapping


def _one_of(kinds: tuple[Any, ...]) -> Reader:
    """One of several objects, told apart by their field names, or null."""
    objects = {frozenset(f.name for f in fields(k)): _object(k) for k in kinds if is_dataclass(k)}
    or_null = NoneType in kinds

    def read_one(value: Any) -> Any:
        if value is None and or_null:
            return None
        if not isinstance(value, dict) or frozenset(value) not in objects:
            raise Misfit("none of the forms it may have")
        return objects[frozenset(value)](value)

    return read_one


def _object(kind: Any) -> Reader:
    hints = get_type_hints(kind, include_extras=True)
    readers = {f.name: (wire_name(f.name), reader_of(hints[f.name])) for f in fields(kind)}

    def read_object(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"an object was expected, not {type(value).__name__}")
        found: dict[str, Any] = {}
        for field, (name, read) in readers.items():
            if name not in value:
                raise Misfit(f"{name} is missing")
            try:
                found[field] = read(value[name])
            except ValueError as error:
                raise Misfit(f"{name}: {error}") from error
        return kind(**found)

    return read_object
