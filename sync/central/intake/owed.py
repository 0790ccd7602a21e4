"""Papers that are owed to a case: asked for once, topped up, checked, extended. In a transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.compartment import Size
from locker.domain.events import PapersDue
from locker.domain.ids import AuthorisationId
from sync.central import cases, messages, store
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.directives import append
from sync.central.intake import decisions, said, stages, words
from sync.central.intake.stages import Kind, Paper, Signal, Standing, State, Verdict
from sync.central.intake.tables import OWED, TOP_UP
from sync.central.tables import AUTHORISATION
from sync.central.windows import departments


@dataclass(frozen=True, slots=True)
class Promise:
    """The applicant's commitment in writing. ``how``: ``signed`` or ``online``; ``where`` it is kept."""

    by: str
    how: str
    where: str


@dataclass(frozen=True, slots=True)
class Ask:
    """``promise`` for deferred papers, and for them only."""

    case: str
    papers: tuple[Paper, ...]
    consequence: str
    again: str = ""
    promise: Promise | None = None
    department: str = ""
    """In whose name, by id or name; empty: whom the case is with."""

    @property
    def kind(self) -> Kind:
        return Kind.DEFERRED if self.promise else Kind.SUPPLEMENT


@dataclass(frozen=True, slots=True)
class Place:
    """Where, and for how long, papers may be handed in."""

    locker: str
    size: Size
    valid_hours: int


def request(connection: Connection, desk: Desk, actor: Actor, ask: Ask) -> str:
    """Its reference; the applicant is told. Raises Refused."""
    right = decisions.right_of(connection, actor, ask.case)
    now_ms = desk.clock.wall_ms()
    for paper in ask.papers:
        _require_ahead(paper.until_ms, now_ms)
    _require_first(connection, right, ask)
    reference = desk.chance.new_id()
    if ask.department:
        department = departments.give(connection, actor, right.area, ask.case, ask.department, now_ms)
    else:
        department = departments.of_case(connection, right.area, ask.case)
    values: dict[str, Any] = {
        "owed": reference,
        "kind": ask.kind.value,
        "area": right.area,
        "case_number": ask.case,
        "authorisation": right.authorisation,
        "locker": right.locker,
        "service_item": right.service_item,
        "name": right.name,
        "state": State.REQUESTED.value,
        "since_ms": now_ms,
        "papers": stages.written(ask.papers),
        "deadline_ms": stages.deadline_ms(ask.papers),
        "consequence": ask.consequence,
        "again": ask.again,
        "department": department,
        "reminded_ms": now_ms,
        "made_by": actor.who,
        "made_ms": now_ms,
    }
    if ask.promise:
        values |= {
            "promised_by": ask.promise.by,
            "promised_how": ask.promise.how,
            "promise": ask.promise.where,
        }
    connection.execute(OWED.insert().values(values))
    if not ask.promise:
        decisions.put(connection, right.area, ask.case, Standing.MISSING, actor, now_ms)
    row = owed_row(connection, actor, reference)
    template = words.DEFERRED_PROMISED if ask.promise else words.SUPPLEMENT_REQUESTED
    _note(connection, row, template, actor, now_ms, papers=words.names(ask.papers), until_ms=row.deadline_ms)
    tell(connection, desk, row, template)
    _tell_lockers(connection, reference, now_ms)
    detail: dict[str, str | int | bool] = {"case": ask.case, "kind": ask.kind.value, "count": len(ask.papers)}
    audit.write(connection, now_ms, actor, Action.CHECK_CASE, reference, detail)
    return reference


def _require_first(connection: Connection, right: Row[Any], ask: Ask) -> None:
    """That everything is asked for once, and promised before acceptance. Raises Refused."""
    standing = decisions.standing_of(connection, right.area, ask.case)
    if ask.promise and standing in {Standing.ACCEPTED, Standing.RETURNED, Standing.REJECTED}:
        raise Refused(Refusal.NOT_NOW, f"the case is {standing}; a commitment comes before acceptance")
    if ask.promise is None and not stages.fits(standing, Verdict.MISSING):
        raise Refused(Refusal.NOT_NOW, f"the case is {standing}; nothing is asked for in it any more")
    own = OWED.c
    where = [own.area == right.area, own.case_number == ask.case, own.kind == ask.kind.value]
    before = connection.execute(select(own.state).where(*where)).scalars().all()
    if any(State(state) in stages.OPEN for state in before):
        raise Refused(Refusal.ASKED_ALREADY, "papers are asked for in this case; decide about those first")
    if before and not ask.again:
        raise Refused(Refusal.ASKED_ALREADY, "everything missing is asked for once; say why again")


def top_up(connection: Connection, desk: Desk, actor: Actor, owed: str, place: Place) -> str:
    """A right to hand in what still lacks: an authorisation on the same case. Raises Refused."""
    row = owed_row(connection, actor, owed)
    after(row, Signal.TOP_UP)
    scope.locker_row(connection, actor, place.locker)
    contact = contact_of(connection, row)
    if not contact:
        raise Refused(Refusal.NO_CONTACT, "no phone is known for this case; enter its pre-review again")
    papers = stages.lacking(stages.read(row.papers))
    passed = cases.PreReview(
        case=row.case_number,
        service_item=row.service_item,
        papers=tuple(paper.name for paper in papers),
        deferred=(),
        size=place.size,
        # The name is masked already, and masking it again changes nothing.
        applicant=cases.Person(row.name, desk.opened(contact)["phone"]),
        locker=place.locker,
        valid_hours=place.valid_hours,
    )
    reference = cases.authorise(connection, desk, passed, actor.who, "top_up_authorised")
    now_ms = desk.clock.wall_ms()
    connection.execute(TOP_UP.insert().values(authorisation=reference, owed=owed, made_ms=now_ms, came_ms=0))
    append(connection, place.locker, PapersDue(AuthorisationId(reference), row.deadline_ms), now_ms)
    audit.write(
        connection, now_ms, actor, Action.AUTHORISE, reference, {"owed": owed, "locker": place.locker}
    )
    return reference


