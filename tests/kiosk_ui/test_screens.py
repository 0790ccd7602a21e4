"""What a door's state says on the screen: every combination that the journal can hold has a screen."""

import itertools
from dataclasses import replace
from types import MappingProxyType

import pytest

from kiosk_ui import texts
from kiosk_ui.flow import Step
from kiosk_ui.names import Act, Screen
from kiosk_ui.offers import ACTS, offered
from kiosk_ui.screens import Visit, screen_of
from kiosk_ui.view import Now, Settings, view_of
from locker.domain import deposit as deposits
from locker.domain.compartment import Compartment
from locker.domain.deposit import Deposit, Kind
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    GrantId,
    ItemId,
    StaffId,
)
from locker.domain.opening import Opening, Phase, Purpose
from locker.domain.state import LockerState
from tests.locker.operations.world import cabinet

DOOR, GRANT, DEPOSIT = CompartmentNumber(6), GrantId("g"), DepositId("d")
ALL_TEXTS = texts.load_all()
STAFF = {Purpose.INTAKE, Purpose.LOAD, Purpose.WITHDRAW, Purpose.CHECK}


# A technician's door has one page, which says in words what is known of it: see `test_service`. One that is
# opened from afar has none: it is nobody's visit.
VISITS = [purpose for purpose in Purpose if purpose not in {Purpose.SERVICE, Purpose.REMOTE}]


def state_with(
    purpose: Purpose,
    phase: Phase,
    *,
    position: Position = Position.CLOSED,
    item: Presence = Presence.ABSENT,
    deposit: deposits.Phase = deposits.Phase.RESERVED,
    attempt: int = 1,
) -> LockerState:
    key = DepositId("") if purpose is Purpose.CHECK else DEPOSIT
    doors = {spec.number: Compartment(spec, position=Position.CLOSED) for spec in cabinet()}
    doors[DOOR] = replace(doors[DOOR], deposit=key, position=position, item=item, grant=GRANT)
    outgoing = purpose in {Purpose.PICK_UP, Purpose.LOAD, Purpose.WITHDRAW}
    record = Deposit(
        DEPOSIT,
        Kind.OUTGOING if outgoing else Kind.SUBMISSION,
        DOOR,
        CaseNumber("C-1"),
        AuthorisationId(""),
        ItemId(""),
        deposit,
        0,
    )
    staff = StaffId("h-1") if purpose in STAFF else StaffId("")
    opening = Opening(GRANT, DOOR, purpose, key, staff, attempt, phase, 0)
    return LockerState(
        compartments=MappingProxyType(doors),
        deposits=MappingProxyType({DEPOSIT: record} if key else {}),
        openings=MappingProxyType({GRANT: opening}),
    )


def visit_for(purpose: Purpose) -> Visit:
    staff = purpose in STAFF
    key = DepositId("") if purpose is Purpose.CHECK else DEPOSIT
    step = Step.STAFF_DOOR if staff else Step.DOOR
    return Visit(visit="v", step=step, deposit=key, door=DOOR, staff=StaffId("h-1" if staff else ""))


@pytest.mark.parametrize("purpose", VISITS)
def test_every_state_of_a_door_has_a_page_in_every_language(purpose: Purpose) -> None:
    visit = visit_for(purpose)
    for phase, position, item in itertools.product(Phase, Position, Presence):
        for deposit in deposits.Phase:
            state = state_with(purpose, phase, position=position, item=item, deposit=deposit)
            for language in ALL_TEXTS.values():
                view = view_of(visit, state, Now(10_000), language, Settings(help_line="12345"))
                assert view["title"]
                assert "{" not in view["title"] + view["lead"]


@pytest.mark.parametrize("purpose", VISITS)
def test_open_is_said_only_where_the_sensor_saw_it(purpose: Purpose) -> None:
    while_open = screen_of(visit_for(purpose), state_with(purpose, Phase.OPEN, position=Position.OPEN))
    for phase in Phase:
        shown = screen_of(visit_for(purpose), state_with(purpose, phase, position=Position.CLOSED))
        assert shown is not while_open or phase in {Phase.OPEN, Phase.LEFT_OPEN}


