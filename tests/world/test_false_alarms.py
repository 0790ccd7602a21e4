"""What worlds once took for a violation, and was none: the mistake was the oracle's, or the world's own."""

import asyncio
import gc
import sqlite3
from contextlib import closing
from contextvars import Context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from locker.domain.state import LockerState
from sync.central.cases import PreReview
from sync.central.pickups.desk import Pickups
from tests.power.recording import AtOnce
from tests.world.afar import Afar
from tests.world.centre import CLERK, Person, Size
from tests.world.custody import Custody
from tests.world.disks import WorldVfs
from tests.world.ears import Shown
from tests.world.journals import histories_of
from tests.world.liveness import Liveness
from tests.world.loop import LIFE, VirtualLoop
from tests.world.people import testimony
from tests.world.people.guided import is_on_slip
from tests.world.people.town import Town
from tests.world.reference import Fact, Reference, Stay
from tests.world.test_oracle import PHONE, Eyes, played
from tests.world.times import pause
from tests.world.witness import disagreements

LIVED = 7


def test_what_a_killed_process_still_begins_on_its_way_out_is_nobodys_failure() -> None:
    """A hub writes what it kept when it is cancelled; the disk of a dead one refuses that."""
    loop = VirtualLoop()

    def refused() -> None:
        raise OSError("gone")

    async def keeps() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await loop.run_in_executor(AtOnce(), refused)

    async def story() -> None:
        context = Context()
        context.run(LIFE.set, LIVED)
        loop.create_task(keeps(), context=context)
        await pause(1.0)
        loop.kill(LIVED)
        await pause(1.0)
        gc.collect()
        await pause(1.0)

    loop.run_to_end(story)
    assert loop.failed == []


def test_acts_found_again_on_another_card_are_as_old_as_they_were() -> None:
    """A card that was swapped for an old one comes back: its four acts were not given within one hour."""
    now_s = 0.0
    loop = SimpleNamespace(time=lambda: now_s)
    machine = SimpleNamespace(time=SimpleNamespace(mono_ms=lambda: 0))
    afar = Afar(_any(SimpleNamespace(loop=loop)), _any(machine), Reference())
    acts = [_act(number) for number in range(1, 5)]
    for facts in acts:
        assert list(afar.take(facts, told=True)) == []
        now_s += 2_000.0
    afar.forget()
    assert [complaint for facts in acts for complaint in afar.take(facts, told=False)] == []
    more = [_act(number) for number in range(5, 8)]
    found = [number for facts in more for number, _ in afar.take(facts, told=True)]
    assert found == [10]  # with one of 2,000 s ago, the third of these is the fourth


def test_how_long_a_door_stands_open_or_is_kept_begins_anew_with_the_daemon() -> None:
    """Monotonic time may have begun anew: nobody can say how long somebody had been gone."""
    loop = SimpleNamespace(time=lambda: 100.0)
    nothing: Any = None
    live = Liveness(_any(SimpleNamespace(loop=loop)), nothing, Reference(), nothing, nothing, nothing)
    live.since = {"open 3": 1.0, "stay d 1": 2.0, "unsettled 4": 3.0}
    live.started()
    assert live.since == {"unsettled 4": 3.0}


def test_a_slot_of_an_earlier_epoch_is_said_again_where_there_is_no_room_any_more() -> None:
    """After a lost history every vacant door is in doubt; what was booked before stays booked."""
    custody = Custody()
    custody.company.forget(whole=False)
    slot = {"booking": "b", "authorisation": "r", "size": 1, "from_ms": 0, "until_ms": 1_000}
    again = Fact(1, "SlotBooked", slot, 1, 0, 0, trusted=True, cause="centre")
    assert not list(custody.company.take(again, [again]))
    custody.company.forget()
    assert [number for number, _ in custody.company.take(again, [again])] == [28]


def test_a_deposit_that_was_over_in_another_history_is_known_to_nobody() -> None:
    """The centre says so of each that it knows; where it never was, nothing comes of it."""
    told = Fact(1, "DepositRestored", {"deposit": "d"}, 1, 0, 0, trusted=True, cause="centre")
    assert list(disagreements(Reference(), LockerState(), [told])) == []


