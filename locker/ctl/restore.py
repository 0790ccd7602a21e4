"""`lockerctl restore`: go back to a copy, on this card or a new one.

What happened since the copy is not in it: codes that were used may look unused, doors that were filled look
empty. So the copy begins a new epoch before it is put in place, and in that epoch no door opens until the hub
has said what it remembers, or two staff on site have looked behind every door and vouched for it.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from locker import keyfiles
from locker.ctl import site
from locker.ctl.backup import CONFIG, JOURNAL, KEYS

if TYPE_CHECKING:
    from locker.config import Config
    from locker.domain.ids import LockerId
    from locker.operations.ports import Secrets
    from locker.platform import Platform

BESIDE: Final = ("-wal", "-shm")
"""What belongs to a file of SQLite while it is open, and after a crash."""
STAGED: Final = "journal.restored.sqlite3"


class CannotRestore(Exception):
    """Nothing was put in place. The message says what to do."""


@dataclass(frozen=True, slots=True)
class _Author:
    locker: "LockerId"
    secrets: "Secrets"  # pragma: allowlist secret  # a port


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("copy", type=Path, metavar="DIR", help="one that `lockerctl backup` made")
    parser.add_argument("--owner", default="", metavar="USER", help="as whom the daemon runs")
    parser.add_argument("--dry-run", action="store_true", help="look at the copy, and do nothing")
    parser.set_defaults(run=_restore)


def _restore(arguments: argparse.Namespace) -> int:
    from locker.ctl.provision_hub import CannotProvision  # noqa: PLC0415  # late: heavy
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late
    from locker.platform import KeysError, Platform  # noqa: PLC0415  # late

    config = site.config(arguments)
    try:
        told = look(config, arguments.copy)
        if arguments.dry_run:
            print(f"{arguments.copy} is whole: {told}. Nothing was done")
            return 0
        with contextlib.closing(Platform.real()) as platform:
            aside = restore(config, arguments.copy, platform, arguments.owner)
        problem = anchored(config)
    except (CannotRestore, CannotProvision, JournalError, KeysError) as error:
        return site.wrong(str(error))
    except OSError as error:
        return site.wrong(f"{error.filename or ''}: {error.strerror}")
    print(f"{config.journal_path} is {told}, in a new epoch")
    if aside:
        print(f"What was there before: {aside}")
    print("No door opens until the hub has answered, or two staff have looked behind every door.")
    return site.wrong(problem) if problem else 0


def anchored(config: "Config") -> str:
    """Have the rollback anchor follow: the copy was meant. What is wrong with it; "" for nothing.

    After a cut before this the daemon finds the anchor ahead, and begins once more what awaits the hub.
    """
    from locker.anchor.adopt import follow  # noqa: PLC0415  # late: heavy
    from locker.anchor.place import PlaceError  # noqa: PLC0415  # late

    try:
        follow(config)
    except PlaceError as error:
        return f"the rollback anchor could not follow ({error}): see lockerctl anchor show"
    return ""


def look(config: "Config", copy: Path) -> str:
    """What it holds. Raises CannotRestore for one that is damaged, or another locker's."""
    import sqlite3  # noqa: PLC0415  # late

    from locker.journal import verify  # noqa: PLC0415  # late

    try:
        found = verify.check(copy / JOURNAL)
    except (OSError, sqlite3.Error, ValueError) as error:
        raise CannotRestore(f"{copy}: no copy of a locker ({error}). Name the folder itself") from error
    if found.wrong:
        raise CannotRestore(f"{copy}: entry {found.seq} {found.wrong}. Take another copy")
    ours = _own(config.keys_dir / "own.json")
    theirs = _theirs(copy, ours)
    if theirs.get("locker") != config.locker.id:
        raise CannotRestore(f"{copy} is of locker {theirs.get('locker')!r}, this is {config.locker.id!r}")
    if ours and ours != theirs:
        raise CannotRestore(f"{config.keys_dir} holds another key than the copy: `lockerctl retire` it first")
    return f"entries {found.first} to {found.last} of {theirs['locker']}"


