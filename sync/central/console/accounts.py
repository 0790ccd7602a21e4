"""Who may come in: accounts of people, keys of programs, and the table of who may do what."""

import json
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from sync.central.access import accounts, keys
from sync.central.access.accounts import Account, AccountRefusal, AccountRefused
from sync.central.access.actor import Role, Scope
from sync.central.access.front import Means
from sync.central.access.matrix import MATRIX, Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Form, Frame, Visit

ACCOUNTS: Final = f"{ROOT}/accounts"
KEYS: Final = f"{ROOT}/keys"
AREAS_CHARACTERS_MAX: Final = 2000
NOT_A_ROLE: Final = AccountRefused(AccountRefusal.BAD_ROLES, "a role or scope that is none")


def add(frame: Frame, means: Means) -> None:
    people, programs = _Accounts(frame, means), _Keys(frame, means)
    for path, action, page, method in (
        (ACCOUNTS, Action.SEE_ACCOUNTS, people.every, "GET"),
        (ACCOUNTS, Action.MANAGE_ACCOUNTS, people.add, "POST"),
        (f"{ACCOUNTS}/{{name}}", Action.SEE_ACCOUNTS, people.one, "GET"),
        (f"{ACCOUNTS}/{{name}}/rights", Action.MANAGE_ACCOUNTS, people.rights, "POST"),
        (f"{ACCOUNTS}/{{name}}/password", Action.MANAGE_ACCOUNTS, people.password, "POST"),
        (f"{ACCOUNTS}/{{name}}/factor", Action.MANAGE_ACCOUNTS, people.factor, "POST"),
        (f"{ACCOUNTS}/{{name}}/end", Action.MANAGE_ACCOUNTS, people.end, "POST"),
        (KEYS, Action.SEE_KEYS, programs.every, "GET"),
        (KEYS, Action.MANAGE_KEYS, programs.make, "POST"),
        (f"{KEYS}/{{name}}/revoke", Action.MANAGE_KEYS, programs.revoke, "POST"),
    ):
        frame.add(path, action, page, method)
    frame.add(f"{ROOT}/access", Action.SEE_ACCESS, _Matrix(frame).page)


