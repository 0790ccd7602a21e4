"""`lockerctl retire`: leave nothing on this machine that opens a door or names anybody.

What the hub has not acknowledged yet is sealed for the hub first, into a file that somebody carries there.
Flash memory keeps old copies of what was overwritten, out of anybody's easy reach: a card that held a locker
is destroyed, or used for one again.
"""

import argparse
import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from locker import keyfiles
from locker.ctl import site

if TYPE_CHECKING:
    from locker.config import Config

CHUNK: Final = 1 << 20
OWN: Final = "own.json"
FIRST: Final = (
    *(OWN, "centre.json", "own.json.sealed", "centre.json.sealed"),
    *("link.pem", "pending.json", "next.key", "next.pem"),
)
"""Gone before all else: from then on the rest is of no use at a door."""
SEALED_MAX: Final = 1_000
"""Entries in one sealed text."""


class CannotRetire(Exception):
    """Nothing was removed. The message says what to do."""


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--confirm", required=True, metavar="LOCKER", help="its name, as a safeguard")
    parser.add_argument(
        "--sealed", type=Path, metavar="FILE", help="for what the hub has not acknowledged; on another medium"
    )
    parser.add_argument("--despite-items", action="store_true", help="although something lies in it")
    parser.set_defaults(run=_retire)


def _retire(arguments: argparse.Namespace) -> int:
    from locker.ctl import sealing  # noqa: PLC0415  # late: heavy, and it uses `destroy`
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late
    from locker.platform import KeysError  # noqa: PLC0415  # late

    config = site.config(arguments)
    if arguments.confirm != config.locker.id:
        return site.wrong(f"this is locker {config.locker.id!r}: --confirm names another")
    try:
        count = retire(config, arguments.sealed, despite_items=arguments.despite_items)
        sealing.forget(config)
    except (CannotRetire, JournalError, KeysError) as error:
        return site.wrong(str(error))
    except OSError as error:
        return site.wrong(f"{error.filename or ''}: {error.strerror}. Do it again: it goes on where it was")
    cleared = _anchor_cleared(config)
    print(f"{count} files are gone. At the hub: locker-central authority revoke {config.locker.id}")
    print("Destroy the card, or use it for a locker again: flash memory forgets late.")
    return site.wrong(cleared) if cleared else 0


def _anchor_cleared(config: "Config") -> str:
    """The module outside the card is as new; "" where it is, or where there is none."""
    from locker.anchor.adopt import clear  # noqa: PLC0415  # late: heavy
    from locker.anchor.place import PlaceError  # noqa: PLC0415  # late

    try:
        clear(config)
    except PlaceError as error:
        return f"the rollback anchor stays ({error}). It names nobody; its next locker has to adopt it"
    return ""


def retire(config: "Config", sealed: Path | None, *, despite_items: bool) -> int:
    """How many files went. Done again after a cut it goes on. Raises CannotRetire, JournalError, KeysError,
    OSError."""
    from locker.journal.lock import JournalLock  # noqa: PLC0415  # late
    from sync import durable  # noqa: PLC0415  # late

    if not config.state_dir.is_dir():
        raise CannotRetire(f"{config.state_dir}: there is nothing")
    if config.journal_path.exists() and keyfiles.is_there(config.keys_dir / OWN):
        _settle(config, sealed, despite_items=despite_items)
    lock = JournalLock(config.journal_path)
    try:
        count = 0
        for path in _all(config):
            destroy(path)
            count += 1
        for folder in (config.keys_dir, config.state_dir):
            if folder.is_dir():
                durable.sync_folder(folder)
    finally:
        lock.release()
    return count


def _settle(config: "Config", sealed: Path | None, *, despite_items: bool) -> None:
    """Nothing lies in it, and the hub has, or gets, all that happened. Raises CannotRetire."""
    from locker.domain.encoding import canonical  # noqa: PLC0415  # late
    from locker.journal.dump import dump  # noqa: PLC0415  # late
    from locker.platform import Keys, Platform  # noqa: PLC0415  # late
    from sync import durable  # noqa: PLC0415  # late
    from sync.seal import seal  # noqa: PLC0415  # late

    held, acknowledged, head = _standing(config)
    if held and not despite_items:
        doors = ", ".join(map(str, held))
        raise CannotRetire(f"something lies behind {doors}: take it out first, or say --despite-items")
    if acknowledged >= head:
        return
    if sealed is None:
        left = head - acknowledged
        raise CannotRetire(
            f"{left} entries are not acknowledged by the hub: wait for it, or name --sealed FILE"
        )
    keys = Keys.load(config.keys_dir, config.locker_id, config.area)
    lines = list(dump(config.journal_path, after=acknowledged, personal=True))
    parts = [lines[n : n + SEALED_MAX] for n in range(0, len(lines), SEALED_MAX)]
    with contextlib.closing(Platform.real()) as platform:
        texts = [seal(keys.centre_seal, "\n".join(part), platform.random_bytes) for part in parts]
    durable.write_new(sealed, canonical({"locker": config.locker.id, "sealed": texts}) + "\n")


def _standing(config: "Config") -> tuple[list[int], int, int]:
    """Doors behind which something lies, or may lie; up to where the hub has all; where it ends."""
    from locker.journal.replay import load  # noqa: PLC0415  # late
    from locker.journal.store import Store  # noqa: PLC0415  # late

    with contextlib.closing(Store(config.journal_path)) as store:
        state = load(store).state
        held = sorted(door for door, c in state.compartments.items() if c.holding or c.doubt)
        return [int(door) for door in held], store.acknowledged, state.seq


def _all(config: "Config") -> Iterator[Path]:
    """Every file that knows something, what opens doors first."""
    first = [config.keys_dir / name for name in FIRST]
    password = config.path.parent / config.mqtt.password_file if config.mqtt.password_file else None
    rest: Iterable[Path] = (
        *([password] if password else []),
        *(
            path
            for folder in (config.keys_dir, config.state_dir)
            if folder.is_dir()
            for path in folder.rglob("*")
        ),
    )
    seen: set[Path] = set()
    for path in (*first, *sorted(rest)):
        if path not in seen and path.is_file() and not path.name.endswith(".lock"):
            seen.add(path)
            yield path


def destroy(path: Path) -> None:
    """Written over, then gone. Raises OSError."""
    with path.open("r+b", buffering=0) as file:
        left = file.seek(0, os.SEEK_END)
        file.seek(0)
        while left > 0:
            left -= file.write(bytes(min(CHUNK, left)))
        os.fsync(file.fileno())
    path.unlink()
