"""Every byte that is kept or sent, searched for what must be in none: codes, phones, PINs, keys."""

import logging
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from sync.central.tables import AUTHORISATION, OUTGOING_ITEM

if TYPE_CHECKING:
    from tests.world.centre import Centre
    from tests.world.world import World

NUMBERS: Final = re.compile(rb"\d(?<![0-9A-Fa-f]\d)(?:\d{2}[ -]?\d{4}[ -]?\d{4}|\d{29,})(?![0-9A-Fa-f])")
"""As a phone or a typed code is written, or whatever is scanned; not within a hash. It begins with what it
is: so most of a disk is passed over at once."""
APART: Final = b"\n\0\n"
"""Between what was said one after the other: no number goes on across it."""
SCANNED: Final = 30
"""Digits that tell one scanned code from all others."""


class Log(logging.Handler):
    """What every part of the product has logged, one world at a time."""

    listening: "Log | None" = None

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        root = logging.getLogger()
        if Log.listening is not None:
            root.removeHandler(Log.listening)
        Log.listening = self
        self._level = root.level
        root.addHandler(self)
        for name in ("locker", "sync", "kiosk_ui", "firmware_bridge"):
            logging.getLogger(name).setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Traffic:
    """All that went through the broker."""

    def __init__(self, world: "World") -> None:
        self.said: list[bytes] = []
        broker = world.broker
        publish = broker.publish

        def heard(topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None) -> int:
            self.said += (topic.encode(), payload)
            return publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)

        broker.publish = heard  # type: ignore[method-assign]  # listens, changes nothing


def secrets_of(centre: "Centre") -> dict[str, str]:
    """Numbers that must stand nowhere, and what they are."""
    found: dict[str, str] = {}
    for phone, messages in centre.phones.inbox.items():
        found[phone] = "a phone"
        for sms in messages:
            said = {form: sms.said[form] for form in ("typed", "scan") if form in sms.said}
            found |= {digits[-SCANNED:]: f"a code ({form})" for form, digits in said.items()}
    if centre.store is not None:
        for table in (AUTHORISATION, OUTGOING_ITEM):
            for sealed in centre.store.read_now(partial(_sealed, table)):
                found |= {
                    digits[-SCANNED:]: f"a {name}" for name, digits in centre.desk.opened(sealed).items()
                }
    return found


def _sealed(table: Any, connection: Connection) -> list[str]:
    """A centre that came back from a copy has rows of which it knows no more than their lockers do."""
    return list(connection.execute(select(table.c.sealed).where(table.c.sealed != "")).scalars())


def finds(
    where: str, parts: Iterable[bytes], secrets: dict[str, str], keys: dict[bytes, str]
) -> Iterator[str]:
    everything = APART.join(parts)
    for match in NUMBERS.finditer(everything):
        digits = match[0].replace(b" ", b"").replace(b"-", b"").decode()
        if digits[-SCANNED:] in secrets:
            near = everything[max(0, match.start() - 80) : match.end() + 10]
            yield f"{where}: {secrets[digits[-SCANNED:]]} in …{near!r}"
            return
    for key, name in keys.items():
        if key in everything:
            yield f"{where}: {name}"
            return