@dataclass(frozen=True, slots=True)
class _Accounts:
    frame: Frame
    means: Means

    async def every(self, visit: Visit) -> Response:
        rows = await self.means.store.read(lambda c: accounts.listed(c, visit.actor))
        values = {
            "people": [_shown(row) for row in rows],
            "roles": sorted(accounts.PEOPLE_ROLES),
            "manages": may(visit.actor, Action.MANAGE_ACCOUNTS),
        }
        return self.frame.page(visit, "accounts.html", values)

    async def one(self, visit: Visit) -> Response:
        name = visit.request.path_params["name"]
        row = await self.means.store.read(lambda c: accounts.account_row(c, visit.actor, name))
        own = visit.session.account.account == name
        values = {
            "person": _shown(row),
            "roles": sorted(accounts.PEOPLE_ROLES),
            "manages": may(visit.actor, Action.MANAGE_ACCOUNTS) and not own,
            "own": own,
        }
        return self.frame.page(visit, "account.html", values)

    async def add(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        name, shown = forms.one(form, "account"), forms.one(form, "shown")
        if len(shown) > accounts.SHOWN_CHARACTERS_MAX or not shown.isprintable():
            raise forms.BadForm(["shown"])
        new = Account(name, shown, _roles(form), _areas(form))
        plain, hashed = await self.frame.front.sign_in.first_password()
        now_ms = self.means.desk.clock.wall_ms()
        await self.means.store.write(lambda c: accounts.add(c, now_ms, visit.actor, new, hashed))
        return self._told(visit, name, plain)

    async def rights(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["name"]
        roles, areas, now_ms = _roles(form), _areas(form), self.means.desk.clock.wall_ms()
        await self.means.store.write(
            lambda c: accounts.change_rights(c, now_ms, visit.actor, name, roles, areas)
        )
        return RedirectResponse(f"{ACCOUNTS}/{name}", 303)

    async def password(self, visit: Visit) -> Response:
        """A new first password; an account that was ended lives again."""
        await self.frame.form(visit)
        name, now_ms = visit.request.path_params["name"], self.means.desk.clock.wall_ms()
        plain, hashed = await self.frame.front.sign_in.first_password()
        await self.means.store.write(lambda c: accounts.restore(c, now_ms, visit.actor, name, hashed))
        return self._told(visit, name, plain)

    async def factor(self, visit: Visit) -> Response:
        return await self._done(visit, accounts.drop_second_factor)

    async def end(self, visit: Visit) -> Response:
        return await self._done(visit, accounts.end)

    async def _done(self, visit: Visit, act: Any) -> Response:
        await self.frame.form(visit)
        name, now_ms = visit.request.path_params["name"], self.means.desk.clock.wall_ms()
        await self.means.store.write(lambda c: act(c, now_ms, visit.actor, name))
        return RedirectResponse(f"{ACCOUNTS}/{name}", 303)

    def _told(self, visit: Visit, name: str, plain: str) -> Response:
        told = {"name": name, "secret": plain, "kind": "password", "onward": f"{ACCOUNTS}/{name}"}
        return self.frame.page(visit, "secret.html", told)


@dataclass(frozen=True, slots=True)
class _Keys:
    frame: Frame
    means: Means

    async def every(self, visit: Visit) -> Response:
        rows = await self.means.store.read(lambda c: keys.listed(c, visit.actor))
        now_ms = self.means.desk.clock.wall_ms()
        values = {
            "keys": [
                {
                    "row": row,
                    "scopes": json.loads(row.scopes),
                    "areas": json.loads(row.areas),
                    "state": "revoked" if row.revoked_ms else "expired" if row.expires_ms <= now_ms else "",
                }
                for row in rows
            ],
            "scopes": list(Scope),
            "longest": keys.LASTS_DAYS.stop - 1,
            "manages": may(visit.actor, Action.MANAGE_KEYS),
        }
        return self.frame.page(visit, "keys.html", values)

    async def make(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        if any(scope not in set(Scope) for scope in form.get("scopes", [])):
            raise NOT_A_ROLE
        scopes = frozenset(Scope(scope) for scope in form.get("scopes", []))
        days = forms.number(form, "lasts_days")
        lasts_days = days if isinstance(days, int) else 0
        new = keys.NewKey(forms.one(form, "name"), scopes, _areas(form), lasts_days)
        secret = await self.means.store.write(lambda c: keys.make(c, self.means.desk, visit.actor, new))
        told = {"name": new.name, "secret": secret, "kind": "key", "onward": KEYS}
        return self.frame.page(visit, "secret.html", told)

    async def revoke(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        name, now_ms = visit.request.path_params["name"], self.means.desk.clock.wall_ms()
        await self.means.store.write(lambda c: keys.revoke(c, now_ms, visit.actor, name))
        return RedirectResponse(KEYS, 303)


@dataclass(frozen=True, slots=True)
class _Matrix:
    frame: Frame

    async def page(self, visit: Visit) -> Response:
        values = {"matrix": MATRIX, "roles": list(Role), "mine": visit.actor.roles}
        return self.frame.page(visit, "access.html", values)


def _shown(row: Any) -> dict[str, Any]:
    found = accounts.of_row(row)
    return {
        "account": found.account,
        "shown": found.shown,
        "roles": sorted(found.roles),
        "areas": sorted(found.areas),
        "factor": bool(row.totp_sealed),
        "elsewhere": bool(row.subject),
        "first": row.first_password,
        "ended_ms": row.ended_ms,
    }


def _roles(form: Form) -> frozenset[Role]:
    if any(role not in set(Role) for role in form.get("roles", [])):
        raise NOT_A_ROLE
    return frozenset(Role(role) for role in form.get("roles", []))


def _areas(form: Form) -> frozenset[str]:
    """By commas or spaces, as people type them."""
    typed = forms.one(form, "areas")[:AREAS_CHARACTERS_MAX]
    return frozenset(typed.replace(",", " ").replace("，", " ").split())
