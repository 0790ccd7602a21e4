"""That we are here: births that ask for a hello, the will, the heartbeat, the snapshot for staff."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from locker.domain.state import LockerState
from locker.operations.ports import Clock
from sync import wire
from sync.edge.ports import JournalPort, Tally, Voice
from sync.edge.retry import Retry
from sync.edge.wake import Wake
from sync.link.settings import Draw, Words

HEARTBEAT_MS: Final = 60_000
HEARTBEAT_JITTER_MS: Final = 10_000
SNAPSHOT_GAP_MS: Final = 1_000
"""A door that swings is not worth a message at each swing."""
NONCE_BYTES: Final = 16
PERCENT_MAX: Final = 100


@dataclass(slots=True)
class Centre:
    """What is known of the other end; forgotten with the connection."""

    online: bool = False
    instance: tuple[str, int] = ("", 0)


class Presence:
    """Speaks of this locker itself. Times are monotonic milliseconds."""

    def __init__(
        self,
        voice: Voice,
        journal: JournalPort,
        clock: Clock,
        draw: Draw,
        random_bytes: Callable[[int], bytes],
        disk_used_percent: Callable[[], int],
        tally: Tally,
    ) -> None:
        self._voice = voice
        self._journal = journal
        self._clock = clock
        self._draw = draw
        self._random_bytes = random_bytes
        self._disk_used_percent = disk_used_percent
        self._tally = tally
        self._wake = Wake(clock)
        self._retry = Retry(draw)
        self._connections = 0
        self._connected = False
        self._birth_due_ms: int | None = None
        self._heartbeat_due_ms = 0
        self._snapshot_due_ms: int | None = None
        self._shown: wire.State | None = None
        self.centre = Centre()
        self.nonce = ""
        self.born_epoch = ""
        """Of which the birth with this nonce spoke."""
        self.born_ms = 0
        self.oldest = 0
        self.stored_to: Callable[[], int] = lambda: 0

    # --- what happens --------------------------------------------------------------------------------------

    def will(self) -> Words:
        """For the connection that is about to be made."""
        self._connections += 1
        return self._voice.words(self._link(online=False, nonce="", reason="lost"))

    def last_words(self, reason: str) -> Words:
        return self._voice.words(self._link(online=False, nonce="", reason=reason))

    def connected(self) -> None:
        self._connected = True
        self._shown = None
        self._snapshot_due_ms = self._heartbeat_due_ms = self._clock.mono_ms()
        self.ask()

    def disconnected(self) -> None:
        self._connected = False
        self.centre = Centre()
        self.nonce = ""
        self._birth_due_ms = None

    def ask(self) -> None:
        """Say at once that we are here, and wait for a hello."""
        self._retry.reset()
        self._birth_due_ms = self._clock.mono_ms()
        self._wake.now()

    def ask_again(self) -> None:
        """The hello did not settle it (yet): ask later, ever more slowly, unless that is under way."""
        if self._birth_due_ms is None:
            self._birth_due_ms = self._clock.mono_ms() + self._retry.next_ms()
            self._wake.now()

    def answered(self) -> None:
        """A hello has settled it. Its nonce stays good for a later hello of this birth."""
        self._retry.reset()
        self._birth_due_ms = None

    async def tell_of_fork(self, outcome: str) -> None:
        """Of a fork only this side may know: the centre has not seen the entries that differ."""
        await self._voice.say(wire.Name.LINK, self._link(online=True, nonce="", reason=outcome))

    def heard_of_centre(self, link: wire.CentralLink, *, retain: bool) -> bool:
        """Whether the centre may hear us. One that came just now has not heard our birth: say it again."""
        instance = (link.instance, link.started_at)
        is_new = link.online and not retain and (not self.centre.online or instance != self.centre.instance)
        self.centre = Centre(link.online, instance)
        if is_new and self._connected:
            self.ask()
        return link.online

    def changed(self) -> None:
        """The journal has grown: staff may want to see it, but not at each step."""
        if self._connected and self._snapshot_due_ms is None:
            # What belongs to one act comes within a moment: it is one sight.
            self._snapshot_due_ms = self._clock.mono_ms() + SNAPSHOT_GAP_MS
            self._wake.now()

    # --- what is said --------------------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            if self._connected:
                await self._say_what_is_due()
            await self._wake.wait(self._next_ms())

    def _next_ms(self) -> int | None:
        if not self._connected:
            return None
        due = (self._birth_due_ms, self._heartbeat_due_ms, self._snapshot_due_ms)
        return min(moment for moment in due if moment is not None)

    async def _say_what_is_due(self) -> None:
        now_ms = self._clock.mono_ms()
        if self._birth_due_ms is not None and now_ms >= self._birth_due_ms:
            await self._be_born(now_ms)
        if self._snapshot_due_ms is not None and now_ms >= self._snapshot_due_ms:
            await self._show()
        if now_ms >= self._heartbeat_due_ms:
            jitter_ms = self._draw(2 * HEARTBEAT_JITTER_MS + 1) - HEARTBEAT_JITTER_MS
            self._heartbeat_due_ms = now_ms + HEARTBEAT_MS + jitter_ms
            await self._voice.say(wire.Name.TELE, self._tele())

    async def _be_born(self, now_ms: int) -> None:
        self._birth_due_ms = now_ms + self._retry.next_ms()
        self.nonce = self._random_bytes(NONCE_BYTES).hex()
        self.born_epoch = self._journal.state.epoch
        self.born_ms = now_ms
        reason = wire.JOURNAL_FAILING if self._journal.failing else ""
        await self._voice.say(wire.Name.LINK, self._link(online=True, nonce=self.nonce, reason=reason))

    async def _show(self) -> None:
        self._snapshot_due_ms = None
        state = self._state()
        if self._shown is not None and _same_sight(self._shown, state):
            return
        result = await self._voice.say(wire.Name.STATE, state)
        if result.taken:
            self._shown = state

    # --- the words -----------------------------------------------------------------------------------------

    def _link(self, *, online: bool, nonce: str, reason: str) -> wire.Link:
        state = self._journal.state
        return wire.Link(
            locker=self._voice.identity.locker,
            online=online,
            epoch=state.epoch,
            boot=self._journal.boot,
            conn=max(1, self._connections),
            head=state.seq,
            oldest=self.oldest,
            head_hash=self._journal.head.hex(),
            dn_epoch=state.down.epoch,
            dn_applied=state.down.seq,
            dn_hash=state.down.hash or wire.ZERO,
            nonce=nonce,
            sw=self._voice.identity.software,
            reason=reason,
        )

    def _state(self) -> wire.State:
        state = self._journal.state
        return wire.State(
            locker=self._voice.identity.locker,
            epoch=state.epoch,
            as_of_seq=state.seq,
            doors=doors_of(state),
            silent_boards=tuple(sorted(state.silent_boards)),
            time=self._clock.wall_ms(),
            tq=self._clock.quality(),
            disk_used_percent=self._disk(),
            sw=self._voice.identity.software,
        )

    def _tele(self) -> wire.Tele:
        state = self._journal.state
        return wire.Tele(
            locker=self._voice.identity.locker,
            epoch=state.epoch,
            boot=self._journal.boot,
            conn=self._connections,
            mono=self._clock.mono_ms(),
            time=self._clock.wall_ms(),
            tq=self._clock.quality(),
            head=state.seq,
            stored_to=self.stored_to(),
            disk_used_percent=self._disk(),
            dropped=dict(self._tally.dropped),
            repeated=self._tally.repeated.total(),
        )

    def _disk(self) -> int:
        return min(PERCENT_MAX, max(0, self._disk_used_percent()))


def doors_of(state: LockerState) -> tuple[wire.DoorState, ...]:
    """What staff see of each compartment."""
    return tuple(
        wire.DoorState(number, int(c.spec.size), c.status.value, c.position.value, c.item.value)
        for number, c in sorted(state.compartments.items())
    )


def _same_sight(one: wire.State, other: wire.State) -> bool:
    return (one.doors, one.silent_boards, one.tq) == (other.doors, other.silent_boards, other.tq)
