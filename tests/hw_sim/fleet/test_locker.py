"""The simulated locker's end of the contract, against words that the product writes."""

from pathlib import Path

import pytest

from hw_sim.fleet.machine import State
from hw_sim.fleet.visits import Fact
from locker.domain import directives
from locker.domain.events import SettingsChanged, StaffEnrolled
from locker.domain.ids import Seq, StaffId
from locker.domain.settings import Setting
from sync import seal, wire
from tests.hw_sim.fleet.lives import CENTRE, EPOCH, NAME, WALL_MS, Scene

DOWN = "d" * 32
SAID: tuple[directives.StateEntry, ...] = (
    StaffEnrolled(StaffId("h"), frozenset({"helper"}), "a" * 64, "b" * 64, WALL_MS, "赵敏"),
    SettingsChanged(1, (Setting("hold_days", 7),)),
    SettingsChanged(2, (Setting("hold_days", 8),)),
)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.connect()
    return made


def test_it_says_a_birth_a_heartbeat_and_a_snapshot_and_leaves_a_will(scene: Scene) -> None:
    (will,), (birth,) = scene.line.wills, scene.line.of(wire.Link)
    assert (will.online, will.nonce, will.reason, will.conn) == (False, "", "lost", 1)
    journal = scene.life.journal
    assert (birth.online, birth.head, birth.head_hash) == (True, journal.head, journal.head_hash.hex())
    assert (birth.oldest, birth.conn, birth.dn_epoch, birth.dn_hash) == (1, 1, "", wire.ZERO)
    assert len(scene.line.of(wire.Tele)) == len(scene.line.of(wire.State)) == 1
    assert scene.sent == []


def test_a_hello_opens_a_window_and_only_acknowledgements_move_it(scene: Scene) -> None:
    scene.hello()
    assert scene.sent == [(1, 100), (101, 200)]
    scene.ack(100)
    assert scene.sent[2:] == [(201, scene.life.journal.head)]
    scene.ack(scene.life.journal.head)
    assert scene.locker.settled
    assert scene.tally.resent == 0


def test_the_centre_may_have_lost_some(scene: Scene) -> None:
    scene.hello()
    scene.ack(100)
    scene.locker.lost("cut", scene.now_s, WALL_MS)
    scene.later(3)
    scene.locker.ready(scene.now_s, WALL_MS)
    scene.hello(stored_to=30)
    assert scene.sent[3:] == [(31, 130), (131, 230)]
    assert scene.tally.resent == 200
    assert scene.line.of(wire.Link)[-1].conn == 2


def test_a_gap_sends_it_back_once(scene: Scene) -> None:
    scene.hello()
    scene.ack(0, gap=True)
    scene.ack(0, gap=True)
    assert scene.sent == [(1, 100), (101, 200)] * 2
    assert scene.tally.gaps == 2


def test_unanswered_batches_go_again_ever_more_slowly(scene: Scene) -> None:
    scene.hello()
    scene.later(9.9)
    assert len(scene.sent) == 2
    scene.later(2.7)
    assert scene.sent == [(1, 100), (101, 200)] * 2
    scene.later(19.9)
    assert len(scene.sent) == 4
    scene.later(5.2)
    assert len(scene.sent) == 6


def test_an_unanswered_birth_is_said_again_with_another_nonce(scene: Scene) -> None:
    first = scene.nonce
    scene.later(12.6)
    assert scene.nonce != first
    scene.hello(nonce=first)
    assert (scene.locker.state, scene.sent) == (State.ASKING, [])
    scene.hello()
    assert scene.locker.state is State.SENDING


def test_a_window_of_0_means_wait(scene: Scene) -> None:
    scene.hello(window=0)
    assert (scene.locker.state, scene.sent) == (State.WAITING, [])
    births = len(scene.line.of(wire.Link))
    scene.later(40)
    assert len(scene.line.of(wire.Link)) == births + 1
    scene.hello()
    assert scene.sent != []


def test_who_waits_is_called_by_an_acknowledgement(scene: Scene) -> None:
    scene.hello(window=0)
    scene.ack(0, window=0)
    assert (scene.locker.state, scene.sent) == (State.WAITING, [])
    scene.ack(100)
    assert scene.sent == [(101, 200), (201, scene.life.journal.head)]
    births = len(scene.line.of(wire.Link))
    scene.ack(scene.life.journal.head)
    scene.later(40)
    assert len(scene.line.of(wire.Link)) == births


def test_nobody_heard_it(scene: Scene) -> None:
    scene.hello()
    scene.locker.answered("up_log", 0x10, scene.now_s, WALL_MS)
    scene.ack(100)
    assert (scene.locker.state, len(scene.sent)) == (State.ASKING, 2)


def test_the_centre_goes_and_comes(scene: Scene) -> None:
    scene.hello()
    scene.hear(wire.CentralLink(False, "a", 1), "central")
    scene.ack(100)
    assert (scene.locker.state, len(scene.sent)) == (State.AWAY, 2)
    births = len(scene.line.of(wire.Link))
    scene.hear(wire.CentralLink(True, "b", 2), "central")
    assert len(scene.line.of(wire.Link)) == births + 1
    scene.hello(stored_to=100)
    assert scene.sent[2:] == [(101, 200), (201, scene.life.journal.head)]


