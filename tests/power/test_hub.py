"""The power goes at the hub: what a locker or a caller was told is there; no entry is missing or doubled."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Any, Final

import pytest
from sqlalchemy import Connection

from locker.domain import directives
from locker.domain.deposit import Proof
from locker.domain.events import (
    DirectiveApplied,
    ReceiptIssued,
    Stopped,
    SubmissionTaken,
)
from locker.domain.ids import Epoch, Seq, StaffId
from sync import wire
from sync.central import ledger, migrations, store
from sync.central.access.actor import EVERY_AREA, Role, person
from sync.central.ingest import Ingest
from sync.central.office import Repeatable
from sync.central.staff import Enrolment
from tests.power import hub
from tests.power.disk import Disk, Operation, Write, after
from tests.power.hub import Cuts, HubRecording, Life, lived, reopened
from tests.power.vfs import Vfs
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.test_cases import PASSED, READY
from tests.sync.central.test_ledger import BIRTH, CABINET, STAY, VISIT
from tests.sync.central.test_migrations import old_database, steps

TIMES: Final = 5
MANY: Final = 40
CLERK: Final = person("test", [Role.WINDOW_CLERK], [EVERY_AREA])


@pytest.fixture(autouse=True)
def _checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_pragmas", hub.often)


@pytest.fixture
def database(path: Path) -> Path:
    return path.with_name("central.sqlite")


# --- what a hub does ---


async def visit(life: Life) -> None:
    """Born, greeted, a drop-off and its intake in several batches, repeats and a reconnect in between."""
    life.enrol()
    life.locker.add(BIRTH)
    await life.comes_back()
    await life.says(wire.Name.LOG, life.locker.batch())
    await life.tells(CABINET, *VISIT)
    await life.says(wire.Name.LOG, life.locker.batch(1, 4))
    await life.comes_back()
    await life.tells(SubmissionTaken(STAY, StaffId("h"), Proof.SENSED, "complete"), Stopped("now"))
    await life.says(wire.Name.LOG, replace(life.locker.batch(5, 6), from_seq=90, to_seq=91))
    await life.says(wire.Name.LINK, life.locker.link(online=False))


async def office(life: Life) -> None:
    """A right, an item, a helper: made, sent, acknowledged; messages go out; one request comes twice."""
    life.enrol()
    life.locker.add(BIRTH)
    await life.comes_back()
    await life.says(wire.Name.LOG, life.locker.batch())
    for _ in range(2):
        right = await life.office.pre_review(PASSED, CLERK, Repeatable("key-1", "body"))
        life.recording.said(("authorisation", right.authorisation))
        await life.pump.step()
    life.recording.said(("item", await life.office.outgoing_item(READY, CLERK, Repeatable())))
    person = Enrolment("h-1", "Li", frozenset({"helper"}), "123456", ("hall-1",))
    await life.office.enrol_staff(person, CLERK, Repeatable())
    life.recording.said(("staff", person.staff))
    await life.pump.step()
    sent = next(words for words in life.heard if isinstance(words, wire.DownBatch))
    says = directives.read(sent.entries[0]).says
    assert says is not None
    applied = DirectiveApplied(Epoch(sent.dn_epoch), Seq(1), sent.hash, "applied")
    await life.tells(CABINET, says, applied)
    await life.says(wire.Name.ACK, wire.UpAck("hall-1", sent.dn_epoch, 1))
    await life.messages()
    await life.tells(*VISIT, ReceiptIssued(STAY, "R-1", "{}", "", ""))
    await life.messages()
    await life.office.renew_staff()


async def trouble(life: Life) -> None:
    """What does not fit: unreadable and unknown entries, a fork, an old card, a new disk, nobody's words."""
    life.enrol()
    life.locker.add(BIRTH).add_raw("{").add_raw('{"v":1,"seq":3,"type":"Nobody"}')
    await life.comes_back()
    await life.says(wire.Name.LOG, life.locker.batch())
    right = await life.office.pre_review(PASSED, CLERK, Repeatable())
    life.recording.said(("authorisation", right.authorisation))
    await life.pump.step()
    true, clone = life.locker, FakeLocker().add(BIRTH, Stopped("other"), Stopped("other"), Stopped("more"))
    life.locker = clone
    await life.says(wire.Name.LOG, clone.batch())
    life.locker = true
    await life.says(wire.Name.LINK, replace(true.link(), head=1, head_hash=true.hash_at(1)))
    life.locker = FakeLocker(epoch=name_of("a new disk"), boot=2).add(BIRTH, CABINET)
    await life.comes_back()
    await life.says(wire.Name.LOG, life.locker.batch())


