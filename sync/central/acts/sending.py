"""Acts asked for, agreed to, sent once, and followed. What a locker tells of them: `sync.central.project`.

Nothing here is stored to be sent later, and nothing is ever sent twice: what a crash swallows between the
commit and the broker stays unknown until the locker tells otherwise.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, or_, select

from locker.domain.acts import ActKind
from sync import wire
from sync.central import store as rows
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.acts import approvals
from sync.central.acts.approvals import Asked, Signal, State, Thing
from sync.central.acts.moves import move
from sync.central.acts.tables import ACT, APPROVAL
from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.hello import TOLD
from sync.central.presence import Presence, presence
from sync.central.statement import Statement
from sync.central.store import Store
from sync.central.tables import COMPARTMENT, DEPOSIT, LOCKER

NONCE_BYTES: Final = 16
LOOK_MS: Final = 60_000
IDLE_MS: Final = 600_000
"""Where nothing waits: only another process could have asked for something without our hearing of it."""
LISTED_MAX: Final = 200

Say = Callable[[str, wire.Act], None]
"""Sign and publish to one locker."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a fleet operator asks for. ``door`` is 0 for what is about none."""

    locker: str
    kind: ActKind
    door: int
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """An act with those who have agreed to it, in the order in which they did."""

    row: Row[Any]
    approvers: tuple[str, ...]


class Acts:
    """`run` until cancelled; all else is asked by the API and the console."""

    def __init__(self, store: Store, desk: Desk, say: Say) -> None:
        self._store, self._desk, self._say = store, desk, say
        self._news = asyncio.Event()

    # --- people ---

    async def request(self, wish: Wish, actor: Actor) -> str:
        """The act; it waits for two others. Raises Refused."""
        act, nonce = self._desk.chance.new_id(), self._desk.chance.random_bytes(NONCE_BYTES).hex()
        now_ms = self._desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            scope.locker_row(connection, actor, wish.locker)
            _require_fit(connection, wish)
            case = _case_behind(connection, wish)
            values = {
                "act": act,
                "locker": wish.locker,
                "kind": wish.kind.value,
                "door": wish.door,
                "reason": wish.reason,
                "nonce": nonce,
                "case_number": case,
                "requested_by": actor.who,
                "requested_ms": now_ms,
                "agreed_ms": 0,
                "aseq": 0,
                "state": State.QUEUED.value,
                "why": "",
                "since_ms": now_ms,
            }
            connection.execute(ACT.insert().values(values))
            detail = {"locker": wish.locker, "what": wish.kind.value, "door": wish.door}
            _note_case(connection, case, "act_requested", act, actor.who, now_ms, detail)
            audit.write(connection, now_ms, actor, Action.ASK_REMOTE_OPEN, act, detail, reason=wish.reason)

        await self._store.write(work)
        self._news.set()
        return act

    async def approve(self, act: str, thing: Thing, actor: Actor) -> View:
        """One person's word; the second one sends it, or says why it is not sent. Raises Refused."""
        now_ms = self._desk.clock.wall_ms()

        def work(connection: Connection) -> wire.Act | None:
            view = self._seen(connection, act, actor)
            asked = _asked(view)
            if no := approvals.objection(asked, actor.who, thing, now_ms):
                raise Refused(Refusal.NOT_APPROVABLE, approvals.REMEDY[no])
            connection.execute(APPROVAL.insert().values(act=act, who=actor.who, at_ms=now_ms))
            approvers = (*view.approvers, actor.who)
            said = None
            if approvals.complete(approvers):
                said = _send(connection, view.row, approvers, now_ms)
            row = view.row
            detail = {"locker": row.locker, "door": row.door, "sent": said is not None}
            _note_case(connection, row.case_number, "act_approved", act, actor.who, now_ms, detail)
            audit.write(connection, now_ms, actor, Action.APPROVE_REMOTE_OPEN, act, detail)
            return said

        said = await self._store.write(work)
        if said is not None:
            self._say(said.locker, said)
        self._news.set()
        return await self.one(act, actor)

    async def one(self, act: str, actor: Actor) -> View:
        """Raises Refused."""
        return await self._store.read(lambda connection: self._seen(connection, act, actor))

    async def listed(self, actor: Actor, locker: str, limit: int = LISTED_MAX) -> list[View]:
        """The latest first; of one locker, or of all that this actor sees."""

        def work(connection: Connection) -> list[View]:
            query = select(ACT).order_by(ACT.c.requested_ms.desc(), ACT.c.act).limit(limit)
            if locker:
                scope.locker_row(connection, actor, locker)
                query = query.where(ACT.c.locker == locker)
            elif (mine := scope.lockers_of(connection, actor)) is not None:
                query = query.where(ACT.c.locker.in_(sorted(mine)))
            found = connection.execute(query).all()
            return [View(row, _approvers(connection, row.act)) for row in found]

        return await self._store.read(work)

    def _seen(self, connection: Connection, act: str, actor: Actor) -> View:
        row = rows.find(connection, ACT, {"act": act})
        if row is None:
            raise Refused(Refusal.UNKNOWN_ACT, "no such act")
        try:
            scope.locker_row(connection, actor, row.locker)
        except Refused:
            raise Refused(Refusal.UNKNOWN_ACT, "no such act") from None
        return View(row, _approvers(connection, act))

    # --- time ---

    async def run(self) -> None:
        while True:
            await self._desk.clock.wait(self._news, await self.step())

    async def step(self) -> int:
        """End what has waited too long; milliseconds until the next one has."""
        now_ms = self._desk.clock.wall_ms()
        waiting = await self._store.read(_waiting)
        left = {row.act: _left_ms(row, now_ms) for row in waiting}
        if any(ms <= 0 for ms in left.values()):
            await self._store.write(lambda connection: _end_what_is_over(connection, now_ms))
        return min([LOOK_MS, *(ms for ms in left.values() if ms > 0)]) if waiting else IDLE_MS


