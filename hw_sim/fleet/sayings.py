"""The fields of what a locker says of itself."""

from typing import Any, Final

from hw_sim.fleet.life import BOOT, SOFTWARE, Life

DISK_PERCENT: Final = 20
QUALITY: Final = "ntp"


def link(life: Life, conn: int, *, online: bool, nonce: str, reason: str) -> dict[str, Any]:
    """A birth (with a nonce), a will, an orderly end, or what was found at a hello."""
    journal, down = life.journal, life.down
    return {
        "online": online,
        "epoch": journal.epoch,
        "boot": BOOT,
        "conn": conn,
        "head": journal.head,
        "oldest": min(1, journal.head),
        "head_hash": journal.head_hash.hex(),
        "dn_epoch": down.epoch,
        "dn_applied": down.seq,
        "dn_hash": down.hash,
        "nonce": nonce,
        "sw": SOFTWARE,
        "reason": reason,
    }


def tele(life: Life, conn: int, stored_to: int, wall_ms: int) -> dict[str, Any]:
    return {
        "epoch": life.journal.epoch,
        "boot": BOOT,
        "conn": conn,
        "mono": life.mono_ms(wall_ms),
        "time": wall_ms,
        "tq": QUALITY,
        "head": life.journal.head,
        "stored_to": stored_to,
        "disk_used_percent": DISK_PERCENT,
        "dropped": {},
        "repeated": 0,
    }


def state(life: Life, wall_ms: int) -> dict[str, Any]:
    return {
        "epoch": life.journal.epoch,
        "as_of_seq": life.journal.head,
        "doors": life.cabinet.doors(),
        "silent_boards": [],
        "time": wall_ms,
        "tq": QUALITY,
        "disk_used_percent": DISK_PERCENT,
        "sw": SOFTWARE,
    }
