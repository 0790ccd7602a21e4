"""The register of windows and departments: who signs for whom, and what was there before it."""

import shutil
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from sync.central.access.accounts import Account
from sync.central.access.accounts import add as add_account
from sync.central.access.actor import HUB, Actor, Role, person
from sync.central.custody import asked, hand_over
from sync.central.custody.hand_over import Proposal, Receipt
from sync.central.custody.parties import Kind, Party
from sync.central.custody.tables import LINE, QUEUE, SLIP
from sync.central.desk import Refusal, Refused
from sync.central.migrations.versions import windows_1
from sync.central.paging import Asked, Page
from sync.central.windows import register
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import (
    GIVER,
    HELPER,
    TAKER,
    WINDOW,
    add_place,
    held,
    lived,
    papers,
    taken,
    thing,
)

ADMIN = person("boss", [Role.ADMINISTRATOR], ["north"])
OTHER = person("other", [Role.WINDOW_CLERK], ["north"])


def account(parts: Parts, actor: Actor) -> str:
    name = actor.who.removeprefix("person:")
    new = Account(name, name, actor.roles, actor.areas)
    parts.store.write_now(lambda c: add_account(c, parts.clock.now_ms, HUB, new, "x"))
    return name


def bind(parts: Parts, place: str, who: Actor, *, on: bool = True) -> None:
    name = who.who.removeprefix("person:")
    parts.store.write_now(lambda c: register.bind(c, parts.desk, ADMIN, place, name, on=on))


def window(parts: Parts, called: str = WINDOW.name) -> str:
    return str(parts.store.read_now(lambda c: register.named(c, ADMIN, Kind.WINDOW, called)).place)


def propose(parts: Parts, *things: str, actor: Actor = GIVER, receiver: Party = WINDOW) -> str:
    wanted = Proposal(HELPER, receiver, things)
    return parts.store.write_now(lambda c: hand_over.propose(c, parts.desk, actor, wanted))


def settle(parts: Parts, slip: str, actor: Actor, *things: str) -> str:
    receipt = Receipt(frozenset(things), {})
    return parts.store.write_now(lambda c: hand_over.settle(c, parts.desk, actor, slip, receipt)).value


def refusal(act: partial[Any]) -> Refusal:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def test_from_the_first_account_on_nobody_else_signs_for_a_window(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), taken(1), taken(2))
    for each in (TAKER, OTHER):
        account(parts, each)
    place = window(parts)
    slip = propose(parts, thing(1))
    bind(parts, place, TAKER)
    assert refusal(partial(settle, parts, slip, OTHER, thing(1))) is Refusal.NOT_YOURS
    assert settle(parts, slip, TAKER, thing(1)) == "received"
    again = Proposal(Party(Kind.WINDOW, place), HELPER, (thing(1),))
    other = partial(hand_over.propose, desk=parts.desk, actor=OTHER, wanted=again)
    assert refusal(partial(parts.store.write_now, other)) is Refusal.NOT_YOURS
    bind(parts, place, TAKER, on=False)
    assert settle(parts, propose(parts, thing(2)), OTHER, thing(2)) == "received"


def test_what_is_ones_own_comes_first(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), taken(1), taken(2))
    account(parts, TAKER)
    propose(parts, thing(1))
    parts.clock.now_ms += 1000
    late = propose(parts, thing(2), receiver=Party(Kind.WINDOW, "3"))
    bind(parts, window(parts, "3"), TAKER)
    ask = partial(asked.slips, desk=parts.desk, actor=TAKER, only_open=True)
    assert next(each.row.slip for each in parts.store.read_now(ask).rows) == late


def test_lists_of_custody_are_whole_page_by_page(parts: Parts) -> None:
    every = range(1, 5)
    lived(parts, *chain.from_iterable(papers(n) for n in every), *(taken(n) for n in every))
    account(parts, TAKER)
    slips = [propose(parts, thing(n), receiver=WINDOW if n % 2 else Party(Kind.WINDOW, "3")) for n in every]
    bind(parts, window(parts, "3"), TAKER)
    own_first = [*sorted(slips[1::2]), *sorted(slips[::2])]
    for limit in (1, 2, 3):
        open_ = paged(parts, partial(asked.slips, only_open=True), limit)
        assert [each.row.slip for each in open_] == own_first
        whole = paged(parts, partial(asked.slips, only_open=False), limit)
        assert sorted(each.row.slip for each in whole) == sorted(slips)
        assert [each.row.thing for each in paged(parts, asked.in_hands, limit)] == [thing(n) for n in every]


