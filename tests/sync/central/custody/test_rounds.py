"""A helper's round at the hub: found by the number that the locker showed, handed over under it."""

from dataclasses import replace

import httpx
import pytest

from locker.domain import events as ev
from locker.domain.ids import DepositId, StaffId
from sync.central.custody.tables import HELD, SLIP
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.test_console_custody import app, giver
from tests.sync.central.custody.test_hand_over import ONE, propose, settle
from tests.sync.central.custody.told import differences, held, lived, papers, taken, tell, thing

__all__ = ["app", "giver"]
NUMBER = "004217310042"


def on_round(door: int, slip: str = NUMBER) -> ev.Event:
    fact = taken(door)
    assert isinstance(fact, ev.SubmissionTaken)
    return replace(fact, slip=slip)


def corrected(door: int) -> ev.Event:
    return ev.FindingCorrected(DepositId(f"d{door}"), NUMBER, StaffId("h-1"), "undone")


@pytest.mark.rule("CEN-51")
def test_the_slip_of_a_round_has_the_number_that_the_locker_showed(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), *papers(3), on_round(1), on_round(2), taken(3))
    assert {row.thing: row.round for row in parts.rows(HELD)} == {
        thing(1): NUMBER,
        thing(2): NUMBER,
        thing(3): "",
    }
    assert propose(parts, replace(ONE, things=(thing(1),))) == NUMBER
    # What goes to another window goes under a number of its own, and so does what is of no round.
    assert propose(parts, replace(ONE, things=(thing(2),))) != NUMBER
    assert propose(parts, replace(ONE, things=(thing(3),))) != NUMBER
    settle(parts, NUMBER, thing(1))
    assert {row.slip: row.state for row in parts.rows(SLIP)}[NUMBER] == "received"
    assert {row.round for row in parts.rows(HELD) if row.thing == thing(1)} == {""}


@pytest.mark.rule("CEN-51")
def test_what_was_not_taken_out_after_all_is_in_nobodys_hands(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), on_round(1), on_round(2))
    tell(parts, corrected(1))
    assert (held(parts)[thing(1)], differences(parts)) == ("locker/hall-1", [])
    propose(parts, replace(ONE, things=(thing(2),)))
    tell(parts, corrected(2))
    assert (held(parts)[thing(2)], [kind for kind, _ in differences(parts)]) == (
        "helper/h-1",
        ["loaded_by_another"],
    )


async def test_scanning_a_rounds_number_offers_its_slip(parts: Parts, giver: httpx.AsyncClient) -> None:
    lived(parts, *papers(1), *papers(2), on_round(1), taken(2))
    answer = await giver.get(f"/console/custody?slip={NUMBER}", follow_redirects=True)
    assert (answer.status_code, thing(1) in answer.text, thing(2) in answer.text) == (200, True, False)
    assert f"round={NUMBER}" in (await giver.get("/console/custody")).text
    propose(parts, replace(ONE, things=(thing(1),)))
    answer = await giver.get(f"/console/custody?slip={NUMBER}", follow_redirects=False)
    assert answer.headers["location"].endswith(f"/slips/{NUMBER}")
