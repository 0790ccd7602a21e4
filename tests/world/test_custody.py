"""Whether the small model accepts a true story, and refuses each kind of lie about who opened what."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.world.custody import Custody
from tests.world.reference import Fact

DAY_MS = 86_400_000
Lie = Callable[["Story"], list[int]]


class Story:
    """Four doors seen shut and empty, one case with a code, one helper and one technician."""

    def __init__(self) -> None:
        self.custody = Custody()
        self._seq = self.wall_ms = 0
        doors = [{"number": number, "size": 1} for number in (1, 2, 3, 4)]
        told = [
            self.say("Booted", boot=1),
            self.say("CompartmentsConfigured", compartments=doors),
            *(self.say("DoorRead", door=n, position="closed", item="absent") for n in (1, 2, 3, 4)),
            self.say(
                "AuthorisationGranted",
                authorisation="a",
                case="C",
                locator="123",
                valid_until_ms=DAY_MS,
                typed_digest="d",
            ),
            self.say("ItemAnnounced", item="i"),
            self.say("StaffEnrolled", staff="h", roles=["helper"], until_ms=DAY_MS),
            self.say("StaffEnrolled", staff="t", roles=["technician"], until_ms=DAY_MS),
            self.say("StaffSignedIn", "staff/h", staff="h"),
            self.say("StaffSignedIn", "staff/t", staff="t"),
        ]
        assert told == [[]] * len(told)

    def say(self, kind: str, cause: str = "applicant", /, **data: Any) -> list[int]:
        """One transaction of one fact; the invariants that it breaks."""
        return self.tell(self.fact(kind, cause, **data))

    def fact(self, kind: str, cause: str = "applicant", /, **data: Any) -> Fact:
        self._seq += 1
        return Fact(self._seq, kind, data, 1, self._seq, self.wall_ms, trusted=True, cause=cause)

    def tell(self, *facts: Fact) -> list[int]:
        return sorted({number for number, _ in self.custody.take(facts)})

    def grant(self, door: int, purpose: str, deposit: str = "", staff: str = "", attempt: int = 1) -> Fact:
        by = f"staff/{staff}" if staff else "applicant"
        grant = f"g{self._seq + 1}"
        data: dict[str, Any] = {
            "door": door,
            "purpose": purpose,
            "deposit": deposit,
            "staff": staff,
            "attempt": attempt,
        }
        return self.fact("OpeningRequested", by, grant=grant, **data)

    def moves(self, door: int, item: str) -> list[int]:
        """It opens and is shut again."""
        grant = self.custody.model.doors[door].grant
        return [
            *self.say("PulseAcknowledged", "wire", grant=grant),
            *self.say("DoorOpened", "sensor", door=door, grant=grant),
            *self.say("DoorClosed", "sensor", door=door, grant=grant, item=item),
        ]

    def asks(self, door: int = 1, deposit: str = "d") -> list[int]:
        """A code, a compartment, and the right to open it."""
        return self.tell(
            self.fact("CodeAccepted", record="authorisation/a", form="typed"),
            self.fact(
                "CompartmentReserved",
                deposit=deposit,
                door=door,
                kind="submission",
                case="C",
                authorisation="a",
                item="",
            ),
            self.grant(door, "drop_off", deposit),
        )

    def hands_in(self, door: int = 1) -> list[int]:
        return [
            *self.asks(door),
            *self.moves(door, "present"),
            *self.say("SubmissionDeposited", deposit="d", door=door),
        ]

    def takes_in(self) -> list[int]:
        opened = self.tell(self.grant(1, "intake", "d", "h"))
        return [
            *opened,
            *self.moves(1, "absent"),
            *self.say("SubmissionTaken", "staff/h", slip="", deposit="d", staff="h", proof="sensed"),
        ]

    def loads(self, door: int = 2) -> list[int]:
        reserved = self.tell(
            self.fact(
                "CompartmentReserved",
                "staff/h",
                deposit="o",
                door=door,
                kind="outgoing",
                case="C",
                authorisation="",
                item="i",
            ),
            self.grant(door, "load", "o", "h"),
        )
        loaded = self.tell(
            *[self.fact(*each[:2], **each[2]) for each in self._shuts(door)],
            self.fact("ItemLoaded", "staff/h", slip="", deposit="o", item="i", staff="h", proof="sensed"),
            self.fact(
                "PickupCodeMade", "staff/h", code="c", deposit="o", locator="456", order="", entrustment=""
            ),
        )
        return [*reserved, *loaded]

    def _shuts(self, door: int) -> list[tuple[str, str, dict[str, Any]]]:
        grant = self.custody.model.doors[door].grant
        return [
            ("DoorOpened", "sensor", {"door": door, "grant": grant}),
            ("DoorClosed", "sensor", {"door": door, "grant": grant, "item": "present"}),
        ]

    def opens_to_collect(self) -> list[int]:
        return self.tell(
            self.fact("CodeAccepted", record="code/c", form="scanned"), self.grant(2, "pick_up", "o")
        )

    def collects(self) -> list[int]:
        return self.tell(
            self.fact("ItemPickedUp", "sensor", deposit="o", proof="sensed"),
            self.fact("CodeEnded", "sensor", code="c", reason="collected"),
        )


def test_a_true_story_is_accepted_and_every_question_answered() -> None:
    story = Story()
    model = story.custody.model
    assert model.free(1)
    assert story.hands_in() == []
    assert (model.free(1), model.opens("authorisation/a"), model.stays["d"].phase) == (
        False,
        1,
        "awaiting_intake",
    )
    assert story.takes_in() == []
    assert (model.free(1), model.opens("authorisation/a"), model.stays["d"].phase) == (True, 0, "taken_in")
    assert story.loads() == []
    assert model.opens("code/c") == 2
    assert story.opens_to_collect() == []
    assert story.moves(2, "absent") == []
    assert story.collects() == []
    assert (model.opens("code/c"), model.free(2)) == (0, True)


def _grant_twice(story: Story) -> list[int]:
    story.hands_in()
    fact = story.grant(3, "service", staff="t")
    return [*story.tell(fact), *story.tell(fact)]


def _while_moving(story: Story) -> list[int]:
    story.tell(story.grant(3, "service", staff="t"))
    return story.tell(story.grant(3, "service", staff="t"))


def _unseen_door(story: Story) -> list[int]:
    story.say("DoorRead", door=3, position="unknown", item="unknown")
    return story.tell(story.grant(3, "service", staff="t"))


def _opened_alone(story: Story) -> list[int]:
    return story.say("DoorOpened", "sensor", door=3, grant="nobody's")


def _two_in_one(story: Story) -> list[int]:
    story.hands_in()
    return story.tell(
        story.fact(
            "CompartmentReserved",
            "staff/h",
            deposit="o",
            door=1,
            kind="outgoing",
            case="C",
            authorisation="",
            item="i",
        )
    )


def _one_in_two(story: Story) -> list[int]:
    story.asks(1, "d")
    return story.asks(2, "e")


def _doubtful_is_given(story: Story) -> list[int]:
    story.say("CompartmentDoubted", door=1, reason="somebody was here")
    return story.asks(1)


def _moves_with_something_in_it(story: Story) -> list[int]:
    story.asks(1)
    story.moves(1, "unknown")
    return story.say("DepositMoved", "sensor", deposit="d", door=2)


def _forced_and_not_doubted(story: Story) -> list[int]:
    return story.say("DoorForced", "sensor", door=4)


def _cancelled_and_not_doubted(story: Story) -> list[int]:
    story.asks(1)
    story.moves(1, "unknown")
    return story.say("DepositCancelled", deposit="d", proof="declared")


def _pried_and_forgotten(story: Story) -> list[int]:
    """Set aside, never opened, and broken open meanwhile."""
    story.asks(1)
    story.say("PulseNotSent", "wire", grant=story.custody.model.doors[1].grant, reason="late")
    story.tell(story.fact("DoorForced", door=1), story.fact("CompartmentDoubted", door=1, reason="opened"))
    story.say("DoorClosed", "sensor", door=1, grant="", item="unknown")
    return story.say("DepositCancelled", deposit="d", proof="sensed")


def _counts_before_it_is_shut(story: Story) -> list[int]:
    story.asks(1)
    return story.say("SubmissionDeposited", deposit="d", door=1)


def _counts_though_empty(story: Story) -> list[int]:
    story.asks(1)
    story.moves(1, "absent")
    return story.say("SubmissionDeposited", deposit="d", door=1)


def _collected_by_code_alone(story: Story) -> list[int]:
    story.loads()
    story.opens_to_collect()
    return story.collects()


def _taken_without_looking(story: Story) -> list[int]:
    story.hands_in()
    return story.say("SubmissionTaken", "staff/h", slip="", deposit="d", staff="h", proof="declared")


def _checked_without_looking(story: Story) -> list[int]:
    story.say("CompartmentDoubted", door=3, reason="somebody was here")
    return story.say(
        "CompartmentChecked", "staff/h", second="", stocktake="", door=3, found="empty", staff="h"
    )


def _start_forgets_openings(story: Story) -> list[int]:
    story.asks(1)
    return story.say("Booted", "daemon", boot=2)


def _ended_code(story: Story) -> list[int]:
    story.hands_in()
    story.takes_in()
    return story.say("CodeAccepted", record="authorisation/a", form="scanned")


def _code_outlives_the_item(story: Story) -> list[int]:
    story.loads()
    story.opens_to_collect()
    story.moves(2, "absent")
    return story.say("ItemPickedUp", "sensor", deposit="o", proof="sensed")


def _looked_too_often(story: Story) -> list[int]:
    story.hands_in()
    wrong: list[int] = []
    for _ in range(5):
        accepted = story.fact("CodeAccepted", record="authorisation/a", form="typed")
        wrong += story.tell(accepted, story.grant(1, "reopen", "d"))
        story.moves(1, "present")
    return wrong


def _live_code_is_forgotten(story: Story) -> list[int]:
    story.loads()
    nothing: dict[str, list[str]] = {"deposits": [], "authorisations": [], "items": []}
    return story.say("RecordsForgotten", "clock", codes=["c"], **nothing)


def _nobodys_code(story: Story) -> list[int]:
    return story.say("CodeAccepted", record="authorisation/b", form="typed")


def _no_code_at_all(story: Story) -> list[int]:
    story.hands_in()
    return story.tell(story.grant(1, "reopen", "d"))


def _run_out(story: Story) -> list[int]:
    story.wall_ms = DAY_MS + 1
    return story.say("CodeAccepted", record="authorisation/a", form="typed")


def _other_door(story: Story) -> list[int]:
    story.hands_in()
    accepted = story.fact("CodeAccepted", record="authorisation/a", form="typed")
    return story.tell(accepted, story.grant(2, "reopen", "d"))


def _revoked_helper(story: Story) -> list[int]:
    story.hands_in()
    story.say("StaffRevoked", "centre", staff="h")
    return story.tell(story.grant(1, "intake", "d", "h"))


def _not_signed_in(story: Story) -> list[int]:
    story.hands_in()
    story.say("StaffSignedOut", "staff/h", staff="h")
    return story.tell(story.grant(1, "intake", "d", "h"))


def _technician_opens_papers(story: Story) -> list[int]:
    story.hands_in()
    return story.tell(story.grant(1, "service", staff="t"))


def _helper_tests_locks(story: Story) -> list[int]:
    return story.tell(story.grant(3, "service", staff="h"))


def _technician_blocks_papers(story: Story) -> list[int]:
    story.hands_in()
    return story.say("CompartmentBlocked", "staff/t", door=1, reason="lock", staff="t")


def _frozen_code(story: Story) -> list[int]:
    for _ in range(10):
        story.say("CodeFailed", "keypad", record="authorisation/a")
    return story.say("CodeAccepted", record="authorisation/a", form="typed")


def _locked_badge(story: Story) -> list[int]:
    for _ in range(5):
        story.say("StaffSignInFailed", "staff/h", staff="h")
    return story.say("StaffSignedIn", "staff/h", staff="h")


LIES: dict[Lie, int] = {
    _grant_twice: 2,
    _while_moving: 2,
    _unseen_door: 3,
    _opened_alone: 3,
    _two_in_one: 4,
    _one_in_two: 4,
    _doubtful_is_given: 4,
    _moves_with_something_in_it: 4,
    _forced_and_not_doubted: 4,
    _cancelled_and_not_doubted: 4,
    _pried_and_forgotten: 4,
    _counts_before_it_is_shut: 5,
    _counts_though_empty: 5,
    _collected_by_code_alone: 6,
    _taken_without_looking: 6,
    _checked_without_looking: 6,
    _start_forgets_openings: 7,
    _ended_code: 8,
    _code_outlives_the_item: 8,
    _looked_too_often: 8,
    _live_code_is_forgotten: 8,
    _nobodys_code: 9,
    _no_code_at_all: 9,
    _run_out: 9,
    _other_door: 9,
    _revoked_helper: 9,
    _not_signed_in: 9,
    _technician_opens_papers: 12,
    _helper_tests_locks: 12,
    _technician_blocks_papers: 12,
    _frozen_code: 21,
    _locked_badge: 21,
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__.strip("_"))
def test_what_must_not_happen_is_refused_by_its_number(lie: Lie) -> None:
    assert LIES[lie] in lie(Story())
