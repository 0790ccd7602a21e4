"""People at the hub: who they are, what they are, where. Made, changed and ended by an administrator.

An administrator gives only areas that are theirs, and never changes their own account: what one may do is
somebody else's decision.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.encoding import canonical
from sync.central.access import audit, factor
from sync.central.access.actor import EVERY_AREA, Actor, Role, person
from sync.central.access.matrix import Action
from sync.central.access.tables import ACCOUNT, BROWSER, SESSION
from sync.central.desk import Desk
from sync.central.store import change, find

NAME_FORM: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}\Z")
AREA_FORM: Final = re.compile(r"[a-z0-9-]{1,24}\Z")
SHOWN_CHARACTERS_MAX: Final = 40
PEOPLE_ROLES: Final = frozenset(Role) - {Role.INTEGRATOR}


class AccountRefusal(StrEnum):
    UNKNOWN = "unknown_account"
    EXISTS = "account_exists"
    BAD_NAME = "bad_account_name"
    BAD_ROLES = "bad_roles"
    BAD_AREAS = "bad_areas"
    ONESELF = "oneself"


class AccountRefused(Exception):
    """Nothing was changed. ``detail`` tells a person what to do."""

    def __init__(self, reason: AccountRefusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Account:
    account: str
    shown: str
    roles: frozenset[Role]
    areas: frozenset[str]

    @property
    def actor(self) -> Actor:
        return person(self.account, self.roles, self.areas)


def of_row(row: Row[Any]) -> Account:
    """Roles of later software are no roles here."""
    roles = frozenset(Role(role) for role in json.loads(row.roles) if role in set(Role))
    return Account(row.account, row.shown, roles, frozenset(json.loads(row.areas)))


def account_row(connection: Connection, actor: Actor, name: str) -> Row[Any]:
    """Raises AccountRefused; for one of other areas as for one that is not there."""
    row = find(connection, ACCOUNT, {"account": name})
    if row is None or not _within(frozenset(json.loads(row.areas)), actor):
        raise AccountRefused(AccountRefusal.UNKNOWN, "no such account")
    return row


def listed(connection: Connection, actor: Actor) -> list[Row[Any]]:
    rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.account)).all()
    return [row for row in rows if _within(frozenset(json.loads(row.areas)), actor)]


def add(
    connection: Connection, now_ms: int, actor: Actor, new: Account, password: str, *, first: bool = True
) -> None:
    """``password`` is hashed already; ``first``: given out by somebody, to be changed at once.

    Raises AccountRefused.
    """
    _require_fit(actor, new)
    if find(connection, ACCOUNT, {"account": new.account}):
        raise AccountRefused(AccountRefusal.EXISTS, f"{new.account!r} is taken; choose another name")
    rights = _rights(new.roles, new.areas)
    connection.execute(
        ACCOUNT.insert().values(
            account=new.account,
            shown=new.shown or new.account,
            password=password,
            first_password=first,
            made_ms=now_ms,
            changed_ms=now_ms,
            **rights,
        )
    )
    audit.write(connection, now_ms, actor, Action.MANAGE_ACCOUNTS, new.account, {"what": "added", **rights})


def change_rights(
    connection: Connection, now_ms: int, actor: Actor, name: str, roles: Iterable[Role], areas: Iterable[str]
) -> None:
    """Binds with the person's next request. Raises AccountRefused."""
    row = _other(connection, actor, name)
    new = Account(name, row.shown, frozenset(roles), frozenset(areas))
    _require_fit(actor, new)
    rights = _rights(new.roles, new.areas)
    change(connection, ACCOUNT, {"account": name}, rights)
    audit.write(connection, now_ms, actor, Action.MANAGE_ACCOUNTS, name, {"what": "rights", **rights})


def end(connection: Connection, now_ms: int, actor: Actor, name: str) -> None:
    """Nobody signs in by it any more, and whoever is signed in is not. Raises AccountRefused."""
    _other(connection, actor, name)
    change(connection, ACCOUNT, {"account": name}, {"ended_ms": now_ms})
    sign_out_everywhere(connection, name)
    audit.write(connection, now_ms, actor, Action.MANAGE_ACCOUNTS, name, {"what": "ended"})


def restore(connection: Connection, now_ms: int, actor: Actor, name: str, password: str) -> None:
    """As `give_password`; an account that was ended lives again. Raises AccountRefused."""
    _other(connection, actor, name)
    change(connection, ACCOUNT, {"account": name}, {"ended_ms": 0})
    give_password(connection, now_ms, actor, name, password)


def give_password(connection: Connection, now_ms: int, actor: Actor, name: str, password: str) -> None:
    """A new first password, hashed already: the old one and every session end. Raises AccountRefused."""
    _other(connection, actor, name)
    values = {"password": password, "first_password": True, "changed_ms": now_ms}
    change(connection, ACCOUNT, {"account": name}, values)
    sign_out_everywhere(connection, name)
    audit.write(connection, now_ms, actor, Action.MANAGE_ACCOUNTS, name, {"what": "password"})


def drop_second_factor(connection: Connection, now_ms: int, actor: Actor, name: str) -> None:
    """For somebody who lost phone and recovery codes: they enrol again. Raises AccountRefused."""
    _other(connection, actor, name)
    change(connection, ACCOUNT, {"account": name}, {"totp_sealed": ""})
    factor.forget_recovery_codes(connection, name)
    sign_out_everywhere(connection, name)
    audit.write(connection, now_ms, actor, Action.MANAGE_ACCOUNTS, name, {"what": "second_factor"})


def sign_out_everywhere(connection: Connection, name: str) -> None:
    """Also browsers are strange again."""
    connection.execute(SESSION.delete().where(SESSION.c.account == name))
    connection.execute(BROWSER.delete().where(BROWSER.c.account == name))


def seal_secret(desk: Desk, secret: str) -> str:
    return desk.sealed({"totp": secret})


def _other(connection: Connection, actor: Actor, name: str) -> Row[Any]:
    row = account_row(connection, actor, name)
    if actor.who == person(name, (), ()).who:
        raise AccountRefused(AccountRefusal.ONESELF, "one's own account is changed by another administrator")
    return row


def _require_fit(actor: Actor, new: Account) -> None:
    if not NAME_FORM.match(new.account):
        raise AccountRefused(AccountRefusal.BAD_NAME, "1 to 32 of a-z, 0-9, dot, hyphen and underscore")
    if not new.roles or not new.roles <= PEOPLE_ROLES:
        raise AccountRefused(AccountRefusal.BAD_ROLES, f"at least one of {', '.join(sorted(PEOPLE_ROLES))}")
    require_areas(new.areas, actor)


def require_areas(areas: frozenset[str], actor: Actor) -> None:
    """Raises AccountRefused unless ``actor`` may give these away."""
    known = all(area == EVERY_AREA or AREA_FORM.match(area) for area in areas)
    if not areas or not known or not _within(areas, actor):
        raise AccountRefused(AccountRefusal.BAD_AREAS, "areas of your own, or * where all are yours")


def _within(areas: frozenset[str], actor: Actor) -> bool:
    return actor.sees_all or areas <= actor.areas


def _rights(roles: frozenset[Role], areas: frozenset[str]) -> dict[str, str]:
    return {"roles": canonical(sorted(roles)), "areas": canonical(sorted(areas))}
