"""Payloads as bytes, and back."""

import json
from typing import Any, Final, TypeVar

from locker.domain.encoding import canonical
from sync.wire.errors import TooLarge, UnknownVersion, Unreadable, WrongField
from sync.wire.fields import plain, reader_of
from sync.wire.payloads import KINDS, Payload
from sync.wire.topics import VERSION

PACKET_BYTES_MAX: Final = 128 * 1024
"""Of a whole MQTT packet; what is larger never reaches the other end."""
BODY_BYTES_MAX: Final = PACKET_BYTES_MAX - 1024
"""Leaves room for the frame's head, the topic and the properties."""

P = TypeVar("P", bound=Payload)


def encode(payload: Payload) -> bytes:
    """The body of a frame.

    Raises WrongField or TooLarge: what the other end would refuse is not sent in the first place.
    """
    kind = KINDS[type(payload)]
    values = plain(payload)
    _read(type(payload), values)
    body = canonical({"v": VERSION, "kind": kind, **values}).encode()
    if len(body) > BODY_BYTES_MAX:
        raise TooLarge(kind, f"{len(body)} bytes, at most {BODY_BYTES_MAX}")
    return body


def decode(wanted: type[P], body: bytes) -> P:
    """What a body says.

    Raises TooLarge, Unreadable, UnknownVersion or WrongField. Fields that ``wanted`` does not have are
    passed over.
    """
    kind = KINDS[wanted]
    if len(body) > BODY_BYTES_MAX:
        raise TooLarge(kind, f"{len(body)} bytes, at most {BODY_BYTES_MAX}")
    values = _parse(kind, body)
    if values.get("v") != VERSION or type(values["v"]) is not int:
        raise UnknownVersion(kind, repr(values.get("v"))[:80])
    if values.get("kind") != kind:
        raise WrongField(kind, f"kind: {values.get('kind')!r}"[:80])
    return _read(wanted, values)


def _read(wanted: type[P], values: dict[str, Any]) -> P:
    kind: Any = wanted
    try:
        return reader_of(kind)(values)  # type: ignore[no-any-return]  # readers are made from the annotation
    except ValueError as error:
        raise WrongField(KINDS[wanted], str(error)) from error


def _parse(kind: str, body: bytes) -> dict[str, Any]:
    try:
        values = _PARSER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise Unreadable(kind, str(error)) from error
    if not isinstance(values, dict):
        raise Unreadable(kind, "not an object")
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values for one name would mean one thing here and another elsewhere."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands twice")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_PARSER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
"""Made once: for a short payload that costs as much as the parsing."""