def made_up(seed: int) -> Callable[[Life], Awaitable[None]]:
    """A life that comes as chance has it."""

    async def life(life: Life) -> None:
        chance = Random(seed)
        life.enrol()
        life.locker.add(BIRTH, CABINET)
        for n in range(12):
            match chance.randrange(5):
                case 0:
                    await life.comes_back()
                case 1:
                    case = replace(PASSED, case=f"GS-{n}")
                    right = await life.office.pre_review(case, CLERK, Repeatable())
                    life.recording.said(("authorisation", right.authorisation))
                case 2:
                    ready = replace(READY, case=f"GS-{n}")
                    life.recording.said(("item", await life.office.outgoing_item(ready, CLERK, Repeatable())))
                case _:
                    first = chance.randrange(1, life.locker.head + 1)
                    life.locker.add(*(Stopped(f"{n}/{each}") for each in range(chance.randrange(1, 9))))
                    await life.says(wire.Name.LOG, life.locker.batch(first))
            await life.pump.step()

    return life


# --- cut ---


@pytest.mark.timeout(300)
@pytest.mark.parametrize("life", [visit, office, trouble])
async def test_every_operation_of_what_a_hub_does(
    vfs: Vfs, database: Path, life: Callable[[Life], Awaitable[None]]
) -> None:
    recording = await lived(vfs, database, life)
    begun = _after_enrolling(recording)
    tally = Cuts(vfs, recording).everywhere(seed=1, begun=begun)
    assert set(tally) == {""}
    assert tally.total() > 60
    assert len(recording.words) > 5
    assert sum(_is_of(database, each) for each in recording.disk.log[begun:]) > 10, "no checkpoint"


async def test_how_a_hub_begins_is_cut_from_end_to_end(vfs: Vfs, database: Path) -> None:
    """A transaction of some hundred operations makes every table; `make soak` cuts at each."""
    recording = await lived(vfs, database, visit)
    begins = range(_after_enrolling(recording) + 1)
    tally = Cuts(vfs, recording).spread(1, begins, MANY)
    assert set(tally) == {""}
    assert tally.total() > MANY // 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
async def test_random_cuts_of_made_up_lives(vfs: Vfs, database: Path, seed: int) -> None:
    recording = await lived(vfs, database, made_up(seed))
    assert set(Cuts(vfs, recording).anywhere(40, seed)) == {""}


async def test_after_a_cut_the_locker_goes_on_and_each_entry_is_there_once(vfs: Vfs, database: Path) -> None:
    """The hub says where it is, the locker sends from there: the ledger is its journal in the end."""
    lives: list[Life] = []

    async def life(each: Life) -> None:
        lives.append(each)
        await visit(each)

    recording = await lived(vfs, database, life)
    locker, enrolled = lives[0].locker, _after_enrolling(recording)
    for place in range(enrolled, len(recording.disk.log), 15):
        disk = Disk(after(recording.disk, place, Random(f"9/{place}")))

        async def goes_on(each: Life) -> None:
            each.locker = locker
            locker.boot += 1
            hello = await each.comes_back()
            await each.says(wire.Name.LOG, locker.batch(hello.stored_to + 1))

        again = await lived(vfs, database, goes_on, disk)
        _, found = again.commits[-1]
        entries = {("entry", "hall-1", locker.epoch, e.seq, e.hash.hex()) for e in locker.entries}
        assert {fact for fact in found.facts if fact[0] == "entry"} == entries, place
        assert found.gapless, place


def _is_of(database: Path, operation: Operation) -> bool:
    return isinstance(operation, Write) and operation.name == str(database)


def _after_enrolling(recording: HubRecording) -> int:
    return next(operations for operations, fact in recording.words if fact[0] == "enrolled")


# --- migrations ---


