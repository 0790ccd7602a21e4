"""What the API and the console ask of complaints: one transaction each, journaled last."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.complaints import listing, ratings, register, solutions, work
from sync.central.complaints.ratings import Rated
from sync.central.complaints.register import Complaint, Origin
from sync.central.complaints.states import ACTION, Move, State
from sync.central.desk import Refusal, Refused
from sync.central.office import Office, Repeatable


@dataclass(frozen=True, slots=True)
class Room:
    office: Office

    async def register(self, told: Complaint, actor: Actor, origin: Origin, repeatable: Repeatable) -> str:
        """Its reference. Raises Refused."""
        desk = self.office.desk

        def make(connection: Connection) -> str:
            if told.locker:
                scope.locker_row(connection, actor, told.locker)
            elif not actor.sees(told.area):
                raise Refused(
                    Refusal.UNKNOWN_LOCKER, f"no locker stands in area {told.area!r}; name a locker"
                )
            reference = register.register(connection, desk, told, actor.who, origin)
            detail = {"category": told.category.value, "locker": told.locker, "case": told.case}
            audit.write(connection, desk.clock.wall_ms(), actor, Action.OPEN_TICKET, reference, detail)
            return reference

        return await self.office.once("complaints", actor, repeatable, make)

    async def move(self, complaint: str, move: Move, actor: Actor, note: str, assignee: str = "") -> State:
        """The state after it. Raises Refused."""
        desk = self.office.desk

        def make(connection: Connection) -> State:
            row = listing.one(connection, actor, complaint)
            taker = ""
            if move is Move.ASSIGN:
                taker = assignee or actor.who
                if taker not in listing.assignable(connection, row.area):
                    raise Refused(Refusal.NOT_ASSIGNABLE, "whoever takes it must work here, in this area")
            after = work.make(connection, desk, row, work.Step(move, actor.who, note, taker))
            detail = {"move": move.value, "state": after.value} | ({"to": taker} if taker else {})
            now_ms = desk.clock.wall_ms()
            reason = note if move is Move.GIVE_UP else ""
            audit.write(connection, now_ms, actor, ACTION[move], complaint, detail, reason=reason)
            return after

        return await self.office.store.write(make)

    async def number(self, complaint: str, actor: Actor) -> str:
        """Whom to call, in plain; empty where nobody knows. The look was journaled before. Raises Refused."""
        row = await self.office.store.read(lambda c: listing.one(c, actor, complaint))
        return self.office.desk.opened(row.contact_sealed).get("phone", "") if row.contact_sealed else ""

    async def publish(self, complaint: str, title: str, text: str, actor: Actor) -> str:
        """The solution. Raises Refused."""
        desk = self.office.desk

        def make(connection: Connection) -> str:
            row = listing.one(connection, actor, complaint)
            return solutions.publish(connection, desk, row, title, text, actor.who)

        return await self._published(make, actor, complaint)

    async def withdraw(self, solution: str, actor: Actor) -> None:
        """Raises Refused."""
        now_ms = self.office.desk.clock.wall_ms()

        def make(connection: Connection) -> str:
            solutions.withdraw(connection, solution, now_ms)
            return solution

        await self._published(make, actor, "withdrawn")

    async def rate(self, rated: Rated, grade: int, text: str, actor: Actor, repeatable: Repeatable) -> str:
        """The rating's number. Raises Refused."""
        desk = self.office.desk

        def make(connection: Connection) -> str:
            ratings.require_visible(connection, actor, rated)
            number = ratings.rate(connection, desk, rated, grade, text)
            detail: dict[str, str | int | bool] = {"kind": rated.kind, "grade": grade}
            now_ms = desk.clock.wall_ms()
            audit.write(connection, now_ms, actor, Action.RATE_VISIT, rated.reference, detail)
            return str(number)

        return await self.office.once("ratings", actor, repeatable, make)

    async def _published(self, make: Callable[[Connection], str], actor: Actor, about: str) -> str:
        now_ms = self.office.desk.clock.wall_ms()

        def work(connection: Connection) -> str:
            solution = make(connection)
            audit.write(connection, now_ms, actor, Action.PUBLISH_SOLUTION, solution, {"of": about})
            return solution

        return await self.office.store.write(work)
