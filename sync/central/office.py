"""What the API and the console ask for: one transaction each, then the lockers concerned are told."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from sync.central import cases, histories, outgoing, staff
from sync.central.access import audit, keys, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused
from sync.central.pump import Pump
from sync.central.store import Store, find
from sync.central.tables import REPEAT
from sync.central.windows import departments

_REPEATED: Final = REPEAT.insert()


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A caller's own name for a request, so that sending it twice does it once. Empty: no such name."""

    key: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Office:
    store: Store
    desk: Desk
    pump: Pump

    async def pre_review(self, passed: cases.PreReview, actor: Actor, repeatable: Repeatable) -> Row[Any]:
        """The authorisation's row. Raises Refused."""
        made: list[Row[Any]] = []

        def make(connection: Connection) -> str:
            locker = scope.locker_row(connection, actor, passed.locker)
            if passed.department:
                now_ms = self.desk.clock.wall_ms()
                departments.give(connection, actor, locker.area, passed.case, passed.department, now_ms)
            reference = cases.authorise(connection, self.desk, passed, actor.who)
            detail = {"case": passed.case, "locker": passed.locker}
            made.append(cases.authorisation_row(connection, reference))
            self._journal(connection, actor, Action.AUTHORISE, reference, detail)
            return reference

        reference = await self.once("pre-reviews", actor, repeatable, make)
        self.pump.wake([passed.locker])
        if made:
            return made[-1]
        return await self.store.read(lambda c: scope.authorisation_row(c, actor, reference))

    async def outgoing_item(self, ready: outgoing.Outgoing, actor: Actor, repeatable: Repeatable) -> str:
        """The item. Raises Refused."""

        def make(connection: Connection) -> str:
            scope.locker_row(connection, actor, ready.locker)
            reference = outgoing.announce(connection, self.desk, ready, actor.who)
            detail = {"case": ready.case, "locker": ready.locker}
            self._journal(connection, actor, Action.ANNOUNCE_ITEM, reference, detail)
            return reference

        reference = await self.once("outgoing-items", actor, repeatable, make)
        self.pump.wake([ready.locker])
        return reference

    async def enrol_staff(self, person: staff.Enrolment, actor: Actor, repeatable: Repeatable) -> str:
        """The badge's digits, this once. Raises Refused, also for a repetition."""
        badges: list[str] = []

        def make(connection: Connection) -> str:
            scope.require_staff(connection, actor, person.staff)
            for locker in person.lockers:
                scope.locker_row(connection, actor, locker)
            badges.append(staff.enrol(connection, self.desk, person))
            detail = {"roles": ",".join(sorted(person.roles)), "lockers": ",".join(person.lockers)}
            self._journal(connection, actor, Action.ENROL_STAFF, person.staff, detail)
            return person.staff

        await self.once("staff", actor, repeatable, make)
        self.pump.wake(person.lockers)
        if not badges:
            raise Refused(Refusal.SHOWN_ONCE, "this badge was shown already; enrol again for a new one")
        return badges[-1]

    async def revoke_staff(self, name: str, actor: Actor) -> None:
        """At the lockers that exist for this actor. Raises Refused."""

        def work(connection: Connection) -> list[str]:
            mine = scope.lockers_of(connection, actor)
            lockers = staff.revoke(connection, name, mine, self.desk.clock.wall_ms())
            self._journal(connection, actor, Action.REVOKE_STAFF, name, {"lockers": ",".join(lockers)})
            return lockers

        self.pump.wake(await self.store.write(work))

    async def confirm_history(self, locker: str, epoch: str, actor: Actor) -> None:
        """The card with this epoch is the true one. Raises Refused."""

        def confirm(connection: Connection) -> None:
            scope.locker_row(connection, actor, locker)
            histories.confirm(connection, locker, epoch, actor.who, self.desk.clock.wall_ms())
            self._journal(connection, actor, Action.RESOLVE_LOCKER, locker, {"epoch": epoch})

        await self.store.write(confirm)
        self.pump.wake([locker])

    async def renew_staff(self) -> None:
        now_ms = self.desk.clock.wall_ms()
        self.pump.wake(await self.store.write(lambda connection: staff.renew(connection, now_ms)))

    def _journal(
        self, connection: Connection, actor: Actor, action: Action, subject: str, detail: dict[str, str]
    ) -> None:
        audit.write(connection, self.desk.clock.wall_ms(), actor, action, subject, detail)

    async def once(
        self, route: str, actor: Actor, repeatable: Repeatable, make: Callable[[Connection], str]
    ) -> str:
        """What ``make`` returned, now or the first time that this caller sent this. Raises Refused."""
        now_ms = self.desk.clock.wall_ms()
        # One caller's key says nothing to another. (The configured ones keep the names they always had.)
        key = repeatable.key if actor is keys.CONFIGURED else f"{actor.who} {repeatable.key}"
        # Keyed: a plain digest of a body with a PIN or a phone in it could be searched.
        digest = hmac.new(self.desk.keys.seal.private, repeatable.body.encode(), hashlib.sha256).hexdigest()

        def work(connection: Connection) -> str:
            if not repeatable.key:
                return make(connection)
            before = find(connection, REPEAT, {"route": route, "key": key})
            if before and before.body_digest != digest:
                raise Refused(Refusal.KEY_REUSED, "this Idempotency-Key was used for another request")
            if before:
                return str(before.reference)
            reference = make(connection)
            told = {"body_digest": digest, "reference": reference, "made_ms": now_ms}
            connection.execute(_REPEATED, {"route": route, "key": key, **told})
            return reference

        return await self.store.write(work)
