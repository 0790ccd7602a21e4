"""The second factor: codes of an authenticator app, each taken once, and recovery codes for its loss."""

import base64
import hashlib
import hmac
from typing import Final

import pyotp
from sqlalchemy import Connection

from sync.central.access.tables import ACCOUNT, RECOVERY_CODE
from sync.central.desk import Desk

STEP_S: Final = 30
STEPS_AROUND: Final = 1
"""A phone's clock may be one step off, either way."""
SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
"""80 random bits: 16 characters, shown 4-4-4-4."""
ISSUER: Final = "DocLocker"


def new_secret(desk: Desk) -> str:
    return base64.b32encode(desk.chance.random_bytes(SECRET_BYTES)).decode()


def uri(secret: str, account: str) -> str:
    """What an authenticator app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def step_of(secret: str, code: str, now_ms: int, last_step: int) -> int | None:
    """The step whose code this is; None for a wrong one and for one that is not later than ``last_step``."""
    totp, now = pyotp.TOTP(secret), now_ms // 1000 // STEP_S
    found = None
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        same = hmac.compare_digest(totp.at(step * STEP_S).encode(), code.encode("utf-8", "surrogatepass"))
        if same and step > last_step:
            found = step
    return found


def take(connection: Connection, desk: Desk, account: str, code: str, now_ms: int) -> bool:
    """Whether this is the account's code of now, which is thereby spent."""
    row = connection.execute(ACCOUNT.select().where(ACCOUNT.c.account == account)).one()
    if not row.totp_sealed:
        return False
    step = step_of(desk.opened(row.totp_sealed)["totp"], code, now_ms, row.totp_step)
    if step is None:
        return False
    # Of two that come with the same code at the same moment, one finds it spent.
    later = ACCOUNT.update().where(ACCOUNT.c.account == account, ACCOUNT.c.totp_step < step)
    return bool(connection.execute(later.values(totp_step=step)).rowcount)


# --- recovery ---------------------------------------------------------------------------------------------


def new_recovery_codes(connection: Connection, desk: Desk, account: str) -> list[str]:
    """Shown this once; older ones end."""
    codes = [_shown(desk.chance.random_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]
    forget_recovery_codes(connection, account)
    rows = [{"account": account, "digest": _digest(desk, account, code), "used_ms": 0} for code in codes]
    connection.execute(RECOVERY_CODE.insert(), rows)
    return codes


def forget_recovery_codes(connection: Connection, account: str) -> None:
    connection.execute(RECOVERY_CODE.delete().where(RECOVERY_CODE.c.account == account))


def take_recovery(connection: Connection, desk: Desk, account: str, code: str, now_ms: int) -> bool:
    """Whether this is one of the account's, which is thereby spent."""
    own = RECOVERY_CODE.c
    where = [own.account == account, own.digest == _digest(desk, account, code), own.used_ms == 0]
    return bool(connection.execute(RECOVERY_CODE.update().where(*where).values(used_ms=now_ms)).rowcount)


def _digest(desk: Desk, account: str, code: str) -> str:
    plain = code.replace("-", "").replace(" ", "").lower()
    told = f"recovery:{account}:{plain}".encode("utf-8", "surrogatepass")
    return hmac.new(desk.keys.seal.private, told, hashlib.sha256).hexdigest()


def _shown(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
