"""Names leave the journal in time: on a real file, because bytes are what it is about."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from locker.domain import events as ev
from locker.domain.acts import ActKind
from locker.domain.ids import (
    ActId,
    AuthorisationId,
    CompartmentNumber,
    DepositId,
    EntrustmentId,
    GrantId,
    ItemId,
    Seq,
    StaffId,
)
from locker.journal import verify
from locker.journal.evidence import Signer, export
from locker.journal.reader import Reader
from locker.journal.verify_evidence import Verdict, check
from locker.operations import clear_submissions
from locker.operations.forget_names import AT_ONCE, forget_names, next_ms
from locker.operations.new_epoch import begin
from locker.operations.open_door import Opened
from locker.operations.ports import Decided
from locker.operations.upkeep import sign_head, upkeep
from sync import seal
from tests.locker.journal.test_store import on_disk
from tests.locker.operations.test_visits import HELPER, hand_in
from tests.power.disk import Disk
from tests.power.recording import DiskWorld, Recording

DAY_MS = 86_400_000
OWN = seal.SigningKey.from_seed(bytes(32))
SIGNER = Signer("demo-1", OWN.public, OWN.sign, {})
CASE = "C-1"
WAITING, CALLED, GONE, AGENT, REASON = "waits-1", "called-1", "left-1", "agent-1", "because-1"


class Filed(DiskWorld):
    """A locker whose journal is a file of the machine's own disk."""

    path: Path

    async def days(self, count: float) -> None:
        await self.later(round(count * DAY_MS))
        await upkeep(self.world)

    async def rounds(self) -> int:
        """Until there is nothing left to do; how many it took."""
        count = 0
        while await forget_names(self.world, self.journal):
            count += 1
        return count

    async def known(self) -> None:
        await self.journal.acknowledge(self.journal.state.seq)

    def there(self, *names: str) -> set[str]:
        found = on_disk(self.path)
        return {name for name in names if name.encode() in found}

    def verdict(self) -> Verdict:
        reader = Reader(self.path)
        try:
            return check(export(reader, CASE, SIGNER, personal=True))
        finally:
            reader.close()

    async def named(self) -> None:
        """One of everything that carries a name, each over but for the first."""
        m, wall_ms = self, self.clock.wall_ms()
        await m.grant("C-2", name=WAITING)
        await m.announce("I-9")
        await m.announce("I-2")
        said = m.journal.events(ev.ItemAnnounced)[-1]
        await m.say(replace(said, name=CALLED))
        await m.say(ev.ItemRecalled(ItemId("I-2"), "wrong stamp"))
        await m.enrol("h-2")
        await m.say(replace(m.journal.events(ev.StaffEnrolled)[-1], name=GONE))
        await m.say(ev.StaffRevoked(StaffId("h-2")))
        span = (wall_ms, wall_ms + 1000, "0" * 64)
        await m.say(ev.AgentEntrusted(EntrustmentId("E-1"), ItemId("I-9"), *span, AGENT, "139******21"))
        door, nobody = CompartmentNumber(1), DepositId("")
        act = ev.ActAccepted(
            ActId("A-1"), 1, ActKind.OPEN, door, GrantId("G"), nobody, ("a", "b"), "n", wall_ms, REASON
        )
        await m.journal.commit("centre", lambda _s: Decided(None, (act,)))


@pytest.fixture
async def m(tmp_path: Path) -> AsyncIterator[Filed]:
    recording = Recording(Disk(), tmp_path / "journal")
    made = await Filed.on(recording)
    recording.journals[0]._store._connection.execute("PRAGMA synchronous = OFF")
    assert isinstance(made, Filed)
    made.path = recording.path
    yield made
    await recording.end()


