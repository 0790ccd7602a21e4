"""Journal → MQTT: rows after the cursor, re-read each time, in batches, until the centre has stored them."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final

from locker.operations.ports import Clock
from sync import wire
from sync.edge.ports import JournalPort, JournalReader, Row, Tally, Voice
from sync.edge.wake import Wake
from sync.edge.window import Flight, Window

REFUSED: Final = "broker_refused"
GATHER_MS: Final = 1_000
"""What follows an entry within so long goes up with it: one opening is half a dozen."""
ESCAPED: Final = 6
SURELY_BYTES: Final = wire.BODY_BYTES_MAX - 48 * 1024
"""Leaves room for what a hundred entries have beside their texts."""


class Publisher:
    """Sends only between a hello and the loss of whoever said it; answers are not correlated with sends."""

    def __init__(
        self,
        voice: Voice,
        journal: JournalPort,
        reader: JournalReader,
        executor: Executor,
        clock: Clock,
        window: Window,
        tally: Tally,
        on_unheard: Callable[[], None],
    ) -> None:
        """``on_unheard``: nobody was there to hear a batch, or the centre wants what is purged; a hello must
        settle it."""
        self._voice = voice
        self._journal = journal
        self._reader = reader
        self._executor = executor
        self._clock = clock
        self._tally = tally
        self._wake = Wake(clock)
        self._on_unheard = on_unheard
        self.window = window
        self._gathered_ms: int | None = None
        """When what is new has waited long enough for what belongs to it."""
        self.countersigned = b""
        """The frame, signed by the centre, that said most of what it has stored of this journal."""
        self._countersigned_at = ("", 0)

    def open(self, stored_to: int, batches: int, frame: bytes) -> None:
        """A hello has said what the centre holds; ``frame`` as it came."""
        self._keep(stored_to, frame)
        self._gathered_ms = None  # what waited for a hello has waited long enough
        self.window.open(stored_to, batches)
        self._wake.now()

    def close(self) -> None:
        self.window.close()
        self._wake.now()

    def forget(self) -> None:
        """The journal has begun a new epoch, of which the centre knows nothing yet."""
        self.window.forget()
        self._wake.now()

    @property
    def countersigned_to(self) -> tuple[str, int]:
        """The epoch of which `countersigned` speaks, and how much of it it says to be stored."""
        return self._countersigned_at

    def changed(self) -> None:
        """The journal has grown."""
        if self._gathered_ms is None:
            self._gathered_ms = self._clock.mono_ms() + GATHER_MS
        self._wake.now()

    async def acknowledged(self, ack: wire.DownAck, frame: bytes) -> None:
        """Believe an acknowledgement of this history up to an entry that we hold with that hash."""
        seq = ack.stored_to
        if ack.up_epoch != self._journal.state.epoch or seq > self._journal.state.seq:
            self._tally.drop("ack:foreign")
            return
        known = self.window.hash_of(seq) or await self._hash_at(seq)
        if known is None:
            self._tally.drop("ack:purged")
            if ack.gap:  # it lacks what we no longer have: only a hello can say so
                self._on_unheard()
            return
        if known.hex() != ack.hash:
            self._tally.drop("ack:hash")
            return
        self._keep(seq, frame)
        now_ms = self._clock.mono_ms()
        if seq <= self.window.stored_to and not ack.gap:
            self._tally.repeat("ack")
        self.window.acknowledged(seq, ack.window, now_ms)
        if ack.gap:
            self.window.missed(seq, now_ms)
        self._wake.now()

    def _keep(self, seq: int, frame: bytes) -> None:
        at = (self._journal.state.epoch, seq)
        if at[0] != self._countersigned_at[0] or at > self._countersigned_at:
            self._countersigned_at, self.countersigned = at, frame

    async def run(self) -> None:
        async with asyncio.TaskGroup() as sending:
            while True:
                self.window.expire(self._clock.mono_ms())
                after = self.window.next_after(self._journal.state.seq)
                if after is None:
                    self._gathered_ms = None
                    await self._wake.wait(self.window.due_ms)
                elif (gathered_ms := self._still_gathers(after)) is not None:
                    await self._wake.wait(gathered_ms)
                else:
                    self._gathered_ms = None
                    await self._send_after(after, sending)

    def _still_gathers(self, after: int) -> int | None:
        """Until when; None where a batch is full, or what is new has waited."""
        gathered_ms = self._gathered_ms
        if gathered_ms is None or self._journal.state.seq - after >= wire.BATCH_ENTRIES_MAX:
            return None
        return gathered_ms if self._clock.mono_ms() < gathered_ms else None

    async def _send_after(self, after: int, sending: asyncio.TaskGroup) -> None:
        turn, epoch = self.window.turn, self._journal.state.epoch
        batch = await asyncio.get_running_loop().run_in_executor(self._executor, self._batch, after, epoch)
        if turn != self.window.turn or epoch != self._journal.state.epoch:
            return
        if batch is None:
            self._tally.drop("batch:purged")
            self.close()
            self._on_unheard()
            return
        self.window.sent(Flight(batch.to_seq, bytes.fromhex(batch.hash)), self._clock.mono_ms())
        sending.create_task(self._say(batch))

    async def _say(self, batch: wire.UpBatch) -> None:
        result = await self._voice.say(wire.Name.LOG, batch)
        if result.taken and not result.heard:
            self.close()
            self._on_unheard()
        elif result.reason_code is not None and not result.taken:
            # Sent again when no acknowledgement comes, like anything else that got lost.
            self._tally.drop(REFUSED)

    def _batch(self, after: int, epoch: str) -> wire.UpBatch | None:
        """In the executor. None where it would begin with what is purged: the centre fell back that far."""
        try:
            prev = self._reader.hash_at(after)
            rows = self._reader.entries(after, wire.BATCH_ENTRIES_MAX, wire.BATCH_BYTES_MAX)
        except LookupError:
            return None
        return batch_of(self._voice.identity.locker, epoch, prev, rows)

    async def _hash_at(self, seq: int) -> bytes | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, kept_hash, self._reader, seq)


def kept_hash(reader: JournalReader, seq: int) -> bytes | None:
    """Blocking: in the executor. None beyond the head, and where the entry is purged."""
    try:
        return reader.hash_at(seq)
    except LookupError:
        return None


def batch_of(locker: str, epoch: str, prev: bytes, rows: Sequence[Row]) -> wire.UpBatch:
    """Rows as they travel: exactly as stored. Rows whose escapes would burst a packet wait for the next."""
    count = len(rows)
    # Escapes make six of one at most: what is far below the limit need not be encoded to know that.
    surely_fits = ESCAPED * sum(len(row.public) + len(row.personal) for row in rows) < SURELY_BYTES
    while True:
        batch = wire.UpBatch(
            locker=locker,
            epoch=epoch,
            from_seq=rows[0].seq,
            to_seq=rows[count - 1].seq,
            prev=prev.hex(),
            entries=tuple(row.public for row in rows[:count]),
            personal=tuple(wire.kept(row.personal, row.salt, row.personal_digest) for row in rows[:count]),
            hash=rows[count - 1].hash.hex(),
        )
        if surely_fits:
            return batch
        try:
            wire.encode(batch)
        except wire.TooLarge:
            if count == 1:
                raise
            count //= 2
        else:
            return batch