@pytest.mark.parametrize("purpose", VISITS)
@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.LEFT_OPEN, Phase.CLOSED])
def test_a_door_that_cannot_be_seen_is_called_so(purpose: Purpose, phase: Phase) -> None:
    state = state_with(purpose, phase, position=Position.UNKNOWN)
    assert screen_of(visit_for(purpose), state) is Screen.UNSEEN


@pytest.mark.parametrize("phase", [Phase.STUCK, Phase.REFUSED, Phase.NOT_SENT])
def test_a_door_that_did_not_open_can_be_tried_while_tries_are_left(phase: Phase) -> None:
    visit = visit_for(Purpose.PICK_UP)
    pickup = {"deposit": deposits.Phase.AWAITING_PICKUP, "item": Presence.PRESENT}
    assert screen_of(visit, state_with(Purpose.PICK_UP, phase, **pickup)) is Screen.STUCK  # type: ignore[arg-type]  # as named
    last = state_with(Purpose.PICK_UP, phase, attempt=3, **pickup)  # type: ignore[arg-type]  # as named
    assert screen_of(visit, last) is Screen.GIVE_UP


def test_a_lock_rests_before_it_is_tried_again() -> None:
    state = state_with(Purpose.PICK_UP, Phase.NOT_SENT, deposit=deposits.Phase.AWAITING_PICKUP)
    visit = visit_for(Purpose.PICK_UP)
    view = view_of(visit, state, Now(1_000), ALL_TEXTS["en"], Settings())
    assert view["ready_in_ms"] == 2_000
    assert view_of(visit, state, Now(3_500), ALL_TEXTS["en"], Settings())["ready_in_ms"] == 0


def test_without_the_code_in_memory_nobody_opens_again() -> None:
    state = state_with(Purpose.DROP_OFF, Phase.STUCK)
    assert offered(visit_for(Purpose.DROP_OFF), state) == (Act.LEAVE,)


def test_every_screen_has_its_acts_and_words() -> None:
    assert set(ACTS) == set(Screen)
    for language in ALL_TEXTS.values():
        for screen in Screen:
            assert language.has(f"screen.{screen.value}.title"), screen
            assert language.has(f"screen.{screen.value}.lead"), screen


FAILURES = [
    *(Reason.CODE_NOT_ACCEPTED, Reason.CODE_EXPIRED, Reason.TOO_MANY_TRIES, Reason.NO_ROOM),
    *(Reason.OPENINGS_USED_UP, Reason.TRIES_USED_UP, Reason.BOARD_LOST, Reason.POWER_FAILING),
    *(Reason.HISTORY_AWAITED, Reason.JOURNAL_FAILING, Reason.TOO_OFTEN, Reason.DISK_FULL),
]
"""What nobody can put right by pressing once more."""


@pytest.mark.parametrize("reason", FAILURES)
@pytest.mark.parametrize("hint", ["", "used", "elsewhere"])
def test_every_failure_names_whom_to_call_also_where_no_number_is_set(reason: Reason, hint: str) -> None:
    if hint and reason is not Reason.CODE_NOT_ACCEPTED:
        return
    visit = Visit(visit="v", step=Step.PROBLEM, refusal=Refusal(reason, 8, hint=hint), reference="demo-1 · 7")
    for number, named in (("12345", "12345"), ("", "on the cabinet")):
        view = view_of(visit, LockerState(), Now(0), ALL_TEXTS["en"], Settings(help_line=number))
        assert named in view["lead"]
        assert "demo-1 · 7" in view["reference"]


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_has_a_page_with_what_to_do_and_a_reference(reason: Reason) -> None:
    visit = Visit(visit="v", step=Step.PROBLEM, refusal=Refusal(reason, 8), reference="demo-1 · 7")
    for language in ALL_TEXTS.values():
        view = view_of(visit, LockerState(), Now(0, wait_s=8), language, Settings(help_line="12345"))
        assert view["title"] != view["lead"]
        assert "demo-1 · 7" in view["reference"]
        assert "12345" in view["help"]
        assert language.has(f"reason.{reason.value}.banner")


def test_a_papers_list_that_is_not_known_leaves_the_stage_to_something_else() -> None:
    state = state_with(Purpose.INTAKE, Phase.CLOSED, deposit=deposits.Phase.AWAITING_INTAKE)
    view = view_of(visit_for(Purpose.INTAKE), state, Now(0), ALL_TEXTS["zh"], Settings())
    assert (view["screen"], view["stage"]) == ("intake_confirm", "cabinet")
