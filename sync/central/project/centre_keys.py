"""What a locker holds of the centre's keys: it is in its journal, so it is durable there."""

from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from sync.central import store
from sync.central.project.rows import Apply, Place
from sync.central.rotation.said import text_of
from sync.central.rotation.tables import CENTRE_KEYS


def _held(at: Place, e: ev.CentreKeysTold) -> None:
    values = {"held": text_of(e), "held_ms": at.now_ms}
    store.put(at.connection, CENTRE_KEYS, {"locker": at.locker}, values)


APPLY: Final[Apply] = MappingProxyType({ev.CentreKeysTold: _held})
