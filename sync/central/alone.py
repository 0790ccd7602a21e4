"""One hub a database."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from sqlalchemy import URL

from sync.central.config import Config
from sync.central.shards import Shards
from sync.central.store import name_of


class AlreadyServed(Exception):
    """Another hub serves from this database. Remedy: stop it first."""


@contextlib.contextmanager
def alone(config: Config) -> Iterator[Shards | None]:
    """One hub a database, with its locks on PostgreSQL: two would each answer. Raises AlreadyServed."""
    database = config.database
    if isinstance(database, URL):
        with Shards(database, config.workers.shards) as shards:
            if not shards.take_desk():
                raise AlreadyServed(f"{name_of(database)} is served by another hub; stop it first")
            yield shards
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(f"{database}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield None
    except BlockingIOError as error:
        raise AlreadyServed(f"{database} is served by another hub; stop it first") from error
    finally:
        os.close(handle)