@pytest.fixture(scope="module")
def present(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An old database that has every step there is: from here on there are few to go."""
    path = old_database(tmp_path_factory.mktemp("present") / "central.sqlite")
    store.Store.open(path).close()
    return path.read_bytes()


@pytest.fixture
def two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more than there are."""
    copied = (
        'op.execute("CREATE TABLE door (locker TEXT, number INTEGER, note TEXT)")\n'
        '    op.execute("INSERT INTO door SELECT locker, number, position FROM compartment")'
    )
    widened = (
        "op.execute(\"ALTER TABLE locker ADD COLUMN note TEXT NOT NULL DEFAULT ''\")\n"
        "    op.execute(\"UPDATE door SET note = note || '!'\")"
    )
    chain = [("copied", "baseline", copied), ("widened", "copied", widened)]
    monkeypatch.setattr(migrations, "FOLDER", steps(tmp_path / "steps", *chain))


async def nothing(_life: Life) -> None:
    pass


def left(database: Path, folder: Path) -> Disk:
    return Disk({str(database): old_database(folder / "old.sqlite").read_bytes()})


@pytest.mark.usefixtures("two_steps")
async def test_a_migration_is_cut_from_end_to_end(vfs: Vfs, database: Path, tmp_path: Path) -> None:
    """As above."""
    recording = await lived(vfs, database, nothing, left(database, tmp_path))
    tally = Cuts(vfs, recording, doubled=1).spread(5, range(len(recording.disk.log) + 1), MANY)
    assert set(tally) == {""}
    assert tally.total() > 15


@pytest.mark.usefixtures("two_steps")
async def test_a_migration_that_is_cut_five_times_ends_in_the_same_database(
    vfs: Vfs, database: Path, present: bytes
) -> None:
    recording = await lived(vfs, database, nothing, Disk({str(database): present}))
    ((_, whole),) = recording.commits
    for seed in range(8):
        chance, found = Random(seed), recording.disk.begun
        for _ in range(TIMES):
            disk = Disk(found)
            with vfs.on(disk):
                assert reopened(database, {}).digest == whole.digest
            found = after(disk, chance.randrange(len(disk.log) + 1), chance)


# --- mistakes that must be found ---


def wrong(tally: Counter[str]) -> int:
    return tally.total() - tally[""]


@pytest.mark.parametrize("less", ["NORMAL", "OFF"])
async def test_less_than_full_synchronous(
    vfs: Vfs, database: Path, less: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pragmas(*, query_only: bool, checkpoints: bool) -> list[str]:
        return [*hub.often(query_only=query_only, checkpoints=checkpoints), f"synchronous={less}"]

    monkeypatch.setattr(store, "_pragmas", pragmas)
    recording = await lived(vfs, database, visit)
    assert wrong(Cuts(vfs, recording).anywhere(40, 1, _after_enrolling(recording))) > 6


async def test_an_acknowledgement_before_the_commit(
    vfs: Vfs, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Ingest._together

    async def hasty(ingest: Ingest, said: Sequence[Any]) -> None:
        for batch in said:
            if isinstance(batch, wire.UpBatch):
                ingest._acknowledge(batch.locker, batch.epoch, batch.to_seq, batch.hash, gap=False)
        await honest(ingest, said)

    monkeypatch.setattr(Ingest, "_together", hasty)
    recording = await lived(vfs, database, made_up(1))
    tally = Cuts(vfs, recording).anywhere(60, seed=1)
    assert any(each.startswith("said and not there") for each in tally)


async def test_entries_in_one_transaction_and_how_far_they_reach_in_another(
    vfs: Vfs, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ledger._advance

    def split(connection: Connection, ends: Sequence[ledger.End]) -> None:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        honest(connection, ends)

    monkeypatch.setattr(ledger, "_advance", split)
    recording = await lived(vfs, database, visit)
    assert wrong(Cuts(vfs, recording).anywhere(90, 1, _after_enrolling(recording))) > 0


async def test_a_migration_outside_a_transaction(
    vfs: Vfs, database: Path, present: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = (
        'op.execute("CREATE TABLE door (locker TEXT)")\n'
        '    op.get_bind().exec_driver_sql("COMMIT")\n'
        '    op.get_bind().exec_driver_sql("BEGIN IMMEDIATE")\n'
        '    op.execute("INSERT INTO door SELECT locker FROM compartment")'
    )
    monkeypatch.setattr(migrations, "FOLDER", steps(tmp_path / "steps", ("loose", "baseline", loose)))
    recording = await lived(vfs, database, nothing, Disk({str(database): present}))
    # Late in it: the step that is loose is the last.
    places = range(len(recording.disk.log) // 2, len(recording.disk.log) + 1)
    assert wrong(Cuts(vfs, recording).spread(1, places, MANY)) > 0
