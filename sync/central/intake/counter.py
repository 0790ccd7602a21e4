"""What the API and the console ask of this room: one transaction each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sync.central import masks
from sync.central.access.actor import Actor
from sync.central.intake import decisions, models, owed, said
from sync.central.intake.owed import Ask, Place, Promise
from sync.central.intake.stages import DAY_MS, Paper, Verdict
from sync.central.office import Office, Repeatable


@dataclass(frozen=True, slots=True)
class Counter:
    office: Office

    def supplement(self, case: str, body: models.MissingIn) -> Ask:
        until_ms = self.end_of(body.until)
        papers = tuple(Paper(paper.name, until_ms, paper.why) for paper in body.papers)
        return Ask(case, papers, body.consequence, body.again, department=body.department)

    def deferral(self, case: str, body: models.DeferralIn) -> Ask:
        papers = tuple(Paper(paper.name, self.end_of(paper.until)) for paper in body.papers)
        said = body.commitment
        promise = Promise(masks.name(said.by), said.how, said.where)
        return Ask(case, papers, body.consequence, body.again, promise, body.department)

    async def request(self, ask: Ask, actor: Actor, repeatable: Repeatable) -> str:
        """Its reference. Raises Refused."""
        desk = self.office.desk
        route = f"{ask.kind}s"
        made = await self.office.once(route, actor, repeatable, lambda c: owed.request(c, desk, actor, ask))
        await self._wake(made)
        return made

    async def top_up(self, reference: str, place: Place, actor: Actor, repeatable: Repeatable) -> str:
        """The authorisation. Raises Refused."""
        desk = self.office.desk
        made = await self.office.once(
            "top-ups", actor, repeatable, lambda c: owed.top_up(c, desk, actor, reference, place)
        )
        self.office.pump.wake([place.locker])
        return made

    async def check(self, reference: str, in_order: Collection[int], actor: Actor) -> None:
        """Raises Refused."""
        desk = self.office.desk
        await self.office.store.write(lambda c: owed.check(c, desk, actor, reference, in_order))

    async def extend(self, reference: str, until: str, reason: str, actor: Actor) -> None:
        """Raises Refused."""
        desk, until_ms = self.office.desk, self.end_of(until)
        await self.office.store.write(lambda c: owed.extend(c, desk, actor, reference, until_ms, reason))
        await self._wake(reference)

    async def _wake(self, reference: str) -> None:
        """The lockers that are told by when its papers are to come."""
        now_ms = self.office.desk.clock.wall_ms()
        told = await self.office.store.read(lambda c: said.of(c, reference, now_ms))
        self.office.pump.wake({locker for locker, _ in told})

    async def find(self, case: str, finding: Verdict, remark: str, actor: Actor) -> None:
        """Raises Refused."""
        desk = self.office.desk
        await self.office.store.write(lambda c: decisions.find(c, desk, actor, case, finding, remark))

    async def decide(
        self, case: str, verdict: Verdict, reason: str, came: Collection[str], actor: Actor
    ) -> None:
        """Raises Refused."""
        desk = self.office.desk
        await self.office.store.write(lambda c: decisions.decide(c, desk, actor, case, verdict, reason, came))

    # --- days ---

    def end_of(self, day: str) -> int:
        """The last moment of a day, as people at the hub count days."""
        begin = datetime.combine(date.fromisoformat(day), time(), UTC)
        return int(begin.timestamp() * 1000) - self.office.desk.utc_offset_minutes * 60_000 + DAY_MS - 1

    def day_of(self, wall_ms: int) -> str:
        local = datetime.fromtimestamp(wall_ms / 1000, UTC) + timedelta(
            minutes=self.office.desk.utc_offset_minutes
        )
        return local.date().isoformat()

    def workday_in(self, days: int) -> str:
        """So many working days from today."""
        desk = self.office.desk
        return desk.workdays.after(date.fromisoformat(self.day_of(desk.clock.wall_ms())), days).isoformat()

    def day_in(self, days: int) -> str:
        """So many days from today."""
        return self.day_of(self.office.desk.clock.wall_ms() + days * DAY_MS)
