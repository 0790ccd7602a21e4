"""Decisions one after the other, each durable before its answer; what goes wrong leaves nothing half done."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from locker.domain import chain
from locker.domain import events as ev
from locker.domain.entry import Entry
from locker.domain.errors import IllegalTransition
from locker.domain.ids import CompartmentNumber, GrantId, Seq, StaffId
from locker.domain.state import LockerState, state_hash
from locker.journal import verify
from locker.journal.errors import JournalBusy, JournalClosed, JournalCorrupt, WriteFailed
from locker.journal.journal import Journal
from locker.operations.ports import Decided, JournalFailing
from tests.locker.journal.histories import Life, SetClock, live, one_thread, opened

HELPER = StaffId("s-1")


def enrolled(name: str = "赵*") -> ev.StaffEnrolled:
    return ev.StaffEnrolled(HELPER, frozenset({"helper"}), "00", "11", 1, name=name)


def fact(*events: ev.Event) -> "Decided[int]":
    return Decided(len(events), events)


async def test_an_empty_journal(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.sqlite3") as journal:
        assert (journal.state, journal.head, journal.boot) == (LockerState(), chain.START, 1)
        assert (journal.failing, journal.acknowledged) == (False, 0)
        assert await journal.commit("daemon", lambda state: Decided(state.seq)) == 0


async def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        assert await journal.commit("centre", lambda _: fact(enrolled(), ev.StaffSignedIn(HELPER))) == 2
        state, head = journal.state, journal.head
        assert (state.seq, state.staff[HELPER].seq) == (2, 1)
    async with opened(path) as journal:
        assert (journal.state, journal.head) == (state, head)
        assert journal.boot == 2
        assert await journal.personal(Seq(1)) == {"name": "赵*"}
        assert await journal.personal(Seq(2)) == {}
        assert await journal.personal(Seq(99)) == {}


async def test_decisions_see_each_other(tmp_path: Path) -> None:
    """Twenty at once: each one decides on the state that the one before left."""
    async with opened(tmp_path / "journal.sqlite3") as journal:
        await journal.commit("centre", lambda _: fact(enrolled()))

        def decide(state: LockerState) -> "Decided[int]":
            return Decided(state.staff[HELPER].pin_failures, (ev.StaffSignInFailed(HELPER),))

        answers = await asyncio.gather(*(journal.commit("kiosk", decide) for _ in range(20)))
        assert answers == list(range(20))
        assert journal.state.staff[HELPER].pin_failures == 20


async def test_subscribers_are_told_in_order_before_the_committer_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.sqlite3") as journal:
        told: list[tuple[int, tuple[str, ...]]] = []

        def listen(state: LockerState, entries: tuple[Entry, ...]) -> None:
            told.append((state.seq, tuple(type(entry.event).__name__ for entry in entries)))

        end = journal.subscribe(listen)
        await journal.commit("centre", lambda _: fact(enrolled()))
        assert told == [(1, ("StaffEnrolled",))]
        await journal.commit("daemon", lambda _: Decided(None))
        await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER), ev.StaffSignedOut(HELPER)))
        assert told[1:] == [(3, ("StaffSignedIn", "StaffSignedOut"))]
        end()
        end()
        await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))
        assert len(told) == 2


async def test_a_subscriber_that_fails_spoils_no_commit(tmp_path: Path) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))

    def broken(_state: LockerState, _entries: tuple[Entry, ...]) -> None:
        raise ZeroDivisionError

    async with opened(tmp_path / "journal.sqlite3") as journal:
        told: list[int] = []
        journal.subscribe(broken)
        journal.subscribe(lambda state, _: told.append(state.seq))
        await journal.commit("centre", lambda _: fact(enrolled()))
        assert told == [1]
    assert [type(error) for error in reported] == [ZeroDivisionError]


async def test_a_decision_that_raises_writes_nothing(tmp_path: Path) -> None:
    def impossible(_: LockerState) -> "Decided[int]":
        return fact(enrolled(), ev.DoorOpened(CompartmentNumber(1), GrantId("never granted")))

    def broken(_: LockerState) -> "Decided[int]":
        raise IllegalTransition("opening", "closed", "restart")

    async with opened(tmp_path / "journal.sqlite3") as journal:
        with pytest.raises(KeyError):
            await journal.commit("sensor", impossible)
        with pytest.raises(IllegalTransition):
            await journal.commit("sensor", broken)
        assert journal.state == LockerState()
        assert await journal.commit("centre", lambda _: fact(enrolled())) == 1


async def test_time_in_the_journal_never_runs_backwards(tmp_path: Path) -> None:
    clock = SetClock(5_000)
    async with opened(tmp_path / "journal.sqlite3", clock=clock) as journal:
        await journal.commit("centre", lambda _: fact(enrolled()))
        clock.now_ms = 4_000
        await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))
        assert journal.state.last_mono_ms == 5_000
    clock.now_ms = 10
    async with opened(tmp_path / "journal.sqlite3", clock=clock) as journal:
        await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))
        assert (journal.boot, journal.state.last_mono_ms) == (2, 10)  # another boot, another count


# --- cancellation ---


async def test_who_is_cancelled_while_waiting_has_done_nothing(tmp_path: Path) -> None:
    with one_thread() as executor:
        journal = await Journal.open(tmp_path / "journal.sqlite3", SetClock(), bytes, executor)
        gate = Event()
        executor.submit(gate.wait, 30)
        first = asyncio.create_task(journal.commit("centre", lambda _: fact(enrolled())))
        waiting = asyncio.create_task(journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER))))
        await turn_of_the_loop()
        waiting.cancel()
        gate.set()
        assert await first == 1
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert journal.state.seq == 1
        await journal.close()


async def test_who_is_cancelled_later_has_only_lost_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with one_thread() as executor:
        journal = await Journal.open(path, SetClock(), bytes, executor)
        told: list[int] = []
        journal.subscribe(lambda state, _: told.append(state.seq))
        gate = Event()
        executor.submit(gate.wait, 30)
        gone = asyncio.create_task(journal.commit("centre", lambda _: fact(enrolled())))
        await turn_of_the_loop()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert journal.state.seq == 0  # not durable yet, so not true yet
        after = asyncio.create_task(journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER))))
        await turn_of_the_loop()
        gate.set()
        assert await after == 1
        assert (journal.state.seq, told) == (2, [1, 2])
        state = journal.state
        await journal.close()
    async with opened(path) as again:
        assert again.state == state


async def turn_of_the_loop() -> None:
    """Long enough for tasks that wait for nothing to come to where they wait."""
    for _ in range(5):
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(done.set_result, None)
        await done


# --- a disk that fails ---


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file of this process may grow beyond what this journal's write-ahead log has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size + 100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_ends_all_writing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(3), 40)
        await journal.commit("centre", lambda _: fact(enrolled()))
        state, head = journal.state, journal.head
        told: list[tuple[int, int]] = []
        journal.subscribe(lambda after, entries: told.append((after.seq, len(entries))))
        with full_disk(path), pytest.raises(JournalFailing, match="free or replace the disk"):
            await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))
        assert journal.failing
        # There is room again, and still nothing is written: what else was lost nobody knows.
        with pytest.raises(JournalFailing):
            await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))
        with pytest.raises(WriteFailed):
            await journal.acknowledge(Seq(3))
        with pytest.raises(WriteFailed):
            await journal.purge_personal(Seq(1))
        assert await journal.commit("kiosk", lambda now: Decided(now.seq)) == state.seq
        assert await journal.personal(state.seq) == {"name": "赵*"}
        # Once, and with no entries: that it fails.
        assert (journal.state, journal.head, told) == (state, head, [(state.seq, 0)])
    async with opened(path) as journal:
        assert (journal.state, journal.head, journal.failing) == (state, head, False)
        await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))


async def test_a_checkpoint_that_fails_ends_all_writing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(3), 40)

        def no_checkpoint() -> None:
            raise WriteFailed(path, "disk I/O error")

        journal._store.checkpoint = no_checkpoint  # type: ignore[method-assign]
        journal._store._since_checkpoint = 10_000
        await journal.commit("centre", lambda _: fact(enrolled()))
        await journal.personal(Seq(1))  # behind the checkpoint on the one thread
        with pytest.raises(JournalFailing):
            await journal.commit("kiosk", lambda _: fact(ev.StaffSignedIn(HELPER)))


async def test_the_log_is_moved_into_the_file_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(4), 1_000)
        assert path.with_name(path.name + "-wal").stat().st_size < 3 << 20
        assert path.stat().st_size > 100_000


async def test_the_log_of_who_is_killed_again_and_again_does_not_grow(tmp_path: Path) -> None:
    """Each is killed long before it has made as many commits as a checkpoint waits for."""
    sizes, path = [], tmp_path / "journal.sqlite3"
    log = path.with_name(path.name + "-wal")
    for seed in range(5):
        async with opened(path) as journal:
            await live(journal, Life(seed), 40)
            await journal.personal(Seq(1))  # behind the checkpoint on the one thread
            left = {file: file.read_bytes() for file in (path, log)}
        for file, data in left.items():  # as a kill leaves them
            file.write_bytes(data)
        sizes.append(log.stat().st_size)
    assert max(sizes) < 2 * sizes[0], sizes


async def test_the_log_is_moved_into_the_file_once_the_mains_fail(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await journal.commit("kiosk", lambda _: fact(ev.GuessesCounted("unknown_code", 1)))
        await journal.personal(Seq(1))  # behind the first checkpoint
        await journal.commit("centre", lambda _: fact(enrolled()))
        assert b"s-1" not in path.read_bytes()
        await journal.commit("sensor", lambda _: fact(ev.MainsLost()))
        await journal.personal(Seq(1))  # behind the checkpoint on the one thread
        assert b"s-1" in path.read_bytes()


async def test_after_the_end(tmp_path: Path) -> None:
    with one_thread() as executor:
        journal = await Journal.open(tmp_path / "journal.sqlite3", SetClock(), bytes, executor)
        await journal.close()
        await journal.close()
        with pytest.raises(JournalClosed):
            await journal.commit("centre", lambda _: fact(enrolled()))
        assert await journal.commit("kiosk", lambda state: Decided(state.seq)) == 0


# --- one writer ---


async def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    code = "import sys, pathlib as p; from locker.journal import lock; lock.JournalLock(p.Path(sys.argv[1]))"
    async with opened(path):
        with pytest.raises(JournalBusy, match=r"in use by process \d+: stop that first"):
            async with opened(path):
                pass
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(path), stderr=subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        _, said = await process.communicate()
        assert process.returncode == 1
        assert b"JournalBusy" in said
    async with opened(path):
        pass


# --- what a start refuses ---


async def made(path: Path) -> LockerState:
    async with opened(path) as journal:
        await live(journal, Life(5), 200)
        return journal.state


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("UPDATE entry SET public = replace(public, 'ntp', 'rtc') WHERE seq = 150", 150),
        ("UPDATE entry SET personal = 'x' WHERE personal IS NOT NULL", 0),
        ("DELETE FROM entry WHERE seq = 77", 77),
        ("DELETE FROM entry WHERE seq > 190", 191),
        ("DELETE FROM entry WHERE seq < 50", 50),
        ("DELETE FROM meta", 1),
        ("UPDATE meta SET value = '\"00\"' WHERE name = 'head'", 0),
        ("INSERT INTO entry (seq, public, hash) VALUES (5000, '{}', x'00')", 0),
    ],
)
async def test_a_journal_that_contradicts_itself_is_refused(tmp_path: Path, statement: str, at: int) -> None:
    path = tmp_path / "journal.sqlite3"
    state = await made(path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(JournalCorrupt, match="put back the last good backup") as refused:
        async with opened(path):
            pass
    assert refused.value.seq in ({at} if at else range(1, state.seq + 2))


# --- anchors ---


async def test_what_an_anchor_stands_for_may_go(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(6), 300)
        before = journal.state
        anchored = await journal.anchor()
        assert (anchored.seq, anchored.state_hash) == (before.seq, state_hash(before))
        await live(journal, Life(7), 50)
        await journal.acknowledge(journal.state.seq)
        assert await journal.purge_rows(anchored.seq) == before.seq
        state, head = journal.state, journal.head
    async with opened(path) as journal:
        assert (journal.state, journal.head, journal.acknowledged) == (state, head, state.seq)
    verdict = verify.check(path)
    assert (verdict.wrong, verdict.first, verdict.last) == ("", before.seq + 1, state.seq)


async def test_an_anchor_names_the_entry_right_before_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.sqlite3") as journal:
        await journal.commit("centre", lambda _: fact(enrolled()))
        with pytest.raises(ValueError, match="right before"):
            await journal.commit("daemon", lambda s: fact(ev.Anchored(s.seq, "00", state_hash(s), 1)))


async def test_the_acknowledged_cursor_only_moves_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(8), 30)
        await journal.acknowledge(Seq(20))
        await journal.acknowledge(Seq(10))
        assert journal.acknowledged == 20
    async with opened(path) as journal:
        assert journal.acknowledged == 20
