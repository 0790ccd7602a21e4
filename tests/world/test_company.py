"""Two people, slips, windows, bookings and heirs: a true story is accepted, each kind of lie is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.world.test_custody import DAY_MS, Story

Lie = Callable[["Company"], list[int]]
SECOND_MS = 1_800_000


class Company(Story):
    """As the other story; another helper and a technician are there, and papers lie behind door 1."""

    def __init__(self) -> None:
        super().__init__()
        self.say("StaffEnrolled", staff="k", roles=["helper"], until_ms=DAY_MS)
        self.say("StaffSignedIn", "staff/k", staff="k")
        assert self.hands_in() == []

    def joins(self, staff: str = "k", beside: str = "h") -> list[int]:
        return self.say("SecondJoined", f"staff/{staff}", staff=staff, beside=beside)

    def looks(self, door: int = 1, deposit: str = "d", staff: str = "h", item: str = "present") -> list[int]:
        opened = self.tell(self.grant(door, "check", deposit, staff))
        return [*opened, *self.moves(door, item)]

    def finds(self, found: str, door: int = 1, second: str = "k", **more: str) -> list[int]:
        data = {"staff": "h", "stocktake": "", **more}
        return self.say("CompartmentChecked", "staff/h", door=door, found=found, second=second, **data)

    def counts(self, scope: str = "all") -> list[int]:
        return self.say("StocktakeBegan", "staff/h", stocktake="s", scope=scope, staff="h")

    def begins(self, staff: str = "h", slip: str = "1") -> list[int]:
        return self.say("RoundBegan", f"staff/{staff}", slip=slip, kind="intake", staff=staff)

    def joins_round(self, staff: str = "k", slip: str = "2", name: str = "1") -> list[int]:
        return self.say("RoundJoined", f"staff/{staff}", round=name, slip=slip, staff=staff)

    def takes_out(self, staff: str, slip: str) -> list[int]:
        opened = self.tell(self.grant(1, "intake", "d", staff))
        how: dict[str, Any] = {"deposit": "d", "staff": staff, "proof": "sensed", "slip": slip}
        return [*opened, *self.moves(1, "absent"), *self.say("SubmissionTaken", f"staff/{staff}", **how)]

    def turns(self, *, on: bool = True) -> list[int]:
        return self.say("ServiceKeyTurned", "sensor", on=on)

    def opens_window(self, second: str = "k") -> list[int]:
        return self.say("ServiceWindowOpened", "staff/t", staff="t", second=second)

    def books(self, booking: str = "b", right: str = "r", size: int = 1) -> list[int]:
        span = {"from_ms": 0, "until_ms": 1_000}
        return self.say("SlotBooked", "centre", booking=booking, authorisation=right, size=size, **span)

    def reserves(self, door: int, right: str = "") -> list[int]:
        own = {"kind": "outgoing", "case": "C", "authorisation": right, "item": "i"}
        return self.tell(
            self.fact("CompartmentReserved", "staff/h", deposit=f"n{door}", door=door, **own),
            self.grant(door, "load", f"n{door}", "h"),
        )

    def reissues(self, code: str, *, stolen: bool, ends: str = "") -> list[int]:
        order = {"order": f"o{code}", "item": "i", "entrustment": ""}
        facts = [self.fact("CodeReissueOrdered", "centre", stolen=stolen, **order)]
        if ends:
            facts.append(self.fact("CodeEnded", "centre", code=ends, reason="reissued"))
        made = {"code": code, "deposit": "o", "locator": "9", "order": f"o{code}", "entrustment": ""}
        return self.tell(*facts, self.fact("PickupCodeMade", "centre", **made))


def test_a_true_story_is_accepted() -> None:
    story = Company()
    told = [story.counts(), story.joins(), story.looks(), story.finds("expected", stocktake="s")]
    told += [story.looks(3, "", item="absent"), story.finds("empty", 3, "", stocktake="s")]
    told += [story.say("StocktakeEnded", "staff/h", stocktake="s", staff="h")]
    told += [story.begins(), story.joins_round(), story.takes_out("k", "2")]
    correct = {"deposit": "d", "slip": "2", "staff": "k", "finding": "missing"}
    told += [story.say("FindingCorrected", "staff/k", **correct)]
    told += [story.say("RoundEnded", "staff/k", round="1", staff="k", done=1, skipped=0, left=0)]
    told += [story.joins("k", "t"), story.turns(), story.opens_window()]
    by_key = [
        story.fact("DoorOpenedByKey", "sensor", door=4),
        story.fact("CompartmentDoubted", door=4, reason="x"),
    ]
    told += [story.tell(*by_key), story.say("ServiceWindowClosed", "staff/t", why="ended")]
    told += [story.books(), story.loads(2), story.reissues("e", stolen=True, ends="c")]
    assert told == [[]] * len(told)


def _alone_before_papers(story: Company) -> list[int]:
    return story.looks()


def _with_who_left(story: Company) -> list[int]:
    story.joins()
    story.say("StaffSignedOut", "staff/k", staff="k")
    return story.looks()


def _with_who_is_gone_for_long(story: Company) -> list[int]:
    story.joins()
    story._seq += SECOND_MS + 60_000  # its moments are its numbers
    return story.looks()


def _beside_oneself(story: Company) -> list[int]:
    return story.joins("h", "h")


def _a_technician_is_second(story: Company) -> list[int]:
    story.joins("t", "h")
    return story.looks()


def _vacant_and_not_counted(story: Company) -> list[int]:
    return story.looks(3, "")


def _found_by_one(story: Company) -> list[int]:
    story.joins()
    story.looks()
    return story.finds("expected", second="")


def _found_empty_where_something_is(story: Company) -> list[int]:
    story.joins()
    story.looks()
    return story.finds("empty")


def _missing_before_a_sensor(story: Company) -> list[int]:
    story.joins()
    story.looks()
    return story.finds("missing")


def _said_twice(story: Company) -> list[int]:
    story.joins()
    story.looks()
    story.finds("expected")
    return story.finds("expected")


def _vouched_by_one(story: Company) -> list[int]:
    return story.say("HistoryVouched", "staff/h", epoch="e", staff="h", second="k")


def _window_without_key(story: Company) -> list[int]:
    story.joins("k", "t")
    return story.opens_window()


def _window_alone(story: Company) -> list[int]:
    story.turns()
    return story.opens_window()


def _by_key_without_window(story: Company) -> list[int]:
    return story.say("DoorOpenedByKey", "sensor", door=4)


def _anothers_slip(story: Company) -> list[int]:
    story.begins()
    story.joins_round()
    return story.takes_out("k", "1")


def _slip_given_twice(story: Company) -> list[int]:
    story.begins()
    return story.joins_round(slip="1")


def _round_that_is_over(story: Company) -> list[int]:
    story.begins()
    story.say("RoundEnded", "staff/h", round="1", staff="h", done=0, skipped=0, left=0)
    return story.takes_out("h", "1")


def _two_rounds_at_once(story: Company) -> list[int]:
    story.begins()
    return story.begins("k", "2")


def _corrected_by_another(story: Company) -> list[int]:
    story.begins()
    story.takes_out("h", "1")
    how = {"deposit": "d", "slip": "1", "staff": "k", "finding": "missing"}
    return story.say("FindingCorrected", "staff/k", **how)


def _technician_assists(story: Company) -> list[int]:
    return story.say("VisitAssisted", deposit="d", staff="t")


def _booked_is_given(story: Company) -> list[int]:
    for number in ("1", "2", "3"):
        story.books(f"b{number}", f"r{number}")
    return story.reserves(3)


def _booked_without_room(story: Company) -> list[int]:
    return story.books(size=2)


def _lapses_early(story: Company) -> list[int]:
    story.books()
    return story.say("SlotLapsed", "clock", booking="b", authorisation="r")


def _stolen_lives(story: Company) -> list[int]:
    story.loads(2)
    return story.reissues("e", stolen=True)


def _lost_lives(story: Company) -> list[int]:
    story.loads(2)
    story.reissues("e", stolen=False)
    for _ in range(2):
        story.custody.company.hears(story._seq)
    return story.say("CodeAccepted", record="code/c", form="scanned")


def _barred_is_given(story: Company) -> list[int]:
    story.say("CompartmentBarred", "centre", door=3, reason="painters", by="clerk")
    return story.reserves(3)


LIES: dict[Lie, int] = {
    _alone_before_papers: 12,
    _with_who_left: 12,
    _with_who_is_gone_for_long: 12,
    _beside_oneself: 12,
    _a_technician_is_second: 12,
    _vacant_and_not_counted: 12,
    _found_by_one: 12,
    _vouched_by_one: 12,
    _window_without_key: 12,
    _window_alone: 12,
    _technician_assists: 12,
    _found_empty_where_something_is: 6,
    _said_twice: 6,
    _missing_before_a_sensor: 5,
    _anothers_slip: 5,
    _slip_given_twice: 5,
    _round_that_is_over: 5,
    _two_rounds_at_once: 5,
    _corrected_by_another: 5,
    _by_key_without_window: 3,
    _barred_is_given: 4,
    _booked_is_given: 28,
    _booked_without_room: 28,
    _lapses_early: 28,
    _stolen_lives: 8,
    _lost_lives: 8,
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__.strip("_"))
def test_what_must_not_happen_is_refused_by_its_number(lie: Lie) -> None:
    assert LIES[lie] in lie(Company())
