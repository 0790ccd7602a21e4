"""How guessing is slowed, without locking honest people out.

A try is counted before it is judged, durably, in every lane it runs on: an account's and an address's; or,
from a browser in which this person once signed in, that browser's alone. So nobody who fails on purpose under
a colleague's name, or from the hall's one address, keeps the colleague out of their own browser; and from a
new one they wait a minute at most for the account, five for the address.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import IntegrityError

from sync.central.access.tables import FAILURES
from sync.central.store import change, find

FORGOTTEN_MS: Final = 3_600_000
"""So long after the last failure a lane is as new."""
_DOUBLINGS_MAX: Final = 20


class Lane(StrEnum):
    ACCOUNT = "account"
    ADDRESS = "address"
    BROWSER = "browser"
    CODE = "code"
    """Second factors of one account: only who knows its password comes here."""


@dataclass(frozen=True, slots=True)
class Limit:
    free: int
    """Failures without a wait; then 1 s, doubled with each."""
    longest_ms: int


LIMITS: Final = MappingProxyType(
    {
        Lane.ACCOUNT: Limit(5, 60_000),
        Lane.ADDRESS: Limit(30, 300_000),
        Lane.BROWSER: Limit(5, 900_000),
        # Six digits, three of them good at a time: at four tries an hour one in 3,000 a day.
        Lane.CODE: Limit(5, 900_000),
    }
)


class TooManyFailures(Exception):
    """Wait ``wait_s`` seconds before the next try."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"{wait_s} s")
        self.wait_s = wait_s


def lane(kind: Lane, name: str, key: bytes) -> str:
    """Keyed: people type their password where their name belongs."""
    told = f"{kind}:{name}".encode("utf-8", "surrogatepass")
    return f"{kind}:{hmac.new(key, told, hashlib.sha256).hexdigest()}"


def begin(connection: Connection, lanes: Iterable[str], now_ms: int) -> None:
    """Counts a try on each lane; `pardon` takes it back. Raises TooManyFailures, having counted nothing."""
    counts = {}
    for name in sorted(lanes):
        row = _locked(connection, name)
        count = row.failures if now_ms - row.last_ms < FORGOTTEN_MS else 0
        wait_ms = _wait_ms(name, count, now_ms - row.last_ms)
        if wait_ms > 0:
            raise TooManyFailures((wait_ms + 999) // 1000)
        counts[name] = count + 1
    for name, count in counts.items():
        change(connection, FAILURES, {"lane": name}, {"failures": count, "last_ms": now_ms})


def _locked(connection: Connection, name: str) -> Row[Any]:
    """The lane's row, made where there was none: who comes beside us waits for what we count."""
    held = FAILURES.update().where(FAILURES.c.lane == name).values(failures=FAILURES.c.failures)
    if not connection.execute(held).rowcount:
        try:
            with connection.begin_nested():
                connection.execute(FAILURES.insert().values(lane=name, failures=0, last_ms=0))
        except IntegrityError:
            connection.execute(held)
    return connection.execute(select(FAILURES).where(FAILURES.c.lane == name)).one()


def pardon(connection: Connection, lanes: Iterable[str]) -> None:
    """The try was right: its lanes are as new, but the address's, where others fail too."""
    for name in lanes:
        row = find(connection, FAILURES, {"lane": name})
        if row is None:
            continue
        left = row.failures - 1 if _kind(name) is Lane.ADDRESS else 0
        change(connection, FAILURES, {"lane": name}, {"failures": max(0, left)})


def forget(connection: Connection, now_ms: int) -> None:
    connection.execute(FAILURES.delete().where(FAILURES.c.last_ms < now_ms - FORGOTTEN_MS))


def _kind(name: str) -> Lane:
    return Lane(name.partition(":")[0])


def _wait_ms(name: str, count: int, since_ms: int) -> int:
    limit = LIMITS[_kind(name)]
    beyond = count - limit.free
    if beyond < 0:
        return 0
    pause_ms = min(limit.longest_ms, 1000 << min(beyond, _DOUBLINGS_MAX))
    # A clock that was set back must not make anybody wait longer than the longest.
    return pause_ms - max(0, since_ms)
