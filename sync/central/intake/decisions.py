"""What the window finds and what the case officer decides, in a transaction."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, select, true

from sync.central import messages, store
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.intake import stages, words
from sync.central.intake.stages import Kind, Signal, Standing, State, Verdict
from sync.central.intake.tables import OWED, STANDING
from sync.central.outgoing import BETWEEN
from sync.central.tables import AUTHORISATION, LOCKER

_KINDS = {Verdict.ACCEPT: "case_accepted", Verdict.RETURN: "case_returned", Verdict.REJECT: "case_rejected"}
_ENDS = {Verdict.RETURN: Signal.RETURN, Verdict.REJECT: Signal.REJECT}


def find(connection: Connection, desk: Desk, actor: Actor, case: str, finding: Verdict, remark: str) -> None:
    """The window's own check of what a helper brought. Raises Refused."""
    right, now_ms = right_of(connection, actor, case), desk.clock.wall_ms()
    standing = _becomes(connection, right, case, finding)
    put(connection, right.area, case, standing, actor, now_ms, remark)
    detail = {"locker": right.locker, "finding": finding.value, **({"remark": remark} if remark else {})}
    note(connection, case, "case_checked", right.authorisation, actor.who, now_ms, **detail)
    told: dict[str, str | int | bool] = {"finding": finding.value, "locker": right.locker}
    audit.write(connection, now_ms, actor, Action.CHECK_CASE, case, told, reason=remark)


def decide(
    connection: Connection,
    desk: Desk,
    actor: Actor,
    case: str,
    verdict: Verdict,
    reason: str,
    came: Collection[str] = (),
) -> None:
    """Accept, return or reject; the applicant is told. Raises Refused.

    ``came``: papers that could have followed later and were there after all.
    """
    right, now_ms = right_of(connection, actor, case), desk.clock.wall_ms()
    standing = _becomes(connection, right, case, verdict)
    owed = _open(connection, right.area, case)
    if verdict is Verdict.ACCEPT:
        _require_ready(connection, right, case, owed, came)
    else:
        _end(connection, owed, verdict, reason, now_ms)
    put(connection, right.area, case, standing, actor, now_ms, reason)
    detail = {"locker": right.locker, **({"reason": reason} if reason else {})}
    if came:
        detail["came"] = BETWEEN.join(sorted(came))
    note(connection, case, _KINDS[verdict], right.authorisation, actor.who, now_ms, **detail)
    messages.say(
        connection,
        desk,
        template=words.CASE_DECIDED,
        case=case,
        subject=right.authorisation,
        contact_sealed=right.sealed,
        locker=right.locker,
        variables={"decision": standing.value, "reason": reason, "service_item": right.service_item},
    )
    told: dict[str, str | int | bool] = {"decision": standing.value, "locker": right.locker}
    audit.write(connection, now_ms, actor, Action.DECIDE_CASE, case, told, reason=reason)


def _becomes(connection: Connection, right: Row[Any], case: str, verdict: Verdict) -> Standing:
    standing = standing_of(connection, right.area, case)
    if not stages.fits(standing, verdict):
        remedy = "check it first" if verdict is Verdict.ACCEPT else "that is over"
        raise Refused(Refusal.NOT_NOW, f"the case is {standing}: {remedy}")
    return stages.BECOMES[standing, verdict]


def _require_ready(
    connection: Connection, right: Row[Any], case: str, owed: Iterable[Row[Any]], came: Collection[str]
) -> None:
    """That nothing asked for lacks, and what comes later is promised. Raises Refused."""
    if any(row.kind == Kind.SUPPLEMENT for row in owed):
        raise Refused(Refusal.NOT_NOW, "papers are still asked for in this case; check them first")
    missing = deferred_in(connection, right.area, case) - set(came) - _promised(connection, right.area, case)
    if missing:
        names = BETWEEN.join(sorted(missing))
        raise Refused(Refusal.NO_COMMITMENT, f"record the applicant's written commitment first: {names}")


def _end(
    connection: Connection, owed: Iterable[Row[Any]], verdict: Verdict, reason: str, now_ms: int
) -> None:
    """With the case ends what it was asked for: not before its deadline. Raises Refused."""
    for row in owed:
        pair = (State(row.state), _ENDS[verdict])
        if pair not in stages.NEXT:
            raise Refused(Refusal.NOT_NOW, "the applicant has until the deadline to bring what is owed")
        values = {"state": stages.NEXT[pair].value, "since_ms": now_ms, "reason": reason}
        store.change(connection, OWED, {"owed": row.owed}, values)


# --- what is known of a case --------------------------------------------------------------------------------


def right_of(connection: Connection, actor: Actor, case: str) -> Row[Any]:
    """The case's latest authorisation that exists for this actor, with its area. Raises Refused."""
    own = AUTHORISATION.c
    query = (
        select(AUTHORISATION, LOCKER.c.area)
        .join(LOCKER, LOCKER.c.locker == own.locker)
        .where(own.case_number == case, scope.sees(actor, own.locker))
        .order_by(own.made_ms.desc(), own.authorisation)
    )
    row = connection.execute(query.limit(1)).first()
    if row is None:
        raise Refused(Refusal.UNKNOWN_CASE, f"nothing is known of case {case!r}")
    return row


def standing_of(connection: Connection, area: str, case: str) -> Standing:
    row = store.find(connection, STANDING, {"area": area, "case_number": case})
    return Standing(row.standing) if row else Standing.UNDECIDED


def put(
    connection: Connection,
    area: str,
    case: str,
    standing: Standing,
    actor: Actor,
    now_ms: int,
    remark: str = "",
) -> None:
    values = {"standing": standing.value, "remark": remark, "who": actor.who, "at_ms": now_ms}
    store.put(connection, STANDING, {"area": area, "case_number": case}, values)


def deferred_in(connection: Connection, area: str, case: str) -> set[str]:
    """Papers that pre-review let follow later."""
    own = AUTHORISATION.c
    query = select(own.deferred).join(LOCKER, LOCKER.c.locker == own.locker)
    texts = connection.execute(query.where(own.case_number == case, LOCKER.c.area == area)).scalars()
    return {paper for text in texts for paper in json.loads(text)}


def _promised(connection: Connection, area: str, case: str) -> set[str]:
    own = OWED.c
    where = [own.area == area, own.case_number == case, own.kind == Kind.DEFERRED.value]
    texts = connection.execute(select(own.papers).where(*where)).scalars()
    return {paper.name for text in texts for paper in stages.read(text)}


def _open(connection: Connection, area: str, case: str) -> list[Row[Any]]:
    own = OWED.c
    found = connection.execute(select(OWED).where(own.area == area, own.case_number == case)).all()
    return [row for row in found if State(row.state) in stages.OPEN]


def sees_area(actor: Actor, column: Any) -> Any:
    """A condition on a column of areas: those that exist for this actor."""
    return true() if actor.sees_all else column.in_(sorted(actor.areas))