def check(connection: Connection, desk: Desk, actor: Actor, owed: str, in_order: Collection[int]) -> None:
    """The window looked at what came: papers ``in_order``, numbered from 1. Raises Refused."""
    row = owed_row(connection, actor, owed)
    now_ms = desk.clock.wall_ms()
    after(row, Signal.CHECK)
    papers = stages.with_in_order(stages.read(row.papers), in_order)
    lacking = stages.lacking(papers)
    values: dict[str, Any] = {"papers": stages.written(papers), "deadline_ms": stages.deadline_ms(papers)}
    if not lacking:
        values |= {"state": State.CHECKED.value, "since_ms": now_ms}
    store.change(connection, OWED, {"owed": owed}, values)
    _note(connection, row, "owed_checked", actor, now_ms, lacking=words.names(lacking), count=len(lacking))
    if not lacking and row.kind == Kind.SUPPLEMENT:
        standing = decisions.standing_of(connection, row.area, row.case_number)
        if stages.fits(standing, Verdict.COMPLETE):
            decisions.put(connection, row.area, row.case_number, Standing.COMPLETE, actor, now_ms)
    audit.write(connection, now_ms, actor, Action.CHECK_CASE, owed, {"lacking": len(lacking)})


def extend(connection: Connection, desk: Desk, actor: Actor, owed: str, until_ms: int, reason: str) -> None:
    """More time for what still lacks; the applicant is told. Raises Refused."""
    row = owed_row(connection, actor, owed)
    now_ms = desk.clock.wall_ms()
    state = after(row, Signal.EXTEND)
    _require_ahead(until_ms, now_ms)
    if until_ms <= row.deadline_ms:
        raise Refused(Refusal.BAD_DAY, "it is due then already; choose a later day")
    papers = stages.with_longer(stages.read(row.papers), until_ms)
    values = {
        "state": state.value,
        "since_ms": now_ms,
        "papers": stages.written(papers),
        "deadline_ms": stages.deadline_ms(papers),
        "reminded_ms": now_ms,
        "reason": reason,
    }
    store.change(connection, OWED, {"owed": owed}, values)
    row = owed_row(connection, actor, owed)
    _note(connection, row, "owed_extended", actor, now_ms, until_ms=row.deadline_ms, reason=reason)
    tell(connection, desk, row, words.OWED_EXTENDED)
    _tell_lockers(connection, owed, now_ms)
    audit.write(connection, now_ms, actor, Action.DECIDE_CASE, owed, {"case": row.case_number}, reason=reason)


# --- for the rest of the room -------------------------------------------------------------------------------


def owed_row(connection: Connection, actor: Actor, owed: str) -> Row[Any]:
    """Raises Refused."""
    where = [OWED.c.owed == owed, decisions.sees_area(actor, OWED.c.area)]
    row = connection.execute(select(OWED).where(*where)).first()
    if row is None:
        raise Refused(Refusal.UNKNOWN_OWED, "no such supplement request or deferral")
    return row


def _tell_lockers(connection: Connection, owed: str, now_ms: int) -> None:
    """Whoever stands there sees by when the rest is to come."""
    for locker, says in said.of(connection, owed, now_ms):
        append(connection, locker, says, now_ms)


def after(row: Row[Any], signal: Signal) -> State:
    """What a signal makes of it. Raises Refused where it makes nothing."""
    state = State(row.state)
    if not stages.may(state, signal):
        raise Refused(Refusal.NOT_NOW, f"it is {state}: {_REMEDY.get(signal, 'nothing is to be done')}")
    return stages.NEXT[state, signal]


_REMEDY: Final = {
    Signal.TOP_UP: "nothing can be handed in for it any more",
    Signal.CHECK: "nothing of it is to be checked any more",
    Signal.EXTEND: "it is over",
    Signal.RETURN: "the applicant has until the deadline; wait, or extend it",
    Signal.REJECT: "the applicant has until the deadline; wait, or extend it",
}


def tell(connection: Connection, desk: Desk, row: Row[Any], template: str) -> None:
    """The applicant: what lacks, and until when."""
    messages.say(
        connection,
        desk,
        template=template,
        case=row.case_number,
        subject=row.authorisation,
        contact_sealed=contact_of(connection, row),
        locker=row.locker,
        variables={
            "kind": row.kind,
            "service_item": row.service_item,
            "papers": words.names(stages.lacking(stages.read(row.papers))),
            "deadline_ms": row.deadline_ms,
            "consequence": row.consequence,
        },
    )


def contact_of(connection: Connection, row: Row[Any]) -> str:
    """Sealed; empty where no phone is known."""
    named = AUTHORISATION.c.authorisation == row.authorisation
    return str(connection.execute(select(AUTHORISATION.c.sealed).where(named)).scalar() or "")


def _require_ahead(until_ms: int, now_ms: int) -> None:
    if not now_ms < until_ms <= now_ms + stages.LONGEST_MS:
        raise Refused(Refusal.BAD_DAY, "choose a day from today on, at most a year ahead")


def _note(
    connection: Connection, row: Row[Any], kind: str, actor: Actor, now_ms: int, **detail: str | int | bool
) -> None:
    about = {"locker": row.locker, "owed": row.kind, **detail}
    note(connection, row.case_number, kind, row.owed, actor.who, now_ms, **about)
