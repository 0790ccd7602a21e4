"""Who is signed in. A session is a random token in one browser; the database knows its digest."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from sync.central.access.accounts import Account, of_row
from sync.central.access.settings import MINUTE_MS, Access
from sync.central.access.tables import ACCOUNT, BROWSER, ELSEWHERE, SESSION
from sync.central.desk import Desk

TOKEN_BYTES: Final = 32
STEP_LASTS_MS: Final = 10 * MINUTE_MS
"""What a person has for one step of signing in."""
SEEN_EVERY_MS: Final = MINUTE_MS
"""How exact `seen_ms` is: not every look at a page is a write."""
BROWSER_KNOWN_MS: Final = 180 * 24 * 60 * MINUTE_MS


class Stage(StrEnum):
    """How far a sign-in is. Only `OPEN` opens anything but the next step."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105  # pragma: allowlist secret  # the name of a step
    ENROL = "enrol"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Session:
    token: str
    stage: Stage
    account: Account
    made_ms: int
    seen_ms: int

    @property
    def form_key(self) -> str:
        """Stands in every form: a page of somebody else cannot know it."""
        return digest(f"form:{self.token}")

    def stale(self, now_ms: int) -> bool:
        """Whether it should be marked as seen."""
        return abs(now_ms - self.seen_ms) >= SEEN_EVERY_MS


def digest(token: str) -> str:
    """Tokens hold 256 random bits: no salt, no slowness is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def next_stage(row: Row[Any], settings: Access, *, code_given: bool) -> Stage:
    """What this person has still to do after the password was right."""
    if row.totp_sealed and not code_given:
        return Stage.CODE
    if row.first_password:
        return Stage.PASSWORD
    if not row.totp_sealed and settings.second_factor_needed(of_row(row).roles):
        return Stage.ENROL
    return Stage.OPEN


def begin(connection: Connection, desk: Desk, account: str, stage: Stage, old: str = "") -> str:
    """A fresh token; with every step a new one, and ``old`` opens nothing any more."""
    connection.execute(SESSION.delete().where(SESSION.c.digest == digest(old)))
    token = desk.chance.random_bytes(TOKEN_BYTES).hex()
    now_ms = desk.clock.wall_ms()
    connection.execute(
        SESSION.insert().values(
            digest=digest(token), account=account, stage=stage, made_ms=now_ms, seen_ms=now_ms
        )
    )
    return token


def lookup(connection: Connection, settings: Access, token: str, now_ms: int) -> Session | None:
    """The living session of this token."""
    joined = SESSION.join(ACCOUNT, ACCOUNT.c.account == SESSION.c.account)
    own = SESSION.c
    query = select(ACCOUNT, own.stage, own.made_ms.label("begun_ms"), own.seen_ms).select_from(joined)
    row = connection.execute(query.where(own.digest == digest(token))).first()
    if row is None or row.ended_ms or not _lives(row, settings, now_ms):
        return None
    return Session(token, Stage(row.stage), of_row(row), row.begun_ms, row.seen_ms)


def _lives(row: Row[Any], settings: Access, now_ms: int) -> bool:
    if row.stage != Stage.OPEN:
        return bool(now_ms - row.begun_ms < STEP_LASTS_MS)
    return bool(now_ms - row.seen_ms < settings.idle_ms and now_ms - row.begun_ms < settings.lasts_ms)


def seen(connection: Connection, token: str, now_ms: int) -> None:
    connection.execute(SESSION.update().where(SESSION.c.digest == digest(token)).values(seen_ms=now_ms))


def end(connection: Connection, token: str) -> None:
    connection.execute(SESSION.delete().where(SESSION.c.digest == digest(token)))


def forget_ended(connection: Connection, settings: Access, now_ms: int) -> None:
    own = SESSION.c
    steps = (own.stage != Stage.OPEN) & (own.made_ms <= now_ms - STEP_LASTS_MS)
    idle, old = own.seen_ms <= now_ms - settings.idle_ms, own.made_ms <= now_ms - settings.lasts_ms
    connection.execute(SESSION.delete().where(or_(steps, idle, old)))
    connection.execute(BROWSER.delete().where(BROWSER.c.seen_ms < now_ms - BROWSER_KNOWN_MS))
    connection.execute(ELSEWHERE.delete().where(ELSEWHERE.c.made_ms < now_ms - STEP_LASTS_MS))


# --- browsers that are known ------------------------------------------------------------------------------


def knows(connection: Connection, browser: str, account: str) -> bool:
    if not browser:
        return False
    where = [BROWSER.c.digest == digest(browser), BROWSER.c.account == account]
    return connection.execute(select(BROWSER.c.account).where(*where)).first() is not None


def remember(connection: Connection, desk: Desk, browser: str, account: str) -> str:
    """What the browser is to keep."""
    token = browser if knows(connection, browser, account) else ""
    if token:
        connection.execute(
            BROWSER.delete().where(BROWSER.c.digest == digest(token), BROWSER.c.account == account)
        )
    else:
        token = desk.chance.random_bytes(TOKEN_BYTES).hex()
    connection.execute(
        BROWSER.insert().values(digest=digest(token), account=account, seen_ms=desk.clock.wall_ms())
    )
    return token
