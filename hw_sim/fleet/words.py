"""What is said on the wire: topics, bodies, and what a locker accepts of the centre's."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from hw_sim.fleet.frames import spelled

ROOT: Final = "doclocker/v1"
CENTRAL: Final = f"{ROOT}/_central/link"
VERSION: Final = 1
ENTRIES_MAX: Final = 100
TEXT_BYTES_MAX: Final = 64 * 1024
PACKET_BYTES_MAX: Final = 128 * 1024
BODY_BYTES_MAX: Final = PACKET_BYTES_MAX - 1024
"""Room for the frame's head, the topic and the properties."""
NOBODY_HEARD: Final = 0x10
"""PUBACK: the broker took it, and nobody was subscribed."""


class UnfitError(Exception):
    """A body that does not fit the contract; the text names the field."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a topic of the locker is published."""

    qos: int
    retain: bool = False
    expiry_s: int | None = None


UP: Final[Mapping[str, tuple[str, Delivery]]] = MappingProxyType(
    {  # kind: topic, how
        "link": ("link", Delivery(1, retain=True)),
        "up_log": ("log", Delivery(1, expiry_s=600)),
        "state": ("state", Delivery(1, retain=True)),
        "up_ack": ("ack", Delivery(1, expiry_s=600)),
        "tele": ("tele", Delivery(0, expiry_s=120)),
    }
)
DOWN: Final[Mapping[str, str]] = MappingProxyType({"hello": "hello", "log": "dn_log", "ack": "dn_ack"})
"""The last word of a topic to the kind of its body. Acts are not answered yet."""


def topic_up(locker: str, kind: str) -> str:
    return f"{ROOT}/{locker}/up/{UP[kind][0]}"


def filters(locker: str) -> tuple[str, ...]:
    """What a locker subscribes to, on every connection."""
    return (f"{ROOT}/{locker}/dn/#", CENTRAL)


def body(kind: str, locker: str, **fields: object) -> bytes:
    return spelled({"v": VERSION, "kind": kind, "locker": locker, **fields}).encode()


# --- what is heard -----------------------------------------------------------------------------------------

Fits = Callable[[Any], bool]


def _form(pattern: str) -> Fits:
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _from(least: int, most: int = 2**63 - 1) -> Fits:
    return lambda value: type(value) is int and least <= value <= most


def _texts(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= ENTRIES_MAX and all(type(v) is str for v in value)


_HASH: Final = _form("[0-9a-f]{64}")
_NAME: Final = _form("[0-9a-f]{32}")
_LOCKER: Final = _form("[a-z0-9-]{1,32}")
_TIME: Final = _from(-(2**63) + 1)
_SEQ: Final = _from(0)
_WINDOW: Final = _from(0, 64)
_TRUTH: Final[Fits] = lambda value: type(value) is bool  # noqa: E731  # one row of a table

HEARD: Final[Mapping[str, Mapping[str, Fits]]] = MappingProxyType(
    {
        "hello": {
            "locker": _LOCKER,
            "nonce": _NAME,
            "now": _TIME,
            "up_epoch": _NAME,
            "stored_to": _SEQ,
            "hash": _HASH,
            "dn_epoch": _NAME,
            "dn_head": _SEQ,
            "window": _WINDOW,
        },
        "dn_ack": {
            "locker": _LOCKER,
            "up_epoch": _NAME,
            "stored_to": _SEQ,
            "hash": _HASH,
            "gap": _TRUTH,
            "window": _WINDOW,
            "now": _TIME,
        },
        "dn_log": {
            "locker": _LOCKER,
            "dn_epoch": _NAME,
            "from": _from(1),
            "to": _from(1),
            "prev": _HASH,
            "entries": _texts,
            "hash": _HASH,
        },
        "central_link": {"online": _TRUTH, "instance": _form("(?s).{0,64}"), "started_at": _TIME},
    }
)


def heard(kind: str, raw: bytes) -> dict[str, Any]:
    """What a body of ``kind`` says; fields this version does not know are passed over. Raises UnfitError."""
    try:
        said = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise UnfitError(f"{kind}: {error}") from error
    if not isinstance(said, dict) or type(said.get("v")) is not int or said["v"] != VERSION:
        raise UnfitError(f"{kind}: version")
    if said.get("kind") != kind:
        raise UnfitError(f"{kind}: kind")
    for name, fits in HEARD[kind].items():
        if name not in said or not fits(said[name]):
            raise UnfitError(f"{kind}: {name}")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