async def taken_in(m: DiskWorld) -> None:
    """A visit from the code to the helper's hands."""
    await m.enrol()
    opened = await hand_in(m, CASE)
    again = await clear_submissions.open_compartment(m.world, HELPER, opened.deposit)
    assert isinstance(again, Opened)
    await m.settle()
    m.hands.take(opened.door)
    await m.shut(opened.door)
    assert await clear_submissions.confirm(m.world, HELPER, opened.deposit, "complete") is None
    await sign_head(m.world, lambda: m.journal.head)


async def test_a_name_goes_two_weeks_after_what_it_was_for_and_evidence_stays_as_good(m: Filed) -> None:
    await taken_in(m)
    await m.known()
    name = m.journal.events(ev.AuthorisationGranted)[0].name
    await m.days(4.1)
    assert m.journal.state.authorisations == {}
    before, head = m.verdict(), m.journal.head
    await m.days(9.8)
    assert await m.rounds() == 0
    await m.days(0.2)
    due_ms = next_ms(m.journal.state)
    assert due_ms is not None
    assert due_ms <= m.clock.wall_ms()
    assert await m.rounds() == 1
    assert m.there("138******78") == set()
    assert name not in {(await m.journal.personal(Seq(n))).get("name") for n in range(1, 99) if n != 3}
    assert m.journal.state.named.ended == ()
    (fact,) = m.journal.events(ev.NamesPurged)
    assert m.verdict() == before
    assert before.wrong == ""
    found = verify.check(m.path, held=(m.journal.state.seq - 1, head))
    assert (found.wrong, found.purged) == ("", len(fact.seqs))


async def test_everything_that_names_somebody_goes_and_who_is_waited_for_stays(m: Filed) -> None:
    await m.named()
    everybody = (WAITING, CALLED, GONE, AGENT, REASON)
    assert m.there(*everybody) == set(everybody)
    await m.days(15)
    assert await m.rounds() == 0, "the centre has nothing of it yet"
    assert m.there(*everybody) == set(everybody)
    await m.known()
    assert await m.rounds() == 1
    assert m.there(*everybody) == {WAITING}, "its right was good for three days more"
    await m.days(3)
    assert await m.rounds() == 1
    assert m.there(*everybody) == set()
    assert m.journal.state.items[ItemId("I-9")].seq, "announced, not called back: somebody may still bring it"
    assert verify.check(m.path).wrong == ""


async def test_it_is_a_few_a_round_and_a_clock_that_nobody_trusts_decides_nothing(m: Filed) -> None:
    for number in range(AT_ONCE + 5):
        await m.grant(f"C-{number}")
        await m.say(ev.AuthorisationRevoked(AuthorisationId(f"auth-C-{number}"), "closed"))
    await m.known()
    m.clock.time_quality = "restored"
    await m.days(20)
    assert await m.rounds() == 0
    m.clock.time_quality = "ntp"
    assert await m.rounds() == 2
    assert [len(each.seqs) for each in m.journal.events(ev.NamesPurged)] == [AT_ONCE, 5]


async def test_an_earlier_epoch_loses_its_names_as_well(m: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locker.operations.forget_names.PAST_AT_ONCE", 2)
    await m.named()
    past = m.journal.state.epoch
    assert await begin(m.world, m.journal, "forked", past)  # type: ignore[arg-type]  # a `Break` by its word
    await m.days(13)
    assert await m.rounds() == 0
    await m.days(2)
    assert await m.rounds() > 2
    assert m.there(WAITING, CALLED, GONE, AGENT, REASON) == set()
    assert m.journal.events(ev.NamesPurged)[-1].past == past
    assert m.journal.state.named.past == ()
    assert verify.check(m.path).wrong == ""


def test_every_fact_that_names_somebody_is_known_to_the_fold() -> None:
    """Another one needs an end: see `locker.domain.purposes`."""
    named = {k for k, kind in ev.TYPES.items() if any(f.metadata.get("personal") for f in fields(kind))}
    records = {"AuthorisationGranted", "ItemAnnounced", "StaffEnrolled", "AgentEntrusted"}
    at_once = {"ActAccepted", "CodeAskedFor", "HelpAsked"}
    assert named == records | at_once
