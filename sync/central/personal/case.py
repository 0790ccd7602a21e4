"""What a person sees of their own case: steps in their words, what lacks, where to go. Never who did it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.deposit import ENDED, Kind, Phase
from sync.central.cases import state_of
from sync.central.complaints import ratings
from sync.central.complaints.tables import COMPLAINT
from sync.central.intake import lists, stages
from sync.central.intake.tables import STANDING
from sync.central.notices import TRUSTED
from sync.central.personal.link import About
from sync.central.personal.link import Kind as Page
from sync.central.store import find
from sync.central.tables import AUTHORISATION, DEPOSIT, LOCKER, OUTGOING_ITEM

DAY_MS: Final = 86_400_000
ENDS_AFTER_MS: Final = 14 * DAY_MS
"""After the case ended: as long as what is personal in it is kept at a locker (14 days), and
long enough to complain."""
UNFINISHED_MS: Final = 180 * DAY_MS
"""A case that never ends here: its result went another way. No procedure of a hall takes longer."""


@dataclass(frozen=True, slots=True)
class Step:
    """``name`` is a word of [step]. ``at_ms``: 0 where no good clock told it."""

    name: str
    done: bool
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Lacking:
    """Papers that are still owed."""

    kind: str
    papers: tuple[str, ...]
    deadline_ms: int
    consequence: str
    overdue: bool
    links: tuple[str, ...]
    """Authorisations by which they may be handed in."""


@dataclass(frozen=True, slots=True)
class View:
    about: About
    case: str
    service_item: str
    name: str
    sealed: str
    locker: str
    area: str
    size: str
    papers: tuple[str, ...]
    deferred: tuple[str, ...]
    steps: tuple[Step, ...]
    lacking: tuple[Lacking, ...]
    receipt: str
    state: str
    """Of an authorisation: see `cases.state_of`."""
    until_ms: int
    may_hand_in: bool
    """Nothing was handed in yet: its code opens vacant compartments only, and may be shown."""
    waits_for_pickup: bool
    grade: int
    may_rate: bool


def look(connection: Connection, about: About, now_ms: int) -> View | None:
    """None where there is nothing to see any more."""
    table, key = (
        (AUTHORISATION, "authorisation") if about.kind is Page.AUTHORISATION else (OUTGOING_ITEM, "item")
    )
    row = find(connection, table, {key: about.reference})
    if row is None or not row.sealed:  # what was personal in it is gone: see `sync.central.forgetting`
        return None
    rights = [row] if about.kind is Page.AUTHORISATION else []
    stays = _stays(connection, row.case_number)
    items = _of_case(connection, OUTGOING_ITEM, row.case_number)
    if about.kind is Page.ITEM:
        items = [row]
    own = [stay for stay in stays if getattr(stay, key) == about.reference]
    area = find(connection, LOCKER, {"locker": row.locker})
    standing = _standing(connection, row.case_number)
    lacking = _lacking(connection, about, now_ms) if rights else ()
    if _is_over(rights, stays, items, standing, lacking, now_ms):
        return None
    rated = ratings.Rated(about.kind.value, about.reference)
    return View(
        about=about,
        case=row.case_number,
        service_item=row.service_item,
        name=row.name,
        sealed=row.sealed,
        locker=own[-1].locker if own else row.locker,
        area=area.area if area else "",
        size=row.size,
        papers=tuple(json.loads(row.papers)) if rights else tuple(json.loads(row.results)),
        deferred=tuple(json.loads(row.deferred)) if rights else (),
        steps=_steps(rights, own if rights else [], items, stays, standing),
        lacking=lacking,
        receipt=own[-1].receipt if rights and own else "",
        state=state_of(row, now_ms) if rights else row.state,
        until_ms=row.valid_until_ms,
        may_hand_in=bool(rights) and not own and state_of(row, now_ms) in {"waiting", "granted"},
        waits_for_pickup=any(item.state == Phase.AWAITING_PICKUP for item in items),
        grade=ratings.grade_of(connection, rated),
        may_rate=any(stay.phase in _VISITED for stay in own),
    )


_VISITED: Final = frozenset(
    phase.value for phase in (Phase.AWAITING_INTAKE, Phase.TAKEN_IN, Phase.COLLECTED, Phase.REFUSED)
)
_DECIDED: Final = frozenset({stages.Standing.ACCEPTED, stages.Standing.RETURNED, stages.Standing.REJECTED})


def _of_case(connection: Connection, table: Any, case: str) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.case_number == case).order_by(table.c.made_ms)
    return connection.execute(query).all()


def _stays(connection: Connection, case: str) -> Sequence[Row[Any]]:
    query = select(DEPOSIT).where(DEPOSIT.c.case_number == case).order_by(DEPOSIT.c.since_ms)
    return connection.execute(query).all()


def _standing(connection: Connection, case: str) -> Row[Any] | None:
    query = select(STANDING).where(STANDING.c.case_number == case).order_by(STANDING.c.at_ms.desc())
    return connection.execute(query).first()


def _lacking(connection: Connection, about: About, now_ms: int) -> tuple[Lacking, ...]:
    return tuple(
        Lacking(
            kind=owed.row.kind,
            papers=tuple(f"{paper.name}（{paper.why}）" if paper.why else paper.name for paper in papers),
            deadline_ms=owed.row.deadline_ms,
            consequence=owed.row.consequence,
            overdue=owed.row.deadline_ms < now_ms,
            links=tuple(right.authorisation for right in owed.rights if not right.ended),
        )
        for owed in lists.owed_of(connection, about.reference)
        if (papers := stages.lacking(owed.papers))
    )


def _steps(
    rights: Sequence[Row[Any]],
    own: Sequence[Row[Any]],
    items: Sequence[Row[Any]],
    stays: Sequence[Row[Any]],
    standing: Row[Any] | None,
) -> tuple[Step, ...]:
    steps = []
    if rights:
        inside = [stay for stay in own if stay.phase in _VISITED]
        taken = any(stay.phase == Phase.TAKEN_IN for stay in own)
        steps += [
            Step("passed", done=True, at_ms=rights[0].made_ms),
            Step("handed_in", done=bool(inside), at_ms=_when(inside, Phase.AWAITING_INTAKE)),
            Step("at_window", done=taken, at_ms=_when(own, Phase.TAKEN_IN)),
        ]
        decided = standing is not None and standing.state in _DECIDED
        steps.append(_decision(standing) if decided else Step("decided", done=False))
        if decided and standing is not None and standing.state != stages.Standing.ACCEPTED:
            return tuple(steps)
    outgoing = [stay for stay in stays if stay.kind == Kind.OUTGOING.value]
    waiting = {Phase.AWAITING_PICKUP, Phase.COLLECTED, Phase.REFUSED, Phase.WITHDRAWN}
    loaded = [item for item in items if item.state in waiting]
    steps.append(Step("ready", done=bool(loaded), at_ms=_when(outgoing, Phase.AWAITING_PICKUP)))
    ended = next((word for word in _ENDS if any(item.state == word for item in items)), None)
    steps.append(Step(ended or "collected", done=ended is not None, at_ms=_when(outgoing, ended or "")))
    return tuple(steps)


_ENDS: Final = ("collected", "refused", "withdrawn")


def _decision(standing: Row[Any] | None) -> Step:
    return Step(standing.state, done=True, at_ms=standing.at_ms) if standing else Step("decided", done=False)


def _when(stays: Sequence[Row[Any]], phase: str) -> int:
    return next(
        (stay.since_ms for stay in reversed(stays) if stay.phase == phase and stay.time_quality in TRUSTED), 0
    )


def _is_over(
    rights: Sequence[Row[Any]],
    stays: Sequence[Row[Any]],
    items: Sequence[Row[Any]],
    standing: Row[Any] | None,
    lacking: Sequence[Lacking],
    now_ms: int,
) -> bool:
    """Whether its link has ended."""
    living = any(stay.phase not in {phase.value for phase in ENDED} for stay in stays) or bool(lacking)
    if living or any(right.valid_until_ms > now_ms and not right.ended for right in rights):
        return False
    moments = [row.made_ms for row in (*rights, *items)] + [stay.since_ms for stay in stays]
    moments += [right.ended_ms or right.valid_until_ms for right in rights]
    if standing is not None:
        moments.append(standing.at_ms)
    ended = any(item.state in _ENDS for item in items) or not stays
    ended = ended or (standing is not None and standing.state in _DECIDED - {stages.Standing.ACCEPTED})
    return now_ms - max(moments, default=0) >= (ENDS_AFTER_MS if ended else UNFINISHED_MS)


def complaint(connection: Connection, about: About, now_ms: int) -> Row[Any] | None:
    row = find(connection, COMPLAINT, {"complaint": about.reference})
    return None if row is None or now_ms - row.made_ms >= UNFINISHED_MS else row