def test_what_another_card_took_over_is_not_asked_of_the_true_one() -> None:
    """Two had vouched for the copy while the centre was not heard: then somebody put the true one back."""
    told = testimony.Testimony(_any(None))
    machine, other = _any(SimpleNamespace(name="loc-1")), _any(SimpleNamespace(name="loc-2"))
    told.took_over("a", machine, 1)
    told.took_over("b", machine, 2)
    known = dict(told.entrusted)
    told.took_over("b", machine, 3)
    told.took_over("c", machine, 2)
    told.took_over("d", other, 2)
    told.shaken(machine, but=known)
    assert told.entrusted == {"a": ("loc-1", 1), "d": ("loc-2", 2)}
    told.shaken(machine)
    assert told.entrusted == {"d": ("loc-2", 2)}


def test_what_is_held_longer_is_not_overdue_until_it_is_said_again() -> None:
    """A wall clock had gone wild; then a new numbering said again for how long things are held."""
    model = Reference(items={"i": False})
    model.stays["d"] = Stay("outgoing", 1, "c", "", "i", "awaiting_pickup")
    model.stays["other"] = Stay("outgoing", 2, "c", "", "j", "awaiting_pickup")
    for deposit in model.stays:
        model.take(_fact("ItemOverdue", deposit=deposit))
    model.take(_fact("HoldExtended", item="i", hold_days=9))
    model.take(_fact("HoldExtended", item="j", hold_days=9))  # of an item that is not known
    assert [stay.overdue for stay in model.stays.values()] == [False, True]


def test_an_intake_that_found_nothing_need_not_stand_on_the_slip() -> None:
    """Where nobody had handed anything in, the compartment is given back, and nothing was taken."""
    assert not is_on_slip("intake", "empty")
    assert all(is_on_slip("intake", finding) for finding in ("complete", "missing", "wrong"))
    assert is_on_slip("withdraw", "empty")


def test_a_rotten_bit_of_an_earlier_epoch_ends_nothing(tmp_path: Path) -> None:
    """The daemon does not read it at its start; no more must the oracle fail at it."""
    path, said = (
        tmp_path / "journal",
        '{{"type":"EpochStarted","data":{},"boot":1,"mono":0,"time":0,"tq":"","cause":""}}',
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, data in (("entry", '{"epoch":"b","parent_epoch":"a"}'), ("entry_a", '{"epoch":"a"}')):
            connection.execute(f"CREATE TABLE {table} (seq, public TEXT, personal_digest, hash)")
            connection.execute(f"INSERT INTO {table} VALUES (1, ?, x'', x'')", (said.format(data),))  # noqa: S608  # two names of ours
        connection.execute("INSERT INTO entry_a VALUES (2, CAST(x'7bff7d' AS TEXT), x'', x'')")
    found = histories_of({"j": path.read_bytes()}, "j", tmp_path)
    assert [[row.seq for row in each] for each in found] == [[1, 2], [1]]


def test_a_token_of_an_own_page_opens_though_another_one_was_made(vfs: WorldVfs, tmp_path: Path) -> None:
    """Where its message never came, nobody else knows of it once the right was lengthened."""

    async def story(eyes: Eyes) -> None:
        centre, ears = eyes.world.centre, eyes.watched.ears
        centre.phones.up = False
        passed = PreReview("C-2", "licence", ("form",), (), Size.S, Person("张伟", PHONE), "loc-1", 72)
        right = await centre.pre_review(passed)
        token = await Town(eyes.world, 1.0).token(right)
        await centre.does(lambda office: Pickups(office).extend(right, 96, CLERK))
        ears.model.stays["d"] = Stay("submission", eyes.door, "C-2", right, "")
        opening = eyes.fact("OpeningRequested", door=eyes.door, purpose="drop_off", deposit="d")
        opening = opening._replace(cause="applicant")
        assert [number for number, _ in ears.told(opening, now=True)] == [9]
        ears.shown.append(Shown(eyes.world.loop.time(), token))
        assert list(ears.told(opening, now=True)) == []
        del ears.model.stays["d"]

    played(vfs, tmp_path, story)


def _fact(kind: str, **data: Any) -> Fact:
    return Fact(1, kind, data, 1, 0, 0, trusted=True, cause="centre")


def _act(number: int) -> list[Fact]:
    act, grant = f"act{number}", f"grant{number}"
    asked = {"act": act, "aseq": number, "approvers": ["a", "b"], "kind": "open", "door": 1, "grant": grant}
    right = {"grant": grant, "door": 1, "purpose": "remote"}
    return [
        Fact(2 * number, "ActAccepted", asked, 1, 0, 0, trusted=True, cause="acts"),
        Fact(2 * number + 1, "OpeningRequested", right, 1, 0, 0, trusted=True, cause="acts"),
    ]


def _any(thing: object) -> Any:
    return thing
