"""What the API and the console ask for: one transaction each, then the lockers concerned are told."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from sync.central import cases, outgoing, staff
from sync.central.desk import Desk, Refusal, Refused
from sync.central.pump import Pump
from sync.central.store import Store
from sync.central.tables import REPEAT


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

    async def pre_review(self, passed: cases.PreReview, actor: str, repeatable: Repeatable) -> str:
        """The authorisation. Raises Refused."""
        reference = await self._once(
            "pre-reviews",
            repeatable,
            lambda connection: cases.authorise(connection, self.desk, passed, actor),
        )
        self.pump.wake([passed.locker])
        return reference

    async def outgoing_item(self, ready: outgoing.Outgoing, actor: str, repeatable: Repeatable) -> str:
        """The item. Raises Refused."""
        reference = await self._once(
            "outgoing-items",
            repeatable,
            lambda connection: outgoing.announce(connection, self.desk, ready, actor),
        )
        self.pump.wake([ready.locker])
        return reference

    async def enrol_staff(self, person: staff.Enrolment, repeatable: Repeatable) -> str:
        """The badge's digits, this once. Raises Refused, also for a repetition."""
        badges: list[str] = []

        def make(connection: Connection) -> str:
            badges.append(staff.enrol(connection, self.desk, person))
            return person.staff

        await self._once("staff", repeatable, make)
        self.pump.wake(person.lockers)
        if not badges:
            raise Refused(Refusal.SHOWN_ONCE, "this badge was shown already; enrol again for a new one")
        return badges[0]

    async def renew_staff(self) -> None:
        now_ms = self.desk.clock.wall_ms()
        self.pump.wake(await self.store.write(lambda connection: staff.renew(connection, now_ms)))

    async def _once(self, route: str, repeatable: Repeatable, make: Callable[[Connection], str]) -> str:
        now_ms = self.desk.clock.wall_ms()
        # Keyed: a plain digest of a body with a PIN or a phone in it could be searched.
        digest = hmac.new(self.desk.keys.seal.private, repeatable.body.encode(), hashlib.sha256).hexdigest()

        def work(connection: Connection) -> str:
            if not repeatable.key:
                return make(connection)
            where = [REPEAT.c.route == route, REPEAT.c.key == repeatable.key]
            before = connection.execute(select(REPEAT).where(*where)).first()
            if before and before.body_digest != digest:
                raise Refused(Refusal.KEY_REUSED, "this Idempotency-Key was used for another request")
            if before:
                return str(before.reference)
            reference = make(connection)
            connection.execute(
                REPEAT.insert().values(
                    route=route, key=repeatable.key, body_digest=digest, reference=reference, made_ms=now_ms
                )
            )
            return reference

        return await self.store.write(work)
