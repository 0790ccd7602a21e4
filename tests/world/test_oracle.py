"""Whether the oracle can say no: each of its checks is shown what must never be."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hw_sim.boards import CoilOrder
from hw_sim.cabinet import Pulse
from locker.journal.store import Store
from locker.operations.ports import JournalFailing
from sync.central.alarms import Trouble, raise_alarm
from sync.central.cases import PreReview
from sync.central.tables import COMPARTMENT
from tests.world.centre import Person, Size
from tests.world.clockwork import Clockwork
from tests.world.disks import FULL, WorldVfs
from tests.world.ledgers import Ledger
from tests.world.oracle import Oracle, Watched
from tests.world.reference import Fact
from tests.world.times import pause
from tests.world.world import Violation, World, run

PHONE = "13800000001"
LONG_S = 10_000.0
Story = Callable[["Eyes"], Awaitable[None]]


class Eyes:
    """One world, its oracle, and one visit's papers behind a door."""

    def __init__(self, world: World) -> None:
        self.world, self.oracle = world, Oracle(world)
        self.machine = world.machines[0]
        self.typed = ""
        self.door = 0

    @property
    def watched(self) -> Watched:
        return self.oracle.watched[self.machine.name]

    def numbers(self) -> set[int]:
        """Of what was complained of since the last question."""
        found = {violation.number for violation in self.world.violations}
        self.world.violations.clear()
        return found

    async def visit(self) -> None:
        centre, screen = self.world.centre, self.machine.screen
        person = Person("张伟", PHONE)
        await centre.pre_review(
            PreReview("C-1", "licence", ("form",), (), Size.S, person, self.machine.name, 72)
        )
        await self.until(lambda: PHONE in centre.phones.inbox)
        self.typed = centre.phones.inbox[PHONE][0].said["typed"]
        await screen.typed(self.typed)
        await screen.act("open")
        await self.until(lambda: any(self.machine.is_open(n) for n in range(1, 17)))
        self.door = next(n for n in range(1, 17) if self.machine.is_open(n))
        await pause(2.0)
        self.machine.do(self.door, "put")
        self.machine.do(self.door, "shut")
        await pause(3.0)
        await screen.act("leave")

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(200):
            if holds():
                return
            await pause(0.5)
        raise AssertionError("it never came")

    def pulse(self, door: int, frame: bytes = b"") -> None:
        lock = self.machine.layout.compartments[door - 1].lock
        order = CoilOrder(lock.board, lock.channel, 500, 0, frame or b"%d" % door)
        self.machine.pulse(Pulse(lock.line, order, door))

    def fact(self, kind: str, **data: Any) -> Fact:
        past = self.watched.past
        return Fact(past.last + 1, kind, data, past.boot, past.mono_ms, 0, trusted=True, cause="sensor")


def played(vfs: WorldVfs, folder: Path, story: Story) -> None:
    async def told(world: World) -> None:
        eyes = Eyes(world)
        await world.begin()
        await eyes.visit()
        await pause(10.0)
        assert eyes.numbers() == set(), world.violations
        await story(eyes)

    run(1, folder, told, vfs)


