"""Which process hears which lockers, where several share a fleet: shards, held by locks of PostgreSQL.

Nobody is told what is theirs. Whoever runs counts who else does, takes what is free up to an equal share, and
lets go what is more. A process that dies loses its session, and with it its locks.
"""

import zlib
from types import TracebackType
from typing import Final, Self

from sqlalchemy import URL, NullPool, create_engine, text

DESK: Final = 0x646C6464
"""Of the one process with the console, and of all processes while a database has only one."""
PRESENT: Final = 0x646C7072
SHARD: Final = 0x646C7368
_HERE: Final = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :of"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def shard_of(locker: str, count: int) -> int:
    """The same in every process and for ever."""
    return zlib.crc32(locker.encode()) % count


class Shards:
    """The locks of this process, all of one session. Whatever it raises: nothing is held any more."""

    def __init__(self, url: URL, count: int) -> None:
        self.count = count
        self.held: set[int] = set()
        engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
        self._session = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._session.close()

    def take_desk(self) -> bool:
        return self._try(DESK, 0)

    def appear(self) -> None:
        """Be counted from now on."""
        self._session.execute(text("SELECT pg_advisory_lock_shared(:of, 0)"), {"of": PRESENT})

    def share(self) -> int:
        """How many shards each of those that run may hold."""
        here = int(self._session.execute(_HERE, {"of": PRESENT}).scalar_one())
        return -(-self.count // max(here, 1))

    def take(self, room: int) -> set[int]:
        """Free ones, as many as there is room for."""
        taken: set[int] = set()
        for shard in sorted(set(range(self.count)) - self.held):
            if len(taken) < room and self._try(SHARD, shard):
                taken.add(shard)
        self.held |= taken
        return taken

    def release(self, shard: int) -> None:
        """Only once nothing is written for it any more."""
        self._session.execute(text("SELECT pg_advisory_unlock(:of, :key)"), {"of": SHARD, "key": shard})
        self.held.discard(shard)

    def _try(self, of: int, key: int) -> bool:
        row = self._session.execute(text("SELECT pg_try_advisory_lock(:of, :key)"), {"of": of, "key": key})
        return bool(row.scalar_one())