def test_what_the_broker_kept_of_the_centre_is_no_news(scene: Scene) -> None:
    scene.hear(wire.CentralLink(True, "a", 1), "central", retained=True)
    assert len(scene.line.of(wire.Link)) == 1


@pytest.mark.parametrize(
    ("stored_to", "hash_", "found"), [(9_999, "a" * 64, "lost_rows"), (100, "a" * 64, "forked")]
)
def test_another_history_stops_it_and_is_told(scene: Scene, stored_to: int, hash_: str, found: str) -> None:
    scene.hello(stored_to, hash=hash_)
    assert (scene.locker.state, scene.sent) == (State.STOPPED, [])
    told = scene.line.of(wire.Link)[-1]
    assert (told.reason, told.nonce, told.online) == (found, "", True)


def test_what_does_not_fit_changes_nothing(scene: Scene) -> None:
    scene.hello(up_epoch="f" * 32)
    scene.hear(wire.CentralLink(False, "a", 1), "central", key=seal.SigningKey.from_seed(b"x" * 32))
    scene.hello()
    scene.ack(100, hash="a" * 64)
    scene.ack(100, up_epoch="f" * 32)
    scene.hear(wire.DownAck(NAME, EPOCH, 0, wire.ZERO, True, 2, WALL_MS), "ack", retained=True)
    frame = seal.frame(CENTRE, b'{"v":1,"kind":"hello","locker":7}')
    scene.locker.hear(wire.down(NAME, wire.Name.HELLO).topic, frame, 0, WALL_MS, retained=False)
    assert scene.locker.window.stored_to == 0
    assert dict(scene.tally.dropped) == {
        "hello:foreign": 1,
        "NotSignedError": 1,
        "ack:hash": 1,
        "ack:foreign": 1,
        "retained": 1,
        "UnfitError": 1,
    }


def test_what_happens_meanwhile_goes_up_and_is_timed(scene: Scene) -> None:
    head = scene.life.journal.head
    scene.hello(stored_to=head)
    assert scene.sent == []
    scene.locker.commit([Fact("Stopped", "daemon", {"reason": "x"})], scene.now_s, WALL_MS)
    assert scene.sent == [(head + 1, head + 1)]
    scene.now_s += 0.4
    scene.ack(head + 1)
    assert scene.tally.acknowledged_s == [0.4]


def test_back_off_doubles_until_a_connection_was_good(scene: Scene) -> None:
    for longest_s in (2.0, 4.0, 8.0):
        scene.locker.lost("cut", scene.now_s, WALL_MS)
        assert scene.locker.due_s - scene.now_s <= longest_s
        scene.later(longest_s)
        scene.locker.ready(scene.now_s, WALL_MS)
    scene.later(60)
    scene.locker.lost("cut", scene.now_s, WALL_MS)
    assert scene.locker.due_s - scene.now_s <= 30.0


# --- the centre's log --------------------------------------------------------------------------------------


def down(first: int, last: int, *, dn_epoch: str = DOWN, break_it: bool = False) -> wire.DownBatch:
    texts = [directives.write(Seq(n), said) for n, said in enumerate(SAID, 1)]
    hashes = [bytes(32)]
    for text in texts:
        hashes.append(directives.link(hashes[-1], text))
    hash_ = "a" * 64 if break_it else hashes[last].hex()
    entries = tuple(texts[first - 1 : last])
    return wire.DownBatch(NAME, dn_epoch, first, last, hashes[first - 1].hex(), entries, hash_)


def test_the_centres_log_is_applied_in_order_and_acknowledged(scene: Scene) -> None:
    head = scene.life.journal.head
    scene.hello(stored_to=head)
    scene.hear(down(1, 2), "log")
    scene.hear(down(1, 2), "log")
    scene.hear(down(2, 3), "log")
    assert [(ack.dn_epoch, ack.stored_to) for ack in scene.line.of(wire.UpAck)] == [
        (DOWN, 2),
        (DOWN, 2),
        (DOWN, 3),
    ]
    news = scene.life.journal.rows(head, 20)
    assert [row.public.split('"type":"')[1].split('"')[0] for row in news] == [
        "DownLogStarted",
        "StaffEnrolled",
        "DirectiveApplied",
        *["SettingsChanged", "DirectiveApplied"] * 2,
    ]
    assert (news[1].personal, len(news[1].salt)) == ('{"name":"赵敏"}', 16)
    assert "赵敏" not in news[1].public
    scene.locker.lost("cut", scene.now_s, WALL_MS)
    scene.later(3)
    will = scene.line.wills[-1]
    assert (will.dn_epoch, will.dn_applied, will.dn_hash) == (DOWN, 3, down(1, 3).hash)


def test_a_hole_in_the_centres_log_is_answered_with_where_it_is(scene: Scene) -> None:
    scene.hello()
    scene.hear(down(3, 3), "log")
    (ack,) = scene.line.of(wire.UpAck)
    assert (ack.dn_epoch, ack.stored_to) == (DOWN, 0)
    assert scene.tally.applied == 0


@pytest.mark.parametrize("batch", [down(1, 2, dn_epoch="b" * 32), down(1, 2, break_it=True)])
def test_a_numbering_nobody_announced_and_a_broken_chain_are_dropped(
    scene: Scene, batch: wire.DownBatch
) -> None:
    scene.hello()
    scene.hear(batch, "log")
    assert scene.line.of(wire.UpAck) == []
    assert sum(scene.tally.dropped.values()) == 1
