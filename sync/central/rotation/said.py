"""What stands of the centre's keys, as it would be said to its locker now."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection

from locker.domain.encoding import canonical
from locker.domain.events import CentreKeysTold
from sync.central.rotation.tables import CENTRE_KEYS
from sync.central.store import find


def text_of(says: CentreKeysTold) -> str:
    return canonical({"keys": list(says.keys), "retired": list(says.retired)})


def standing(connection: Connection, locker: str) -> Iterable[CentreKeysTold]:
    """What was said last; nothing of a centre that never had another key."""
    row = find(connection, CENTRE_KEYS, {"locker": locker})
    if row is not None and row.said:
        body = json.loads(row.said)
        yield CentreKeysTold(tuple(body["keys"]), tuple(body["retired"]))