# --- in a transaction ---------------------------------------------------------------------------------------


def _send(connection: Connection, row: Row[Any], approvers: Sequence[str], now_ms: int) -> wire.Act | None:
    """What is to be said once this is durable; None where its locker cannot be told now, or should not."""
    rows.change(connection, ACT, {"act": row.act}, {"agreed_ms": now_ms})
    locker = rows.find(connection, LOCKER, {"locker": row.locker})
    if locker is None or presence(locker, now_ms) is not Presence.ONLINE:
        move(connection, row, Signal.REFUSE, now_ms, "locker_offline")
        return None
    if locker.link_reason in TOLD:
        move(connection, row, Signal.REFUSE, now_ms, "history_doubted")
        return None
    highest = connection.execute(select(func.max(ACT.c.aseq)).where(ACT.c.locker == row.locker)).scalar()
    aseq = max(highest or 0, now_ms) + 1
    rows.change(connection, ACT, {"act": row.act}, {"aseq": aseq})
    move(connection, row, Signal.SEND, now_ms)
    return wire.Act(
        locker=row.locker,
        aseq=aseq,
        cmd_id=row.act,
        act=row.kind,
        door=row.door,
        reason=row.reason,
        approvers=tuple(approvers),
        nonce=row.nonce,
        agreed=now_ms,
        ttl=approvals.TTL_MS,
    )


def _require_fit(connection: Connection, wish: Wish) -> None:
    """Raises Refused."""
    if problem := approvals.unfit_reason(wish.reason):
        raise Refused(Refusal.UNFIT, problem)
    if wish.kind is ActKind.OPEN:
        row = rows.find(connection, COMPARTMENT, {"locker": wish.locker, "number": wish.door})
        if row is None or not row.configured:
            raise Refused(Refusal.UNFIT, f"{wish.locker} has no door {wish.door}")
    elif wish.door:
        raise Refused(Refusal.UNFIT, "a self-test is about no single door; leave it out")


def _case_behind(connection: Connection, wish: Wish) -> str:
    joined = COMPARTMENT.join(
        DEPOSIT, (DEPOSIT.c.locker == COMPARTMENT.c.locker) & (DEPOSIT.c.deposit == COMPARTMENT.c.deposit)
    )
    where = [COMPARTMENT.c.locker == wish.locker, COMPARTMENT.c.number == wish.door]
    return str(
        connection.execute(select(DEPOSIT.c.case_number).select_from(joined).where(*where)).scalar() or ""
    )


def _note_case(
    connection: Connection,
    case: str,
    kind: str,
    act: str,
    who: str,
    now_ms: int,
    detail: dict[str, str | int | bool],
) -> None:
    if case:
        note(connection, case, kind, act, who, now_ms, **detail)


def _asked(view: View) -> Asked:
    row = view.row
    thing = Thing(row.locker, row.door, row.reason, row.nonce)
    return Asked(thing, row.requested_by, row.requested_ms, State(row.state), view.approvers)


def _approvers(connection: Connection, act: str) -> tuple[str, ...]:
    return tuple(row.who for row in _APPROVED.all(connection, {"act": act}))


_APPROVED: Final = Statement(
    select(APPROVAL.c.who)
    .where(APPROVAL.c.act == bindparam("act"))
    .order_by(APPROVAL.c.at_ms, APPROVAL.c.who)
)

_WAIT: Final = Statement(
    select(ACT).where(or_(*(ACT.c.state == state.value for state in sorted(approvals.WAITING))))
)


def _waiting(connection: Connection) -> Sequence[Row[Any]]:
    return _WAIT.all(connection, {})


def _left_ms(row: Row[Any], now_ms: int) -> int:
    state = State(row.state)
    is_test = row.kind == ActKind.SELF_TEST
    return int(row.since_ms) + approvals.patience_ms(state, is_test=is_test) - now_ms


def _end_what_is_over(connection: Connection, now_ms: int) -> None:
    for row in _waiting(connection):
        if _left_ms(row, now_ms) <= 0:
            move(connection, row, approvals.time_over(State(row.state)), now_ms, "time_over")
