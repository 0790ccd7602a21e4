"""Signing in, step by step: password, second factor, first password changed, second factor enrolled."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Connection

from locker.domain.encoding import canonical
from sync.central.access import accounts, audit, factor, sessions, throttle
from sync.central.access.actor import Actor
from sync.central.access.passwords import CHARACTERS_MAX, Checked, Passwords, new_password, require_strong
from sync.central.access.sessions import Session, Stage
from sync.central.access.settings import Access
from sync.central.access.tables import ACCOUNT, SESSION
from sync.central.access.throttle import Lane, lane
from sync.central.desk import Desk
from sync.central.store import Store, change, find

T = TypeVar("T")
FIRST_LASTS_MS: Final = 7 * 24 * 3_600_000
"""A password that was given out and never used is none any more."""
WAITING_MAX: Final = 20
"""So many passwords may wait to be hashed; more are turned away, or the hub would do nothing else."""
NOBODY: Final = Actor("nobody", frozenset(), frozenset())


class WrongSignIn(Exception):
    """Name, password or code is wrong: which one is not told."""


class Busy(Exception):
    """Too many sign in at this moment; try again."""


@dataclass(frozen=True, slots=True)
class Client:
    """From where somebody signs in."""

    address: str
    browser: str = ""
    """What a browser keeps in which somebody once signed in; may be empty or made up."""


@dataclass(frozen=True, slots=True)
class Entered:
    """``token`` is the new session's; ``browser`` is to be kept for longer, where it is not empty."""

    token: str
    stage: Stage
    browser: str = ""
    recovery_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Whom the city's own identity vouches for."""

    subject: str
    """``issuer|sub``: the only thing by which a person is known again."""
    account: accounts.Account


@dataclass(frozen=True, slots=True)
class _Found:
    """What was known of a name before its password was tried. ``kept`` empty: nobody."""

    kept: str
    lanes: tuple[str, ...]