def paged(parts: Parts, ask: Callable[..., Page[Any]], limit: int) -> list[Any]:
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        look = partial(ask, desk=parts.desk, actor=TAKER, page=Asked(limit, cursor))
        page = parts.store.read_now(look)
        assert len(page.rows) <= limit
        rows += page.rows
        cursor = page.next
    return rows


def test_a_helper_who_has_an_account_does_not_receive_what_they_gave(parts: Parts) -> None:
    lived(parts, *papers(1), taken(1))
    name = account(parts, TAKER)
    parts.store.write_now(lambda c: register.bind_staff(c, parts.desk, ADMIN, "h-1", name))
    slip = propose(parts, thing(1))
    assert refusal(partial(settle, parts, slip, TAKER, thing(1))) is Refusal.SAME_PERSON
    assert refusal(partial(propose, parts, thing(1), actor=OTHER)) is Refusal.NOT_YOURS


def test_a_name_may_change_and_a_window_is_closed_once_nothing_is_there(parts: Parts) -> None:
    lived(parts, *papers(1), taken(1))
    account(parts, TAKER)
    place = window(parts)
    settle(parts, propose(parts, thing(1)), TAKER, thing(1))
    parts.store.write_now(lambda c: register.rename(c, parts.desk, ADMIN, place, "8 号窗口"))
    assert held(parts) == {thing(1): "window/8 号窗口"}
    end = partial(register.end, desk=parts.desk, actor=ADMIN, place=place)
    assert refusal(partial(parts.store.write_now, end)) is Refusal.NOT_NOW
    back = Proposal(Party(Kind.WINDOW, place), HELPER, (thing(1),))
    slip = parts.store.write_now(lambda c: hand_over.propose(c, parts.desk, TAKER, back))
    settle(parts, slip, GIVER, thing(1))
    parts.store.write_now(end)
    assert refusal(partial(propose, parts, thing(1), receiver=Party(Kind.WINDOW, place))) is (
        Refusal.UNKNOWN_PLACE
    )


def test_places_of_another_area_are_as_if_they_were_not(parts: Parts) -> None:
    lived(parts, *papers(1), taken(1))
    far = parts.store.write_now(partial(add_place, parts, kind=Kind.WINDOW, name=WINDOW.name, area="south"))
    assert refusal(partial(propose, parts, thing(1))) is Refusal.UNKNOWN_PLACE, "two have this name"
    there = partial(propose, parts, thing(1), receiver=Party(Kind.WINDOW, far))
    assert refusal(there) is Refusal.UNFIT
    rename = partial(register.rename, desk=parts.desk, actor=ADMIN, place=far, name="x")
    assert refusal(partial(parts.store.write_now, rename)) is Refusal.UNKNOWN_PLACE
    twice = partial(add_place, parts, kind=Kind.WINDOW, name=WINDOW.name)
    assert refusal(partial(parts.store.write_now, twice)) is Refusal.PLACE_EXISTS


def test_names_that_were_there_before_become_the_register(tmp_path: Path, new_hub: Path) -> None:
    shutil.copyfile(new_hub, tmp_path / "hub")
    engine = create_engine(f"sqlite:///{tmp_path / 'hub'}")
    slip = {"slip": "s", "area": "north", "from_kind": "helper", "from_name": "h-1", "to_kind": "window"}
    line = {"slip": "s", "thing": "t", "window": "3", "queue": 1, "state": "proposed"}
    with engine.begin() as connection:
        connection.execute(SLIP.insert().values(**slip, to_name="3", proposed_by="p", state="proposed"))
        connection.execute(LINE.insert().values(line))
        for area, number in (("north", 7), ("south", 2)):
            connection.execute(QUEUE.insert().values(area=area, window="3", number=number))
        windows_1._take_over(connection)
        places = connection.execute(text("SELECT area, kind, name, place FROM place ORDER BY area")).all()
        assert [tuple(row[:3]) for row in places] == [("north", "window", "3"), ("south", "window", "3")]
        north = places[0].place
        assert connection.execute(text("SELECT from_name, to_name FROM custody_slip")).one() == ("h-1", north)
        assert connection.execute(text('SELECT "window" FROM custody_slip_line')).scalar() == north
        assert (
            connection.execute(
                text('SELECT number FROM custody_queue WHERE "window" = :p'), {"p": north}
            ).scalar()
            == 7
        )
    engine.dispose()
