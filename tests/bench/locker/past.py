"""A locker's past, written by its own journal: whole visits, as they happen on a busy day, until it is long.

At its end every compartment holds an item whose pickup code is known, and one drop-off code is valid.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from locker.config import Config
from locker.domain import events as ev
from locker.domain.codes import keyed_digest, typed_text
from locker.domain.compartment import Size
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    GrantId,
    ItemId,
    StaffId,
)
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.journal.journal import Journal
from locker.operations.ports import Decided
from locker.platform import Keys, LockerSecrets, Platform
from tests.locker.journal.histories import unsynced

DOORS: Final = 16
REMEMBERED: Final = 100
"""Visits of the last day: their records are still in the state."""
HELPER: Final = StaffId("helper-of-old")
NOBODY: Final = StaffId("")
LAST_FACTS: Final = 8 * DOORS + 1
"""What is written when the visits are over."""
FOREVER_MS: Final = 1 << 42
MADE_SECRET: Final = "1234567"
Facts = tuple[ev.Event, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """Typed codes that work when the past is over."""

    drop_off: str
    pick_up: tuple[str, ...]
    """By compartment, from 1."""


async def written(config: Config, platform: Platform, entries: int) -> Codes:
    """Continue the journal of a stopped locker until it has so many entries."""
    journal = await Journal.open(
        config.journal_path, platform.clock, platform.random_bytes, platform.journal_thread
    )
    try:
        unsynced(journal)
        past = Past(Keys.load(config.keys_dir, config.locker_id, config.area), platform)
        await past.commit(journal, (*past.helper(), *cleared(journal.state)))
        visit = int(journal.state.seq)
        while journal.state.seq < entries - LAST_FACTS:
            visit += 1
            await past.commit(journal, past.submission(visit) if visit % 2 else past.outgoing(visit))
        for door in range(1, DOORS + 1):
            await past.commit(journal, past.loaded(visit + door, door, f"{399 + door}"))
        await past.commit(journal, (past.right("last", "399"),))
        return past.codes()
    finally:
        await journal.close()


def cleared(state: LockerState) -> Iterator[ev.Event]:
    """Every compartment emptied by a helper."""
    for code in state.codes.values():
        if not code.ended:
            yield ev.CodeEnded(code.code, "withdrawn")
    for deposit in state.deposits.values():
        if not deposit.ended:
            yield ev.ItemWithdrawn(deposit.deposit, HELPER, Proof.SENSED)


class Past:
    def __init__(self, keys: Keys, platform: Platform) -> None:
        self._keys = keys
        self._secrets = LockerSecrets(keys, platform.random_bytes)
        self._ended: deque[ev.RecordsForgotten] = deque()

    async def commit(self, journal: Journal, facts: Facts) -> None:
        await journal.commit("applicant", lambda _state: Decided(None, facts))

    def codes(self) -> Codes:
        pick_up = (typed_text(f"{399 + door}", MADE_SECRET) for door in range(1, DOORS + 1))
        return Codes(typed_text("399", MADE_SECRET), tuple(pick_up))

    def helper(self) -> Facts:
        digest = self._digest("badge", "0")
        return (ev.StaffEnrolled(HELPER, frozenset({"helper"}), digest, digest, FOREVER_MS, name="赵*"),)

    def right(self, name: str, locator: str) -> ev.AuthorisationGranted:
        digest = self._digest("drop_off", locator + MADE_SECRET)
        return ev.AuthorisationGranted(
            AuthorisationId(f"a-{name}"), CaseNumber(f"CASE-{name}"), "食品经营许可 Food business licence",
            ("申请表 Application form", "营业场所证明 Proof of premises"), (), Size.S, 0, FOREVER_MS, locator,
            digest, self._digest("phone4", "5678"), name="张*", phone="138****5678",
        )  # fmt: skip

    def submission(self, visit: int) -> Facts:
        """Handed in by an applicant, taken in by a helper, forgotten a day later."""
        door, deposit = _door(visit), self._deposit()
        right = self.right(str(visit), f"{visit % 398:03d}")
        held = ev.CompartmentReserved(
            deposit, door, Kind.SUBMISSION, right.case, right.authorisation, ItemId("")
        )
        return (
            right,
            ev.CodeAccepted(f"authorisation/{right.authorisation}", "typed"),
            held,
            *self._opened(door, deposit, Purpose.DROP_OFF, NOBODY, Presence.PRESENT),
            ev.SubmissionDeposited(deposit, door, Presence.PRESENT, 2),
            self._receipt(deposit, right.case),
            ev.StaffSignedIn(HELPER),
            *self._opened(door, deposit, Purpose.INTAKE, HELPER, Presence.ABSENT),
            ev.SubmissionTaken(deposit, HELPER, Proof.SENSED, "complete"),
            *self._forgotten(ev.RecordsForgotten((deposit,), (), (right.authorisation,), ())),
        )

    def outgoing(self, visit: int) -> Facts:
        """Loaded by a helper, collected by its recipient, forgotten a day later."""
        door = _door(visit)
        facts = self.loaded(visit, door, f"{420 + visit % 500}")
        announced, held, made = facts[0], facts[1], facts[-1]
        assert isinstance(announced, ev.ItemAnnounced)
        assert isinstance(held, ev.CompartmentReserved)
        assert isinstance(made, ev.PickupCodeMade)
        return (
            *facts,
            ev.CodeAccepted(f"code/{made.code}", "typed"),
            *self._opened(held.door, held.deposit, Purpose.PICK_UP, NOBODY, Presence.ABSENT),
            ev.ItemPickedUp(held.deposit, Proof.SENSED),
            ev.CodeEnded(made.code, "collected"),
            *self._forgotten(ev.RecordsForgotten((held.deposit,), (made.code,), (), (announced.item,))),
        )

    def loaded(self, visit: int, door: int, locator: str) -> Facts:
        """Announced by the centre, and put in by a helper."""
        number, item, deposit = CompartmentNumber(door), ItemId(f"i-{visit}"), self._deposit()
        case = CaseNumber(f"OUT-{visit}")
        announced = ev.ItemAnnounced(
            item, case, "营业执照 Business licence", Size.S, False, self._digest("phone4", "5678"), 60,
            name="李*", phone="139****5678",
        )  # fmt: skip
        typed, scanned = self._digest("pick_up", locator + MADE_SECRET), self._digest("scan", f"{visit}")
        code = CodeId(self._secrets.new_id())
        return (
            announced,
            ev.CompartmentReserved(deposit, number, Kind.OUTGOING, case, AuthorisationId(""), item),
            *self._opened(number, deposit, Purpose.LOAD, HELPER, Presence.PRESENT),
            ev.ItemLoaded(deposit, item, HELPER, Proof.SENSED, True),
            ev.PickupCodeMade(code, deposit, locator, typed, scanned, self._secrets.seal(locator)),
        )

    def _opened(
        self,
        door: CompartmentNumber,
        deposit: DepositId,
        purpose: Purpose,
        staff: StaffId,
        left: Presence,
    ) -> Facts:
        grant = GrantId(self._secrets.new_id())
        return (
            ev.OpeningRequested(grant, door, purpose, deposit, staff, 1),
            ev.PulseAcknowledged(grant),
            ev.DoorOpened(door, grant),
            ev.DoorClosed(door, grant, left),
        )

    def _receipt(self, deposit: DepositId, case: str) -> ev.ReceiptIssued:
        text = json.dumps({"case": case, "v": 1})
        return ev.ReceiptIssued(deposit, self._secrets.new_id(), text, *self._secrets.sign(text))

    def _forgotten(self, ended: ev.RecordsForgotten) -> Iterator[ev.Event]:
        self._ended.append(ended)
        if len(self._ended) > REMEMBERED:
            yield self._ended.popleft()

    def _deposit(self) -> DepositId:
        return DepositId(self._secrets.new_id())

    def _digest(self, kind: str, text: str) -> str:
        return keyed_digest(self._keys.code_key, kind, text)


def _door(visit: int) -> CompartmentNumber:
    return CompartmentNumber(visit % DOORS + 1)