class SignIn:
    def __init__(
        self, store: Store, desk: Desk, passwords: Passwords, settings: Access, hashing: Executor
    ) -> None:
        self._store = store
        self._desk = desk
        self._passwords = passwords
        self._settings = settings
        self._hashing = hashing
        self._waiting = 0

    # --- the steps -----------------------------------------------------------------------------------------

    async def with_password(self, name: str, password: str, client: Client) -> Entered:
        """Raises WrongSignIn, TooManyFailures, Busy."""
        name = name.strip().lower()
        found = await self._store.write(lambda c: self._begin(c, name, client))
        checked = await self._hashed(
            lambda: self._passwords.check(password[: CHARACTERS_MAX + 1], found.kept)
        )
        entered = await self._store.write(lambda c: self._judged(c, name, client, found, checked))
        if entered is None:
            raise WrongSignIn
        return entered

    async def with_code(self, token: str, code: str) -> Entered:
        """An authenticator's code, or a recovery code. Raises WrongSignIn, TooManyFailures."""
        session = await self._at(token, Stage.CODE)
        account = session.account.account
        lanes = (self._lane(Lane.CODE, account),)
        await self._store.write(lambda c: throttle.begin(c, lanes, self._now_ms()))
        entered = await self._store.write(lambda c: self._code_judged(c, session, code.strip(), lanes))
        if entered is None:
            raise WrongSignIn
        return entered

    async def change_password(self, token: str, new: str, old: str = "") -> Entered:
        """A first password into one's own; once signed in, ``old`` is asked too. Every other session ends.

        Raises WrongSignIn, WeakPassword, TooManyFailures, Busy.
        """
        session = await self._at(token, Stage.PASSWORD, Stage.OPEN)
        account = session.account.account
        require_strong(new, account)
        if session.stage is Stage.OPEN:
            await self._confirm(account, old)
        hashed = await self._hashed(lambda: self._passwords.hash(new))

        def work(connection: Connection) -> Entered:
            now_ms = self._now_ms()
            values = {"password": hashed, "first_password": False, "changed_ms": now_ms}
            change(connection, ACCOUNT, {"account": account}, values)
            accounts.sign_out_everywhere(connection, account)
            entered = self._enter(connection, session.account.account, token)
            audit.write(connection, now_ms, session.account.actor, audit.Event.PASSWORD_CHANGED, account)
            return entered

        return await self._store.write(work)

    async def second_factor(self, token: str) -> str:
        """The secret that is being enrolled in this session. Raises WrongSignIn."""
        session = await self._at(token, Stage.ENROL, Stage.OPEN)
        where = {"digest": sessions.digest(session.token)}

        def work(connection: Connection) -> str:
            own = find(connection, ACCOUNT, {"account": session.account.account})
            if own is None or own.totp_sealed:
                raise WrongSignIn  # a new one only after an administrator dropped the old
            row = find(connection, SESSION, where)
            if row is not None and row.secret_sealed:
                return self._desk.opened(row.secret_sealed)["totp"]
            secret = factor.new_secret(self._desk)
            change(connection, SESSION, where, {"secret_sealed": accounts.seal_secret(self._desk, secret)})
            return secret

        return await self._store.write(work)

    async def enrol(self, token: str, code: str) -> Entered:
        """The app shows ``code``: from now on it is asked. Recovery codes are told this once.

        Raises WrongSignIn, TooManyFailures.
        """
        session = await self._at(token, Stage.ENROL, Stage.OPEN)
        secret = await self.second_factor(token)
        lanes = (self._lane(Lane.CODE, session.account.account),)
        await self._store.write(lambda c: throttle.begin(c, lanes, self._now_ms()))
        entered = await self._store.write(lambda c: self._enrolled(c, session, secret, code.strip(), lanes))
        if entered is None:
            raise WrongSignIn
        return entered

    async def first_password(self) -> tuple[str, str]:
        """A password to be given out, as it is told and as it is kept. Raises Busy."""
        plain = new_password(self._desk.chance.random_bytes)
        return plain, await self._hashed(lambda: self._passwords.hash(plain))

    async def sign_out(self, token: str) -> None:
        session = await self.find(token)

        def work(connection: Connection) -> None:
            sessions.end(connection, token)
            if session is not None and session.stage is Stage.OPEN:
                actor = session.account.actor
                audit.write(
                    connection, self._now_ms(), actor, audit.Event.SIGNED_OUT, session.account.account
                )

        await self._store.write(work)

    async def sign_out_everywhere(self, session: Session) -> None:
        """This person's sessions in every browser, this one too."""

        def work(connection: Connection) -> None:
            account = session.account.account
            accounts.sign_out_everywhere(connection, account)
            actor = session.account.actor
            audit.write(connection, self._now_ms(), actor, audit.Event.SESSIONS_ENDED, account)

        await self._store.write(work)

    async def find(self, token: str, *, by_itself: bool = False) -> Session | None:
        """The living session of this token. A look keeps it alive, unless the page took it by itself."""
        if len(token) != 2 * sessions.TOKEN_BYTES:
            return None
        now_ms = self._now_ms()
        session = await self._store.read(lambda c: sessions.lookup(c, self._settings, token, now_ms))
        if session is not None and session.stage is Stage.OPEN and session.stale(now_ms) and not by_itself:
            await self._store.write(lambda c: sessions.seen(c, token, now_ms))
        return session

    async def from_elsewhere(self, known: Elsewhere, browser: str) -> Entered:
        """Somebody the city's own identity vouches for: rights as it says today. Raises WrongSignIn."""
        entered = await self._store.write(lambda c: self._vouched(c, known, browser))
        if entered is None:
            raise WrongSignIn
        return entered

    # --- their judgement, each in one transaction -------------------------------------------------------

    def _begin(self, connection: Connection, name: str, client: Client) -> _Found:
        now_ms = self._now_ms()
        if sessions.knows(connection, client.browser, name):
            lanes: tuple[str, ...] = (self._lane(Lane.BROWSER, f"{sessions.digest(client.browser)}:{name}"),)
        else:
            lanes = (self._lane(Lane.ACCOUNT, name), self._lane(Lane.ADDRESS, client.address))
        throttle.begin(connection, lanes, now_ms)
        row = find(connection, ACCOUNT, {"account": name})
        stale = row is not None and row.first_password and now_ms - row.changed_ms > FIRST_LASTS_MS
        return _Found("" if row is None or row.ended_ms or stale else row.password, lanes)

    def _judged(
        self, connection: Connection, name: str, client: Client, found: _Found, checked: Checked
    ) -> Entered | None:
        row = find(connection, ACCOUNT, {"account": name})
        now_ms = self._now_ms()
        # Ended, or given another password, while this one was tried.
        if row is None or row.ended_ms or row.password != found.kept or not checked.right:
            known = name if row is not None else ""
            audit.write(connection, now_ms, NOBODY, audit.Event.SIGN_IN_FAILED, known, {"step": "password"})
            return None
        throttle.pardon(connection, found.lanes)
        if checked.better:
            change(connection, ACCOUNT, {"account": name}, {"password": checked.better})
        browser = sessions.remember(connection, self._desk, client.browser, name)
        return self._enter(connection, name, "", browser=browser)

    def _code_judged(
        self, connection: Connection, session: Session, code: str, lanes: tuple[str, ...]
    ) -> Entered | None:
        now_ms, account = self._now_ms(), session.account.account
        by_app = factor.take(connection, self._desk, account, code, now_ms)
        if not by_app and not factor.take_recovery(connection, self._desk, account, code, now_ms):
            audit.write(connection, now_ms, NOBODY, audit.Event.SIGN_IN_FAILED, account, {"step": "code"})
            return None
        throttle.pardon(connection, lanes)
        entered = self._enter(connection, account, session.token, code_given=True)
        if not by_app:
            audit.write(connection, now_ms, session.account.actor, audit.Event.RECOVERY_CODE_USED, account)
        return entered

    def _enrolled(
        self, connection: Connection, session: Session, secret: str, code: str, lanes: tuple[str, ...]
    ) -> Entered | None:
        now_ms, account = self._now_ms(), session.account.account
        step = factor.step_of(secret, code, now_ms, 0)
        if step is None:
            return None
        throttle.pardon(connection, lanes)
        values = {"totp_sealed": accounts.seal_secret(self._desk, secret), "totp_step": step}
        change(connection, ACCOUNT, {"account": account}, values)
        codes = factor.new_recovery_codes(connection, self._desk, account)
        accounts.sign_out_everywhere(connection, account)
        entered = self._enter(connection, account, session.token, code_given=True, codes=tuple(codes))
        audit.write(connection, now_ms, session.account.actor, audit.Event.SECOND_FACTOR_ENROLLED, account)
        return entered

    def _vouched(self, connection: Connection, known: Elsewhere, browser: str) -> Entered | None:
        """Never joined to an account that was made here, whatever name the provider tells."""
        now_ms = self._now_ms()
        new = known.account
        row = find(connection, ACCOUNT, {"account": new.account})
        rights = {"roles": canonical(sorted(new.roles)), "areas": canonical(sorted(new.areas))}
        if (row is not None and (row.ended_ms or row.subject != known.subject)) or not new.roles:
            where = new.account if row is not None else ""
            audit.write(connection, now_ms, NOBODY, audit.Event.SIGN_IN_FAILED, where, {"step": "identity"})
            return None
        if row is None:
            values = {**rights, "account": new.account, "subject": known.subject, "made_ms": now_ms}
            connection.execute(ACCOUNT.insert().values(**values, shown=new.shown, changed_ms=now_ms))
        else:
            change(connection, ACCOUNT, {"account": new.account}, {**rights, "shown": new.shown})
        # The second factor is the provider's matter.
        token = sessions.begin(connection, self._desk, new.account, Stage.OPEN)
        browser = sessions.remember(connection, self._desk, browser, new.account)
        told = {"by": "identity", **rights}
        audit.write(connection, now_ms, new.actor, audit.Event.SIGNED_IN, new.account, told)
        return Entered(token, Stage.OPEN, browser)

    def _enter(
        self,
        connection: Connection,
        account: str,
        old: str,
        *,
        code_given: bool = False,
        browser: str = "",
        codes: tuple[str, ...] = (),
    ) -> Entered:
        """The next step's session, or the open one, in place of the old."""
        row = connection.execute(ACCOUNT.select().where(ACCOUNT.c.account == account)).one()
        # Whoever stands after the code's step has given one: no step leads there but that.
        after_code = bool(old) or code_given
        stage = sessions.next_stage(row, self._settings, code_given=after_code)
        token = sessions.begin(connection, self._desk, account, stage, old)
        if stage is Stage.OPEN:
            actor = accounts.of_row(row).actor
            audit.write(connection, self._now_ms(), actor, audit.Event.SIGNED_IN, account)
        return Entered(token, stage, browser, codes)

    # --------------------------------------------------------------------------------------------------------

    async def _at(self, token: str, *stages: Stage) -> Session:
        session = await self.find(token)
        if session is None or session.stage not in stages:
            raise WrongSignIn
        return session

    async def _confirm(self, account: str, password: str) -> None:
        """One's own password once more. Raises WrongSignIn, TooManyFailures, Busy."""
        lanes = (self._lane(Lane.CODE, account),)
        await self._store.write(lambda c: throttle.begin(c, lanes, self._now_ms()))
        row = await self._store.read(lambda c: find(c, ACCOUNT, {"account": account}))
        kept = row.password if row is not None else ""
        if not (await self._hashed(lambda: self._passwords.check(password, kept))).right:
            raise WrongSignIn
        await self._store.write(lambda c: throttle.pardon(c, lanes))

    async def _hashed(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, work)
        finally:
            self._waiting -= 1

    def _lane(self, kind: Lane, name: str) -> str:
        return lane(kind, name, self._desk.keys.seal.private)

    def _now_ms(self) -> int:
        return self._desk.clock.wall_ms()