def _theirs(copy: Path, ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """The copy's own key. Sealed to another machine it cannot be seen: then the locker's name has to do, for
    whoever has put that locker's keys here before. Raises CannotRestore."""
    try:
        return _own(copy / KEYS / "own.json")
    except CannotRestore as error:
        if not keyfiles.is_there(copy / KEYS / "own.json"):
            raise
        if not ours:
            raise CannotRestore(f"{error}. First: lockerctl keys recover") from error
    try:
        named = tomllib.loads((copy / CONFIG).read_text(encoding="utf-8"))["locker"]["id"]
    except (OSError, ValueError, KeyError) as error:
        raise CannotRestore(f"{copy}: its {CONFIG} names no locker ({error})") from error
    return ours if named == ours.get("locker") else {"locker": named}


def _own(path: Path) -> Mapping[str, Any]:
    """Empty where there is none. Raises CannotRestore."""
    try:
        found = json.loads(keyfiles.text(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, keyfiles.SealedKey) as error:
        raise CannotRestore(f"{path}: {error}") from error
    return found if isinstance(found, dict) else {}


def restore(config: "Config", copy: Path, platform: "Platform", owner: str = "") -> str:
    """Where what was there before lies, "" for nothing. Done again after a cut: the same.

    Raises CannotRestore, CannotProvision, JournalError, KeysError, OSError.
    """
    from locker.ctl.provision_files import Shelf, owner_of  # noqa: PLC0415  # late
    from locker.journal.lock import JournalLock  # noqa: PLC0415  # late
    from sync import durable  # noqa: PLC0415  # late

    owned = owner_of(owner)
    durable.make_folder(config.state_dir)
    lock = JournalLock(config.journal_path)
    try:
        shelf = Shelf(config.keys_dir, owned)
        shelf.make()
        for path in sorted((copy / KEYS).iterdir()):
            if not shelf.has(path.name):
                shelf.put(path.name, path.read_text(encoding="utf-8"))
        staged = config.state_dir / STAGED
        _remove(staged)
        shutil.copyfile(copy / JOURNAL, staged)
        staged.chmod(0o600)
        asyncio.run(_begin_anew(config, staged, platform))
        aside = _set_aside(config, platform.clock.wall_ms())
        staged.rename(config.journal_path)
        if owned:
            shutil.chown(config.journal_path, *owned)
        durable.sync_folder(config.state_dir)
        _remove(staged)
    finally:
        lock.release()
    return aside


async def _begin_anew(config: "Config", staged: Path, platform: "Platform") -> None:
    """The copy never stands in its place without its new epoch."""
    from locker.domain.history import Break  # noqa: PLC0415  # late
    from locker.journal.journal import Journal  # noqa: PLC0415  # late
    from locker.operations.new_epoch import begin  # noqa: PLC0415  # late
    from locker.platform import Keys, LockerSecrets  # noqa: PLC0415  # late

    keys = Keys.load(config.keys_dir, config.locker_id, config.area)
    author = _Author(config.locker_id, LockerSecrets(keys, platform.random_bytes))
    journal = await Journal.open(staged, platform.clock, platform.random_bytes, platform.journal_thread)
    try:
        await begin(author, journal, Break.LOST_ROWS, journal.state.epoch)
    finally:
        await journal.close()


def _set_aside(config: "Config", now_ms: int) -> str:
    if not config.journal_path.exists():
        return ""
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = config.journal_path.with_name(f"{config.journal_path.name}.before-{moment}")
    for suffix in BESIDE:
        beside = config.journal_path.with_name(config.journal_path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    config.journal_path.rename(aside)
    return str(aside)


def _remove(path: Path) -> None:
    for each in ("", *BESIDE, ".lock"):
        path.with_name(path.name + each).unlink(missing_ok=True)
