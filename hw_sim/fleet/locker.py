"""One locker's end of the wire: what it says, and what it does with what it hears.

It has no clock and no socket: whoever runs it tells it the time, carries its words and calls `tick` when
something is due. Seconds are monotonic, milliseconds are the wall's.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from hw_sim.chance import Chance
from hw_sim.fleet import sayings, words
from hw_sim.fleet.downlog import Place, read
from hw_sim.fleet.frames import NotSignedError, Trusted
from hw_sim.fleet.life import Life
from hw_sim.fleet.machine import CONNECTED, TABLE, Action, Event, State
from hw_sim.fleet.pace import BackOff, Patience, Window
from hw_sim.fleet.tally import Tally
from hw_sim.fleet.visits import Fact

HEARTBEAT_S: Final = 60.0
HEARTBEAT_JITTER_S: Final = 10.0
SNAPSHOT_GAP_S: Final = 1.0
NONCE_BYTES: Final = 16
NEVER_S: Final = float("inf")
DRAWN_FROM: Final = 1_000_000


class Line(Protocol):
    """A connection to the broker, one after the other."""

    def dial(self, will: bytes) -> None:
        """Connect and subscribe; `Locker.connected` or `Locker.lost` follows."""
        ...

    def publish(self, kind: str, frame: bytes) -> None: ...


class Locker:
    def __init__(self, life: Life, trusted: Trusted, line: Line, chance: Chance, tally: Tally) -> None:
        self.name = life.keys.locker
        self.life = life
        self.state = State.OFFLINE
        self.due_s = 0.0
        """When `tick` is to be called next, by the monotonic clock; 0: at once."""
        self.stopped_by = ""
        """What it found where the centre's history is not its own."""
        self.connected_s = 0.0
        self._trusted = trusted
        self._line = line
        self._chance = chance
        self._tally = tally
        self._birth_patience = Patience(self._draw)
        self._back_off = BackOff(self._draw)
        self.window = Window(Patience(self._draw))
        self._conn = 0
        self._nonce = ""
        self._born_s = 0.0
        self._answered = ("", 0)
        self._announced = ""
        self._centre: tuple[bool, str, int] = (False, "", 0)
        self._ready_s: float | None = None
        self._told = (0, 0)
        """Of the latest hello: how far the centre is, and its window."""
        self._dues = {"dial": 0.0, "birth": NEVER_S, "heartbeat": NEVER_S, "snapshot": NEVER_S}
        self._shown_s = 0.0
        self._committed: deque[tuple[int, float]] = deque()
        self._now_s, self._wall_ms = 0.0, 0
        self._do: Mapping[Action, Callable[[], None]] = {
            Action.DIAL: self._dial,
            Action.BACK_OFF: self._wait_offline,
            Action.BIRTH: self._birth,
            Action.ASK_LATER: self._ask_later,
            Action.OPEN: self._open,
            Action.CLOSE: self.window.close,
            Action.GO_BACK: self.window.go_back,
            Action.PUMP: self._pump,
            Action.TELL: self._tell,
            Action.PRESENT: self._present,
        }
        self._understand: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "hello": self._hear_hello,
            "dn_ack": self._hear_ack,
            "dn_log": self._hear_log,
        }

    @property
    def connected(self) -> bool:
        return self.state in CONNECTED

    @property
    def settled(self) -> bool:
        """Whether the centre has said that it holds everything."""
        return self.window.stored_to == self.life.journal.head

    def connected_until(self, now_s: float) -> float:
        """For how many seconds it was connected."""
        return self.connected_s + (0.0 if self._ready_s is None else now_s - self._ready_s)

    # --- what happens to it --------------------------------------------------------------------------------

    def tick(self, now_s: float, wall_ms: int) -> None:
        """Do what is due."""
        self._at(now_s, wall_ms)
        for name, event in (("dial", Event.DIAL_DUE), ("birth", Event.BIRTH_DUE)):
            if now_s >= self._dues[name]:
                self._dues[name] = NEVER_S
                self._on(event)
        if self.window.due_s is not None and now_s >= self.window.due_s:
            self._on(Event.ACK_DUE)
        if now_s >= self._dues["heartbeat"]:
            self._say_heartbeat()
        if now_s >= self._dues["snapshot"]:
            self._say_snapshot()
        self._settle_due()

    def ready(self, now_s: float, wall_ms: int) -> None:
        """Connected, and every subscription granted."""
        self._at(now_s, wall_ms)
        self._ready_s = now_s
        self._tally.connections += 1
        self._on(Event.READY)
        self._settle_due()

    def lost(self, reason: str, now_s: float, wall_ms: int) -> None:
        """The connection is over, or never came about."""
        self._at(now_s, wall_ms)
        self._tally.losses[reason] += 1
        self._on(Event.LOST)
        self._settle_due()

    def hear(self, topic: str, frame: bytes, now_s: float, wall_ms: int, *, retained: bool) -> None:
        self._at(now_s, wall_ms)
        try:
            self._judge(topic, frame, retained=retained)
        except (NotSignedError, words.UnfitError) as error:
            self._tally.dropped[type(error).__name__] += 1  # [LKR-30]
        self._settle_due()

    def answered(self, kind: str, code: int, now_s: float, wall_ms: int) -> None:
        """The broker's PUBACK."""
        self._at(now_s, wall_ms)
        if kind == "up_log" and code == words.NOBODY_HEARD:
            self._tally.unheard += 1
            self._on(Event.UNHEARD)
        self._settle_due()

    def commit(self, facts: Iterable[Fact], now_s: float, wall_ms: int) -> None:
        """Something happened here."""
        self._at(now_s, wall_ms)
        before = self.life.journal.head
        self.life.commit(facts, wall_ms)
        self._grown_from(before)
        self._on(Event.GREW)
        self._settle_due()

    def last_words(self) -> bytes:
        """The frame to say before an orderly end [LKR-5]."""
        return self._framed("link", self._link(online=False, nonce="", reason="stopped"))

    # --- the table -----------------------------------------------------------------------------------------

    def _on(self, event: Event) -> None:
        cell = TABLE.get((self.state, event))
        if cell is None:
            return
        self.state, actions = cell
        for action in actions:
            self._do[action]()

    def _dial(self) -> None:
        self._conn += 1
        self._line.dial(self._framed("link", self._link(online=False, nonce="", reason="lost")))

    def _wait_offline(self) -> None:
        good_for_s = 0.0 if self._ready_s is None else self._now_s - self._ready_s
        self.connected_s += good_for_s
        self._ready_s, self._nonce, self._centre = None, "", (False, "", 0)
        self._dues = dict.fromkeys(self._dues, NEVER_S)
        self._dues["dial"] = self._now_s + self._back_off.delay_s(good_for_s)
        self._birth_patience.tries = 0

    def _birth(self) -> None:
        self._tally.births += 1
        self._nonce = self._chance.octets("nonce", NONCE_BYTES).hex()
        self._born_s = self._now_s
        self._dues["birth"] = self._now_s + self._birth_patience.next_s()
        self._say("link", self._link(online=True, nonce=self._nonce, reason=""))

    def _ask_later(self) -> None:
        if self._dues["birth"] == NEVER_S:
            self._dues["birth"] = self._now_s + self._birth_patience.next_s()

    def _tell(self) -> None:
        self._say("link", self._link(online=True, nonce="", reason=self.stopped_by))

    def _present(self) -> None:
        self._say_heartbeat()
        self._say_snapshot()

    def _pump(self) -> None:
        while (after := self.window.next_after(self.life.journal.head)) is not None:
            batch = self.life.journal.batch(self.name, after)
            self._tally.batches += 1
            self._tally.entries += batch.to_seq - after
            self._tally.resent += max(0, min(batch.to_seq, self.window.sent_to) - after)
            self.window.sent(batch.to_seq, self._now_s)
            self._line.publish("up_log", self.life.keys.own.frame(batch.body))

    # --- what it hears -------------------------------------------------------------------------------------

    def _judge(self, topic: str, frame: bytes, *, retained: bool) -> None:
        if topic == words.CENTRAL:
            self._hear_of_centre(words.heard("central_link", self._trusted.opened(frame)), retained=retained)
            return
        locker, _, name = topic.removeprefix(f"{words.ROOT}/").partition("/dn/")
        kind = words.DOWN.get(name)
        if kind is None or locker != self.name or retained:  # [LKR-38]
            self._tally.dropped["retained" if retained else "topic"] += 1
            return
        said = words.heard(kind, self._trusted.opened(frame))
        if said["locker"] != self.name:
            self._tally.dropped["foreign"] += 1
            return
        self._understand[kind](said)

    def _hear_of_centre(self, said: Mapping[str, Any], *, retained: bool) -> None:
        before, self._centre = self._centre, (said["online"], said["instance"], said["started_at"])
        if not said["online"]:
            self._on(Event.CENTRE_GONE)
        elif not retained and self._centre != before:
            self._on(Event.CENTRE_CAME)

    def _hear_hello(self, said: Mapping[str, Any]) -> None:
        journal, (answered, answered_ms) = self.life.journal, self._answered
        if said["nonce"] != self._nonce or (answered == self._nonce and said["now"] < answered_ms):
            self._tally.dropped["hello:stale"] += 1
            if said["nonce"] == self._nonce:
                self._ask_later()  # [LKR-12]
            return
        if said["up_epoch"] != journal.epoch:
            self._tally.dropped["hello:foreign"] += 1
            return
        if answered != self._nonce:
            self._tally.hellos_s.append(self._now_s - self._born_s)
        self._answered = (said["nonce"], said["now"])
        self._announced = said["dn_epoch"]
        self._dues["birth"] = NEVER_S
        self._told = (said["stored_to"], said["window"])
        if said["stored_to"] > journal.head:
            self.stopped_by = "lost_rows"
        elif said["hash"] != journal.hash_at(said["stored_to"]).hex():
            self.stopped_by = "forked"
        if self.stopped_by:
            self._on(Event.HELLO_DIFFERS)
        elif said["window"] == 0:
            self._tally.waits += 1
            self._on(Event.HELLO_WAITS)
        else:
            self._birth_patience.tries = 0
            self._on(Event.HELLO_FITS)

    def _open(self) -> None:
        stored_to, batches = self._told
        self.window.open(stored_to, batches)
        self._acknowledged_to(stored_to)

    def _hear_ack(self, said: Mapping[str, Any]) -> None:
        journal, seq = self.life.journal, said["stored_to"]
        if said["up_epoch"] != journal.epoch or seq > journal.head:
            self._tally.dropped["ack:foreign"] += 1
            return
        if journal.hash_at(seq).hex() != said["hash"]:
            self._tally.dropped["ack:hash"] += 1
            return
        if self.state is State.WAITING and said["window"] > 0:
            self._told = (seq, said["window"])
            self._dues["birth"] = NEVER_S
            self._on(Event.CALLED)
            return
        if self.state is not State.SENDING:
            return  # an answer from before the hello that is to come, which will say as much
        if self.window.acknowledged(seq, said["window"], self._now_s):
            self._acknowledged_to(seq)
        if said["gap"]:
            self._tally.gaps += 1
            if self.window.must_go_back(seq, self._now_s):
                self._on(Event.GAP)
                return
        self._on(Event.ACK_WAITS if said["window"] == 0 else Event.ACK)

    def _hear_log(self, said: Mapping[str, Any]) -> None:
        found = read(said, self.life.down, self._announced)
        if found.place in (Place.FORKED, Place.FOREIGN, Place.BROKEN):
            self._tally.dropped[f"log:{found.place}"] += 1
            if found.place is not Place.BROKEN:  # [LKR-28]
                self._ask_later()
            return
        for entry in found.news:
            before = self.life.journal.head
            self.life.apply(said["dn_epoch"], entry, self._wall_ms)
            self._grown_from(before)
            self._tally.applied += 1
        seq = found.news[-1].seq if found.news else found.cursor.seq
        self._say("up_ack", {"dn_epoch": said["dn_epoch"], "stored_to": seq})  # [LKR-26]
        self._on(Event.GREW)

    # --- what it says --------------------------------------------------------------------------------------

    def _say(self, kind: str, said: Mapping[str, Any]) -> None:
        self._line.publish(kind, self._framed(kind, said))

    def _framed(self, kind: str, said: Mapping[str, Any]) -> bytes:
        return self.life.keys.own.frame(words.body(kind, self.name, **said))

    def _link(self, *, online: bool, nonce: str, reason: str) -> dict[str, Any]:
        return sayings.link(self.life, max(1, self._conn), online=online, nonce=nonce, reason=reason)

    def _say_heartbeat(self) -> None:
        jitter_s = self._draw(2 * HEARTBEAT_JITTER_S) - HEARTBEAT_JITTER_S
        self._dues["heartbeat"] = self._now_s + HEARTBEAT_S + jitter_s  # [LKR-31]
        self._say("tele", sayings.tele(self.life, self._conn, self.window.stored_to, self._wall_ms))

    def _say_snapshot(self) -> None:
        self._dues["snapshot"] = NEVER_S
        self._shown_s = self._now_s
        self._say("state", sayings.state(self.life, self._wall_ms))

    # --- small things --------------------------------------------------------------------------------------

    def _at(self, now_s: float, wall_ms: int) -> None:
        self._now_s, self._wall_ms = now_s, wall_ms

    def _grown_from(self, before: int) -> None:
        self._committed += [(seq, self._now_s) for seq in range(before + 1, self.life.journal.head + 1)]
        if self.connected and self._dues["snapshot"] == NEVER_S:
            self._dues["snapshot"] = max(self._now_s, self._shown_s + SNAPSHOT_GAP_S)

    def _acknowledged_to(self, seq: int) -> None:
        while self._committed and self._committed[0][0] <= seq:
            _, committed_s = self._committed.popleft()
            self._tally.acknowledged_s.append(self._now_s - committed_s)

    def _settle_due(self) -> None:
        ack_s = NEVER_S if self.window.due_s is None else self.window.due_s
        self.due_s = min(ack_s, *self._dues.values())

    def _draw(self, below: float) -> float:
        return below * self._chance.below("wait", DRAWN_FROM) / DRAWN_FROM
