"""The parts of sign-in put together, and what is done every hour."""

import logging
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import httpx
from sqlalchemy import Connection

from sync.central.access import audit, sessions, throttle
from sync.central.access.gate import Gate
from sync.central.access.identity import Elsewheres
from sync.central.access.passwords import Hashing, Passwords
from sync.central.access.settings import Access, Identity
from sync.central.access.sign_in import SignIn
from sync.central.desk import Desk
from sync.central.store import Store

log = logging.getLogger(__name__)

EVERY_MS: Final = 3_600_000
BACK: Final = "/console/login/identity/back"


@dataclass(frozen=True, slots=True)
class Front:
    """Everything a page or a route needs to know who asks."""

    sign_in: SignIn
    gate: Gate
    elsewhere: Elsewheres | None = None
    """The city's own identity, where one is configured."""


@dataclass(frozen=True, slots=True)
class Means:
    """What sign-in needs of the rest of the hub."""

    store: Store
    desk: Desk
    hashing: Executor
    """One thread: one password takes 64 MiB."""
    client: httpx.AsyncClient | None = None
    """By which the city's own identity is asked."""


def build(
    means: Means,
    settings: Access,
    hashing: Hashing,
    configured_keys: tuple[str, ...],
    url: str,
    identity: Identity | None = None,
) -> Front:
    passwords = Passwords(hashing, means.desk.chance.random_bytes)
    sign_in = SignIn(means.store, means.desk, passwords, settings, means.hashing)
    gate = Gate(means.store, means.desk, sign_in, configured_keys, url)
    if identity is None or not identity.issuer or means.client is None:
        return Front(sign_in, gate)
    back = f"{url}{BACK}"
    return Front(sign_in, gate, Elsewheres(means.store, means.desk, sign_in, means.client, identity, back))


async def keep(means: Means, settings: Access) -> None:
    """Every hour: sign the journal's end, forget what has ended. Until cancelled."""
    clock = means.desk.clock
    while True:
        signed = await means.store.write(lambda connection: hourly(connection, means.desk, settings))
        if signed is not None:
            # Whoever can change the database cannot change this line as well.
            log.info("journal of acts signed at %d: %s", *signed)
        await clock.sleep_until(clock.mono_ms() + EVERY_MS)


def hourly(connection: Connection, desk: Desk, settings: Access) -> tuple[int, str] | None:
    """The head that was signed; None where nothing came since."""
    now_ms = desk.clock.wall_ms()
    sessions.forget_ended(connection, settings, now_ms)
    throttle.forget(connection, now_ms)
    return audit.sign(connection, desk.keys.sign, now_ms)
