"""One row of a log: the envelope of an event, its exact text, and its link in the chain."""

import json
from dataclasses import dataclass
from typing import Any

from locker.domain import chain
from locker.domain.encoding import build, canonical, personal_data, public_data
from locker.domain.errors import UnreadableFact
from locker.domain.events import TYPES, Event, subject_of
from locker.domain.ids import Seq

VERSION = 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """When, as far as this machine knows. ``boot`` counts starts; ``mono_ms`` restarts with the machine."""

    boot: int
    mono_ms: int
    wall_ms: int
    quality: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry as stored. ``public`` and ``personal`` are hashed and sent exactly as they stand."""

    seq: Seq
    stamp: Stamp
    cause: str
    event: Event
    public: str
    personal: str
    salt: bytes
    hash: bytes


def write(seq: Seq, stamp: Stamp, cause: str, event: Event, salt: bytes, previous: bytes) -> Entry:
    """The entry that follows the one whose hash is ``previous``. ``salt`` is used where a person is named."""
    public = canonical(
        {
            "v": VERSION,
            "seq": seq,
            "type": type(event).__name__,
            "boot": stamp.boot,
            "mono": stamp.mono_ms,
            "time": stamp.wall_ms,
            "tq": stamp.quality,
            "subject": subject_of(event),
            "cause": cause,
            "data": public_data(event),
        }
    )
    named = personal_data(event)
    personal = canonical(named) if named else ""
    salt = salt if named else b""
    digest = chain.personal_digest(salt, personal.encode())
    link = chain.link(previous, chain.leaf(public.encode(), digest))
    return Entry(seq, stamp, cause, event, public, personal, salt, link)


def read(public: str, personal: str) -> tuple[Seq, Stamp, str, Event]:
    """What a stored text says. Raises UnreadableFact for another version, an unknown type or a bad field."""
    try:
        body = json.loads(public)
    except json.JSONDecodeError as error:
        raise UnreadableFact("Entry", str(error)) from error
    return of_body(body, personal)


def of_body(body: Any, personal: str) -> tuple[Seq, Stamp, str, Event]:
    """The same of a text that was parsed already."""
    try:
        if body["v"] != VERSION:
            raise UnreadableFact("Entry", f"version {body['v']}")
        kind = TYPES[body["type"]]
        stamp = Stamp(body["boot"], body["mono"], body["time"], body["tq"])
        seq, cause, data = Seq(body["seq"]), body["cause"], body["data"]
        named = json.loads(personal) if personal else {}
        event = build(kind, {**data, **named})
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise UnreadableFact("Entry", str(error)) from error
    return seq, stamp, cause, event
