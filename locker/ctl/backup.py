"""`lockerctl backup`: one moment of a locker in a folder, made beside a running daemon."""

import argparse
import contextlib
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from locker.ctl import noted, site

if TYPE_CHECKING:
    from locker.config import Config

JOURNAL: Final = "journal.sqlite3"
CONFIG: Final = "locker.toml"
KEYS: Final = "keys"
PAGES_AT_ONCE: Final = 256


class CannotCopy(Exception):
    """No copy was made. The message says what to do."""


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="best on another medium")
    parser.add_argument("--keep", type=int, default=7, metavar="N", help="so many copies stay; the oldest go")
    noted.with_note(parser)
    parser.set_defaults(run=_backup)


def _backup(arguments: argparse.Namespace) -> int:
    from locker.platform import Platform  # noqa: PLC0415  # late: heavy

    config = site.config(arguments)
    with contextlib.closing(Platform.real()) as platform:
        now_ms = platform.clock.wall_ms()
    try:
        copy = make(config, arguments.to, now_ms)
        gone = prune(config, arguments.to, max(1, arguments.keep))
    except (CannotCopy, OSError, sqlite3.Error, ValueError) as error:
        noted.note(arguments, config, "backup", ok=False, told=str(error))
        return site.wrong(f"{error}. Nothing half-done is left that looks like a copy")
    noted.note(arguments, config, "backup", ok=True)
    print(f"{copy}: whoever has it can be this locker; keep it where the locker's own card would be safe")
    if gone:
        print(f"{gone} older copies were removed")
    return 0


def make(config: "Config", folder: Path, now_ms: int) -> Path:
    """The copy, whole and checked, or none. Raises CannotCopy, OSError, sqlite3.Error, ValueError."""
    from locker.journal import verify  # noqa: PLC0415  # late
    from sync import durable  # noqa: PLC0415  # late

    moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    copy = folder / f"{config.locker.id}-{moment}"
    new = folder / f"{copy.name}.new"
    if copy.exists():
        raise CannotCopy(f"{copy} is there already; try again in a second")
    if not config.journal_path.is_file():
        raise CannotCopy(f"{config.journal_path}: there is no journal yet")
    durable.make_folder(folder)
    with contextlib.ExitStack() as undo:
        new.mkdir(mode=0o700)
        undo.callback(shutil.rmtree, new)
        copy_journal(config.journal_path, new / JOURNAL)
        found = verify.check(new / JOURNAL)
        if found.wrong:
            raise CannotCopy(f"the journal is not what it was: entry {found.seq} {found.wrong}")
        durable.write_new(new / CONFIG, config.path.read_text(encoding="utf-8"))
        (new / KEYS).mkdir(mode=0o700)
        for path in sorted(config.keys_dir.glob("*.*")):
            durable.write_new(new / KEYS / path.name, path.read_text(encoding="utf-8"))
        durable.sync_folder(new / KEYS)
        durable.sync_folder(new)
        new.rename(copy)
        undo.pop_all()
    durable.sync_folder(folder)
    return copy


def copy_journal(path: Path, to: Path) -> None:
    """SQLite's own copy: one moment, whatever is written meanwhile. It holds back nobody for long."""
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy, pages=PAGES_AT_ONCE)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, to be carried
    handle = os.open(to, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def prune(config: "Config", folder: Path, keep: int) -> int:
    """Of this locker's copies the oldest go, and what a cut left half-done; how many copies went."""
    every = sorted(folder.glob(f"{config.locker.id}-????????T??????Z"))
    for path in (*every[:-keep], *folder.glob(f"{config.locker.id}-????????T??????Z.new")):
        shutil.rmtree(path)
    return len(every[:-keep])
