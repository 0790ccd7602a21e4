"""Stocktakes as lockers told them, and whether the looks that came here add up to what each counted."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.stocktakes import Found
from sync.central import store
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.custody.tables import LOOK, STOCKTAKE

LEFT: Final = "left"
"""Beside the findings: doors that nobody looked into."""
SHOWN: Final = 20
_COUNTS: Final = tuple(found.value for found in Found)


def began(connection: Connection, row: Row[Any], data: Mapping[str, Any], at_ms: int) -> None:
    keys = {"locker": row.locker, "stocktake": str(data["stocktake"])}
    values = {"epoch": row.epoch, "scope": str(data["scope"]), "began_by": str(data["staff"])}
    blank = {"ended_by": "", "ended_ms": 0, "counted": "", "agrees": True}
    store.put(connection, STOCKTAKE, keys, values | blank | {"began_ms": at_ms})


def ended(connection: Connection, row: Row[Any], data: Mapping[str, Any], at_ms: int) -> str:
    """Note its end; where the looks that came here count otherwise, both counts in words, else ""."""
    key = str(data["stocktake"])
    told = {name: int(data[f"{name}_count"]) for name in (*_COUNTS, LEFT)}
    looked = _looked(connection, row.locker, row.epoch, key)
    differs = any(looked[name] != told[name] for name in _COUNTS)
    values = {
        "ended_by": str(data["staff"]),
        "ended_ms": at_ms,
        "counted": json.dumps({name: count for name, count in told.items() if count}),
        "agrees": not differs,
    }
    before = store.find(connection, STOCKTAKE, {"locker": row.locker, "stocktake": key})
    blank = {} if before else {"epoch": row.epoch, "scope": "", "began_by": "", "began_ms": at_ms}
    store.put(connection, STOCKTAKE, {"locker": row.locker, "stocktake": key}, blank | values)
    if not differs:
        return ""
    return " · ".join(
        f"{name} {told[name]} ≠ {looked[name]}" for name in _COUNTS if told[name] != looked[name]
    )


def _looked(connection: Connection, locker: str, epoch: str, key: str) -> Counter[str]:
    """The last finding of each door counts."""
    own = LOOK.c
    here = [own.locker == locker, own.epoch == epoch, own.stocktake == key]
    rows = connection.execute(select(own.door, own.found).where(*here).order_by(own.seq)).all()
    return Counter({row.door: row.found for row in rows}.values())


def latest(connection: Connection, actor: Actor) -> Sequence[tuple[Row[Any], Mapping[str, int]]]:
    """The latest ones at lockers that ``actor`` sees, each with what it counted."""
    query = select(STOCKTAKE).where(scope.sees(actor, STOCKTAKE.c.locker))
    rows = connection.execute(query.order_by(STOCKTAKE.c.began_ms.desc()).limit(SHOWN)).all()
    return [(row, json.loads(row.counted or "{}")) for row in rows]
