"""What `locker-central` does, once it is known what was asked.

The hub itself is imported by who serves alone: an enrolment would wait for it longer than for all else.
"""

import asyncio
import base64
import contextlib
import errno
import json
import tomllib
from pathlib import Path
from typing import Any, Final

from sync import durable, seal
from sync.central import backup, lockers, migrations
from sync.central import config as configuration
from sync.central import enrol_many as many
from sync.central.access import commands as access
from sync.central.alone import AlreadyServed, alone
from sync.central.authority import commands as authority_commands
from sync.central.desk import Desk
from sync.central.platform import Chance, SystemClock
from sync.central.rotation import commands as rotation
from sync.central.store import Store

EXPECTED: Final = (
    configuration.BadConfig,
    lockers.CannotEnrol,
    AlreadyServed,
    backup.CannotCopy,
    migrations.StoreTooNew,
    *access.EXPECTED,
    *authority_commands.EXPECTED,
    *rotation.EXPECTED,
    OSError,
)
"""What can be wrong with the world; told in a line, without a trace."""
SECRET_BYTES: Final = 20


people = access.run
authority = authority_commands.run
keys = rotation.run


def serve(config: Path) -> None:
    from sync.central import hub  # noqa: PLC0415  # late: see above

    asyncio.run(hub.serve(configuration.load(config)))


def worker(config: Path) -> None:
    """Raises BadConfig, OSError."""
    from sync.central import hub  # noqa: PLC0415  # late: see above

    asyncio.run(hub.work(configuration.load(config)))


def enrol(config: Path, locker: str, area: str, public: str, out: Path) -> None:
    """Also beside a running hub. Raises CannotEnrol, BadConfig, OSError."""
    loaded = configuration.load(config)
    desk = Desk(configuration.load_keys(loaded.keys), SystemClock())
    with contextlib.closing(Store.open(loaded.database, checkpoints=False)) as store:
        known = store.write_now(lambda connection: lockers.enrol(connection, desk, locker, area, public))
    durable.write_new(out, json.dumps(known, indent=2) + "\n")
    print(f"{locker} is enrolled in {area}; carry {out} to its keys folder")


def enrol_many(config: Path, wanted: Path, out: Path) -> None:
    """Also beside a running hub. Raises CannotEnrol, BadConfig, OSError."""
    loaded = configuration.load(config)
    desk = Desk(configuration.load_keys(loaded.keys), SystemClock())
    with contextlib.closing(Store.open(loaded.database, checkpoints=False)) as store:
        count = many.enrol_many(store.write_now, desk, wanted, out)
    print(f"{count} lockers are enrolled; carry each one's file from {out} to its keys folder as centre.json")


def save(config: Path, folder: Path) -> None:
    """Also beside a running hub. Raises CannotCopy, BadConfig, OSError."""
    path = backup.save(configuration.load(config).database, folder, SystemClock().wall_ms())
    print(
        f"{path} ({path.stat().st_size:,} bytes); the keys are not in it: keep a copy of keys.json elsewhere"
    )


def restore(config: Path, copy: Path) -> None:
    """Raises AlreadyServed, CannotCopy, BadConfig, OSError."""
    loaded = configuration.load(config)
    desk = Desk(configuration.load_keys(loaded.keys), SystemClock())
    with alone(loaded):
        told = backup.restore(loaded.database, desk, copy, desk.clock.wall_ms())
    print(f"{told.lockers} lockers, {told.entries:,} entries, {told.authorisations} living authorisations")
    print("Lockers say again what came since. Look through accounts, keys and staff: what was ended since")
    print("this copy lives again. Alarms `right_extra` name rights whose phone is unknown.")
    if told.aside:
        print(f"What was there before: {told.aside}")


def init(folder: Path, settings: list[str]) -> None:
    """Raises BadConfig, OSError; never overwrites."""
    chance = Chance()
    values: dict[str, dict[str, Any]] = {
        "hub": {},
        "web": {"api_keys": [_secret(chance)]},
        "broker": {"password": _secret(chance)},
        "sms": {},
        "access": {},
        "identity": {},
    }
    for setting in settings:
        section, key, value = _setting(setting)
        values.setdefault(section, {})[key] = value
    durable.make_folder(folder)
    path, draft = folder / "central.toml", folder / "central.toml.draft"
    if path.exists():
        raise FileExistsError(errno.EEXIST, "it is there already", str(path))
    draft.unlink(missing_ok=True)
    durable.write_new(draft, _toml(values))
    kept = configuration.load(draft).keys
    _need_keys(kept, chance)
    draft.rename(path)
    durable.sync_folder(folder)
    print(f"wrote {path}; with {kept} it is this hub: back both up, keep both secret")


def _need_keys(path: Path, chance: Chance) -> None:
    """Those of a hub that went before stay. Raises BadConfig, OSError."""
    if path.exists():
        configuration.load_keys(path)
        return
    durable.make_folder(path.parent)
    keys = {
        "sign_seed": chance.random_bytes(seal.KEY_BYTES).hex(),
        "seal_private": chance.random_bytes(seal.KEY_BYTES).hex(),
    }
    durable.write_new(path, json.dumps(keys, indent=2) + "\n")


def _secret(chance: Chance) -> str:
    return base64.b32encode(chance.random_bytes(SECRET_BYTES)).decode().lower()


def _setting(text: str) -> tuple[str, str, Any]:
    name, equals, value = text.partition("=")
    section, dot, key = name.partition(".")
    if not equals or not dot or section not in configuration.SECTIONS:
        raise configuration.BadConfig(f"--set {text!r}: SECTION.KEY=VALUE was expected")
    try:
        return section, key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return section, key, value


def _toml(values: dict[str, dict[str, Any]]) -> str:
    """A JSON text or list of texts is TOML as well."""
    lines: list[str] = []
    for section, entries in values.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items()]
        lines.append("")
    return "\n".join(lines)
