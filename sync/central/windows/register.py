"""The register itself: who is in it, whose a place is, and who may sign for it.

A place at which nobody's account stands is signed for by everybody who may hand over, as before there was a
register; from the first account on by those alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from sync.central import store
from sync.central.access import audit
from sync.central.access.accounts import AREA_FORM
from sync.central.access.actor import Actor, Role, person
from sync.central.access.matrix import Action
from sync.central.access.tables import ACCOUNT
from sync.central.custody.parties import Kind, Party, SlipState
from sync.central.custody.tables import HELD, SLIP
from sync.central.desk import Desk, Refusal, Refused
from sync.central.tables import STAFF
from sync.central.windows.tables import PLACE, PLACE_ACCOUNT, STAFF_ACCOUNT

KINDS: Final = (Kind.WINDOW, Kind.DEPARTMENT)


# --- looked up ----------------------------------------------------------------------------------------------


def every(connection: Connection, actor: Actor, *, ended: bool = False) -> Sequence[Row[Any]]:
    """By area, kind and name; those that ended last."""
    own = PLACE.c
    query = select(PLACE).order_by(own.ended_ms > 0, own.area, own.kind.desc(), own.name)
    rows = connection.execute(query).all()
    return [row for row in rows if actor.sees(row.area) and (ended or not row.ended_ms)]


def called(connection: Connection) -> Mapping[str, str]:
    """Names by id, also of those that ended: for whatever was handed over long ago."""
    return {row.place: row.name for row in connection.execute(select(PLACE.c.place, PLACE.c.name))}


def party(connection: Connection, actor: Actor, said: Party) -> Party:
    """With the id in place of what somebody typed: an id, or a name that only one living place of theirs has.

    Raises Refused.
    """
    if said.kind not in KINDS:
        return said
    return Party(said.kind, named(connection, actor, said.kind, said.name).place)


def named(connection: Connection, actor: Actor, kind: Kind, said: str) -> Row[Any]:
    """Raises Refused."""
    row = store.find(connection, PLACE, {"place": said, "kind": kind.value})
    if row is not None and actor.sees(row.area):
        return row
    fits = [row for row in every(connection, actor) if (row.kind, row.name) == (kind, said)]
    if len(fits) != 1:
        why = "of several areas: choose it by its id" if fits else "not in the register"
        raise Refused(Refusal.UNKNOWN_PLACE, f"{kind} {said!r} is {why}")
    return fits[0]


def known(connection: Connection, actor: Actor, kind: str, said: str) -> tuple[str, str]:
    """As `party`, of what somebody only asks about: what is not known stays as it was typed."""
    try:
        found = party(connection, actor, Party(Kind(kind), said))
    except Refused:
        return kind, said
    return found.kind.value, found.name


def place_row(connection: Connection, actor: Actor, place: str) -> Row[Any]:
    """Raises Refused."""
    row = store.find(connection, PLACE, {"place": place})
    if row is None or not actor.sees(row.area):
        raise Refused(Refusal.UNKNOWN_PLACE, "no such window or department")
    return row


# --- whose it is --------------------------------------------------------------------------------------------


def mine(connection: Connection, actor: Actor) -> frozenset[tuple[str, str]]:
    """Windows, departments and helpers (kind and id) for which this person stands."""
    account = _account(actor)
    joined = PLACE_ACCOUNT.join(PLACE, PLACE.c.place == PLACE_ACCOUNT.c.place)
    places = select(PLACE.c.kind, PLACE.c.place).select_from(joined).where(PLACE_ACCOUNT.c.account == account)
    staff = select(STAFF_ACCOUNT.c.staff).where(STAFF_ACCOUNT.c.account == account)
    found = {(row.kind, row.place) for row in connection.execute(places)}
    return frozenset(found | {(Kind.HELPER.value, row.staff) for row in connection.execute(staff)})


def require_signs(connection: Connection, actor: Actor, party: Party) -> None:
    """Whether this person may give or receive in its name. A lead of helpers signs for any helper.

    Raises Refused.
    """
    bound = accounts_of(connection, party)
    lead = party.kind is Kind.HELPER and Role.HELPER_LEAD in actor.roles
    if bound and not lead and _account(actor) not in bound:
        raise Refused(Refusal.NOT_YOURS, f"others sign for {party.kind} {party.name}")


def is_the_same(connection: Connection, actor: Actor, party: Party) -> bool:
    """Whether this helper is the person who acts."""
    return party.kind is Kind.HELPER and _account(actor) in accounts_of(connection, party)


def accounts_of(connection: Connection, party: Party) -> frozenset[str]:
    if party.kind is Kind.HELPER:
        query = select(STAFF_ACCOUNT.c.account).where(STAFF_ACCOUNT.c.staff == party.name)
    else:
        query = select(PLACE_ACCOUNT.c.account).where(PLACE_ACCOUNT.c.place == party.name)
    return frozenset(connection.execute(query).scalars())


def _account(actor: Actor) -> str:
    kind, _, name = actor.who.partition(":")
    return name if kind == "person" else ""


# --- kept by an administrator -------------------------------------------------------------------------------


def add(connection: Connection, desk: Desk, actor: Actor, kind: Kind, area: str, name: str) -> str:
    """The new id. Raises Refused."""
    if not AREA_FORM.match(area) or not actor.sees(area):
        raise Refused(Refusal.UNFIT, "an area of your own")
    _require_free(connection, kind, area, name)
    place, now_ms = desk.chance.new_id(), desk.clock.wall_ms()
    values = {"place": place, "kind": kind.value, "area": area, "name": name}
    connection.execute(PLACE.insert().values(**values, made_by=actor.who, made_ms=now_ms))
    _write(connection, desk, actor, place, what="added", kind=kind.value, area=area, name=name)
    return place


def rename(connection: Connection, desk: Desk, actor: Actor, place: str, name: str) -> None:
    """What was handed over before is told by the new name, the trails of cases by the old. Raises Refused."""
    row = place_row(connection, actor, place)
    _require_free(connection, Kind(row.kind), row.area, name)
    store.change(connection, PLACE, {"place": place}, {"name": name})
    _write(connection, desk, actor, place, what="renamed", name=name)


def end(connection: Connection, desk: Desk, actor: Actor, place: str) -> None:
    """Nothing goes there any more. Raises Refused while something is there, or on its way."""
    row = place_row(connection, actor, place)
    held, slip = HELD.c, SLIP.c
    holds = select(held.thing).where(held.holder_kind == row.kind, held.holder == place)
    ways = or_(slip.from_name == place, slip.to_name == place)
    moves = select(slip.slip).where(slip.state == SlipState.PROPOSED.value, ways)
    if any(connection.execute(query.limit(1)).first() for query in (holds, moves)):
        raise Refused(Refusal.NOT_NOW, "it holds something, or a slip with it is open: hand that over first")
    store.change(connection, PLACE, {"place": place}, {"ended_ms": desk.clock.wall_ms()})
    _write(connection, desk, actor, place, what="ended")


def bind(connection: Connection, desk: Desk, actor: Actor, place: str, account: str, *, on: bool) -> None:
    """Whether this account stands there. Raises Refused."""
    place_row(connection, actor, place)
    keys = {"place": place, "account": account}
    if on:
        _require_account(connection, account)
        store.put(connection, PLACE_ACCOUNT, keys, {"account": account})
    else:
        own = PLACE_ACCOUNT.c
        connection.execute(PLACE_ACCOUNT.delete().where(own.place == place, own.account == account))
    _write(connection, desk, actor, place, what="bound" if on else "unbound", account=account)


def bind_staff(connection: Connection, desk: Desk, actor: Actor, staff: str, account: str) -> None:
    """That this helper is the person of this account; of none where it is empty. Raises Refused."""
    if store.find(connection, STAFF, {"staff": staff}) is None:
        raise Refused(Refusal.UNFIT, f"no helper has the staff number {staff!r}")
    if account:
        _require_account(connection, account)
        store.put(connection, STAFF_ACCOUNT, {"staff": staff}, {"account": account})
    else:
        connection.execute(STAFF_ACCOUNT.delete().where(STAFF_ACCOUNT.c.staff == staff))
    what = "bound" if account else "unbound"
    _write(connection, desk, actor, f"helper/{staff}", what=what, account=account)


def bound(connection: Connection) -> tuple[Mapping[str, list[str]], Sequence[Row[Any]]]:
    """Accounts by place, and staff numbers with theirs."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(select(PLACE_ACCOUNT).order_by(PLACE_ACCOUNT.c.account)):
        found.setdefault(row.place, []).append(row.account)
    return found, connection.execute(select(STAFF_ACCOUNT).order_by(STAFF_ACCOUNT.c.staff)).all()


def _require_free(connection: Connection, kind: Kind, area: str, name: str) -> None:
    keys = {"kind": kind.value, "area": area, "name": name, "ended_ms": 0}
    if store.find(connection, PLACE, keys) is not None:
        raise Refused(Refusal.PLACE_EXISTS, f"{area} has a {kind} of this name already")


def _require_account(connection: Connection, account: str) -> None:
    row = store.find(connection, ACCOUNT, {"account": account})
    if row is None or row.ended_ms:
        raise Refused(Refusal.UNFIT, f"no account {person(account, (), ()).who}")


def _write(connection: Connection, desk: Desk, actor: Actor, subject: str, **told: str) -> None:
    audit.write(connection, desk.clock.wall_ms(), actor, Action.MANAGE_PLACES, subject, told)