def test_a_world_without_faults_comes_to_rest(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        await pause(120.0)
        await eyes.oracle.at_rest()
        assert eyes.watched.past.last > 20

    played(vfs, tmp_path, story)


def test_directives_on_the_topic_of_acknowledgements_are_none(vfs: WorldVfs, tmp_path: Path) -> None:
    """As somebody who has the broker may send them, rightly signed: this ended worlds with a KeyError."""

    async def story(eyes: Eyes) -> None:
        broker = eyes.world.broker
        said = next(parcel for parcel in broker.heard if parcel.topic.endswith("/dn/log"))
        broker.replay(replace(said, topic=said.topic.removesuffix("log") + "ack"))
        assert eyes.numbers() == set()

    played(vfs, tmp_path, story)


def test_a_pulse_after_the_disk_refused_something_is_seen(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        pulses, machine = eyes.watched.pulses, eyes.machine
        durable, built = pulses.by_door[eyes.door], machine.built
        assert built is not None

        def granted(grant: str) -> None:
            fact = eyes.fact("OpeningRequested", grant=grant, door=eyes.door)
            fact = fact._replace(seq=durable.seq, mono_ms=machine.time.mono_ms())
            assert list(pulses.told(fact, durable.hash, machine.life)) == []

        granted("of before")
        machine.platter.refuses = FULL
        with pytest.raises(JournalFailing):
            await built.journal.anchor()
        machine.platter.refuses = None
        eyes.pulse(eyes.door)
        assert eyes.numbers() == set()
        granted("of after")  # the disk is well again, and that does not count
        eyes.pulse(eyes.door)
        assert eyes.numbers() == {16}

    played(vfs, tmp_path, story)


def test_a_step_of_the_clock_that_nobody_wrote_down_is_seen() -> None:
    def numbers(*steps_ms: tuple[int, int]) -> set[int]:
        """By how much the clock steps, and how much of it is said; a second later each time."""
        clockwork, found, wall_ms = Clockwork(), set(), 0
        for n, (by_ms, said_ms) in enumerate(steps_ms):
            wall_ms += by_ms
            facts = [Fact(n, "DoorRead", {}, 1, n * 1_000, n * 1_000 + wall_ms, trusted=True, cause="sensor")]
            if said_ms:
                facts.append(facts[0]._replace(kind="ClockStepped", data={"delta_ms": said_ms}))
            found |= {number for number, _ in clockwork.told(facts)}
        return found

    assert numbers((0, 0), (2_000, 0), (-2_000, 0), (5_000, 5_000), (-90_000, -89_000)) == set()
    assert numbers((0, 0), (3_000, 0)) == {20}
    assert numbers((0, 0), (-90_000, 90_000)) == {20}
    assert numbers((0, 0), (0, 5_000)) == {20}


def test_pulses_without_a_right_are_seen(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        free, right = eyes.door % 16 + 1, eyes.watched.pulses.by_door[eyes.door]
        eyes.pulse(free)
        assert eyes.numbers() == {1}
        eyes.pulse(eyes.door)
        assert eyes.numbers() == {2}  # its grant was used
        right.pulsed_s = -1.0
        eyes.pulse(eyes.door)
        assert eyes.numbers() == {2}  # its deadline is over
        right.pulsed_s, right.since_s, right.life = -1.0, eyes.world.loop.time(), eyes.machine.life - 1
        eyes.pulse(eyes.door)
        assert eyes.numbers() == {7}
        right.pulsed_s, right.life, right.hash = -1.0, eyes.machine.life, b"not there" * 3
        eyes.pulse(eyes.door)
        assert eyes.numbers() == {1}  # what is not on the disk
        eyes.pulse(free, b"one")
        eyes.pulse(free % 16 + 1, b"one")
        assert 11 in eyes.numbers()
        eyes.machine.platter.refuses = FULL
        eyes.pulse(free)
        assert eyes.numbers() == {16}

    played(vfs, tmp_path, story)


def test_what_is_said_of_the_wire_is_compared_with_it(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        pulses = eyes.watched.pulses
        right = pulses.by_door[eyes.door]
        assert [n for n, _ in pulses.told(eyes.fact("PulseNotSent", grant=right.grant), b"", 1)] == [2]
        right.reply_s = eyes.world.loop.time() + 1
        assert [n for n, _ in pulses.told(eyes.fact("PulseAcknowledged", grant=right.grant), b"", 1)] == [2]

    played(vfs, tmp_path, story)


def test_doors_are_watched(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        sightings, free = eyes.watched.sightings, eyes.door % 16 + 1
        await pause(5.0)
        opened = eyes.fact("DoorOpened", door=free, grant="")
        assert [number for number, _ in sightings.told(opened)] == [3]
        eyes.machine.do(free, "pry")
        await pause(5.0)
        assert eyes.numbers() == set()
        closed = eyes.fact("DoorClosed", door=free, grant="", item="absent")
        assert [number for number, _ in sightings.told(closed)] == [3]
        eyes.machine.do(free, "shut")
        await pause(5.0)
        eyes.world.on_entries.remove(eyes.oracle._entries)  # nobody tells of it
        eyes.machine.do(free, "pry")
        await pause(3.0)
        assert eyes.numbers() == {3}

    played(vfs, tmp_path, story)


def test_a_board_takes_only_its_own_doors_along(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        eyes.machine.break_line("A", dead=(2,))
        await eyes.until(lambda: eyes.watched.custody.model.doors[1].position == "unknown")
        assert eyes.numbers() == set()
        silent = eyes.fact("BoardWentSilent", board="A/1", doors=[1])
        assert [number for number, _ in eyes.watched.sightings.told(silent)] == [26]

    played(vfs, tmp_path, story)


def test_a_journal_that_forgot_or_changed_is_found_at_the_next_start(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        past, model = eyes.watched.past, eyes.watched.custody.model
        true = past.hashes[5]
        past.hashes[5] = bytes(32)
        eyes.machine.kill()
        await pause(10.0)
        assert eyes.numbers() == {14}
        past.hashes[5] = true
        model.doors[eyes.door].deposit = ""
        eyes.machine.kill()
        await pause(10.0)
        assert 17 in eyes.numbers()
        past.last += 5
        eyes.machine.kill()
        await pause(5.0)
        assert 13 in eyes.numbers()

    played(vfs, tmp_path, story)


def test_an_entry_out_of_turn_is_found(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        rows = eyes.oracle._rows(eyes.machine)
        past, fact = replace(eyes.watched.past), eyes.fact("Booted")
        assert {n for n, _ in past.add(rows[-1]._replace(seq=past.last + 2), fact, 0.0)} == {13, 20}
        past = replace(eyes.watched.past)
        assert [n for n, _ in past.add(rows[-1]._replace(seq=past.last + 1), fact, 0.0)] == [14]
        past = replace(eyes.watched.past)
        earlier = fact._replace(mono_ms=fact.mono_ms - 1)
        assert 20 in {n for n, _ in past.add(rows[-1]._replace(seq=past.last + 1), earlier, 0.0)}

    played(vfs, tmp_path, story)


def test_ledgers_are_compared(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        await pause(60.0)
        past, store = eyes.watched.past, eyes.world.centre.store
        assert store is not None

        def compared(said: int = 0) -> set[int]:
            def look(connection: Any) -> set[int]:
                return {n for n, _ in Ledger(eyes.machine.name).look(connection, past, said, alive=True)}

            return store.read_now(look)

        assert compared() == set()
        assert compared(said=past.last + 1) == {15}
        true, past.hashes[7] = past.hashes[7], bytes(32)
        assert compared() == {15}
        past.hashes[7] = true
        last = past.hashes.pop(past.last)
        assert compared() == {13}
        past.hashes[past.last] = last
        eyes.watched.custody.model.doors[eyes.door].doubt = "nobody knows"
        store.write_now(lambda c: c.execute(COMPARTMENT.update().values(doubt="nobody knows")))
        with pytest.raises(Violation):
            await eyes.oracle.at_rest()
        assert eyes.numbers() == {28, 29}

    played(vfs, tmp_path, story)


def test_what_people_entrusted_is_asked_for(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        await pause(60.0)
        eyes.world.testimony.entrusted["papers"] = (eyes.machine.name, eyes.door % 16 + 1)
        eyes.watched.set_back = True
        with pytest.raises(Violation):
            await eyes.oracle.at_rest()
        assert eyes.numbers() == {4, 5, 14}

    played(vfs, tmp_path, story)


def test_an_alarm_of_a_card_that_nobody_touched_is_found(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        await pause(60.0)
        trouble, store = Trouble("lost_rows", "epoch", ""), eyes.world.centre.store
        assert store is not None
        store.write_now(lambda c: raise_alarm(c, eyes.machine.name, trouble, 0))
        with pytest.raises(Violation):
            await eyes.oracle.at_rest()
        assert eyes.numbers() == {14}
        eyes.world.lies.add("old_card")
        await eyes.oracle.at_rest()

    played(vfs, tmp_path, story)


def test_a_purge_that_changes_the_chain_is_found(
    vfs: WorldVfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def purge(store: Store, _before: int) -> None:
        store._connection.execute("UPDATE entry SET salt = NULL, personal_digest = NULL, personal = NULL")

    async def story(eyes: Eyes) -> None:
        await pause(60.0)
        monkeypatch.setattr(Store, "purge_personal", purge)
        with pytest.raises(Violation):
            await eyes.oracle.at_rest()
        assert eyes.numbers() == {19}

    played(vfs, tmp_path, story)
