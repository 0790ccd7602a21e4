"""What the API and the console ask for: one transaction each, journaled, then the lockers are told."""

from dataclasses import dataclass

from sqlalchemy import Connection

from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.office import Office, Repeatable
from sync.central.pickups import agents, codes, holds, rights


@dataclass(frozen=True, slots=True)
class Pickups:
    """Each raises Refused."""

    office: Office

    async def reissue(self, lost: codes.Lost, actor: Actor, repeatable: Repeatable) -> str:
        """The order."""

        def work(connection: Connection) -> str:
            row = scope.item_row(connection, actor, lost.item)
            order = codes.reissue(connection, self.office.desk, lost, actor.who)
            detail = {"case": row.case_number, "locker": row.locker, "stolen": lost.stolen}
            self._journal(connection, actor, Action.REISSUE_CODE, lost.item, detail, lost.reason)
            return order

        order = await self.office.once("reissues", actor, repeatable, work)
        row = await self.office.store.read(lambda c: codes.one(c, order))
        self.office.pump.wake([row.locker])
        return order

    async def entrust(self, wanted: agents.Entrusting, actor: Actor, repeatable: Repeatable) -> str:
        """The entrustment."""

        def work(connection: Connection) -> str:
            row = scope.item_row(connection, actor, wanted.item)
            made = agents.entrust(connection, self.office.desk, wanted, actor.who)
            detail = {"case": row.case_number, "locker": row.locker, "entrustment": made}
            self._journal(connection, actor, Action.ENTRUST, wanted.item, detail)
            return made

        made = await self.office.once("entrustments", actor, repeatable, work)
        row = await self.office.store.read(lambda c: agents.one(c, wanted.item, made))
        self.office.pump.wake([row.locker])
        return made

    async def end(self, item: str, entrustment: str, reason: str, actor: Actor) -> None:
        def work(connection: Connection) -> str:
            scope.item_row(connection, actor, item)
            row = agents.end(connection, self.office.desk, item, entrustment, reason, actor.who)
            detail = {"case": row.case_number, "entrustment": entrustment, "what": "end"}
            self._journal(connection, actor, Action.ENTRUST, item, detail, reason)
            return str(row.locker)

        self.office.pump.wake([await self.office.store.write(work)])

    async def hold(self, item: str, hold_days: int, actor: Actor) -> None:
        def work(connection: Connection) -> str:
            scope.item_row(connection, actor, item)
            row = holds.extend(connection, self.office.desk, item, hold_days, actor.who)
            detail = {"case": row.case_number, "hold_days": hold_days}
            self._journal(connection, actor, Action.CHANGE_ITEM, item, detail)
            return str(row.locker)

        self.office.pump.wake([await self.office.store.write(work)])

    async def recall(self, item: str, reason: str, actor: Actor) -> None:
        def work(connection: Connection) -> str:
            scope.item_row(connection, actor, item)
            row = holds.recall(connection, self.office.desk, item, reason, actor.who)
            detail = {"case": row.case_number, "what": "recall"}
            self._journal(connection, actor, Action.CHANGE_ITEM, item, detail, reason)
            return str(row.locker)

        self.office.pump.wake([await self.office.store.write(work)])

    async def extend(self, authorisation: str, valid_hours: int, actor: Actor) -> None:
        def work(connection: Connection) -> str:
            scope.authorisation_row(connection, actor, authorisation)
            row = rights.extend(connection, self.office.desk, authorisation, valid_hours, actor.who)
            detail = {"case": row.case_number, "valid_hours": valid_hours}
            self._journal(connection, actor, Action.CHANGE_AUTHORISATION, authorisation, detail)
            return str(row.locker)

        self.office.pump.wake([await self.office.store.write(work)])

    async def revoke(self, authorisation: str, reason: str, actor: Actor) -> None:
        def work(connection: Connection) -> list[str]:
            row = scope.authorisation_row(connection, actor, authorisation)
            told = rights.revoke(connection, self.office.desk, authorisation, reason, actor.who)
            detail = {"case": row.case_number, "what": "revoke"}
            self._journal(connection, actor, Action.CHANGE_AUTHORISATION, authorisation, detail, reason)
            return told

        self.office.pump.wake(await self.office.store.write(work))

    def _journal(
        self,
        connection: Connection,
        actor: Actor,
        action: Action,
        subject: str,
        detail: dict[str, str | int | bool],
        reason: str = "",
    ) -> None:
        audit.write(
            connection, self.office.desk.clock.wall_ms(), actor, action, subject, detail, reason=reason
        )
