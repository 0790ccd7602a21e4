"""Whom this machine believes when it comes to releases: one key, or two while one follows the other."""

import json
import re
from collections.abc import Sequence
from typing import Final

from systemd.updater.disk import Disk, folder_of, put
from systemd.updater.errors import BadKeys, NoKeys

FILE: Final = "/etc/doclocker/release-keys.json"
KEYS_MAX: Final = 2
_KEY: Final = re.compile(r"[0-9a-f]{64}")


def load(disk: Disk) -> tuple[str, ...]:
    """Public keys in hex. Raises NoKeys, BadKeys."""
    content = disk.read(FILE)
    if content is None:
        raise NoKeys(FILE)
    try:
        return checked([str(key) for key in json.loads(content)["keys"]])
    except (ValueError, TypeError, KeyError) as error:
        raise BadKeys(f"{FILE} cannot be read ({error}): systemd/update trust KEY --instead") from error


def checked(keys: Sequence[str]) -> tuple[str, ...]:
    """Raises BadKeys where they are not one or two different ones."""
    for key in keys:
        if not _KEY.fullmatch(key):
            raise BadKeys(f"{key!r} is no public key: 64 digits of hex, as systemd/pack key prints them")
    different = tuple(dict.fromkeys(keys))
    if not 0 < len(different) <= KEYS_MAX:
        raise BadKeys(
            f"{len(different)} keys: 1 or {KEYS_MAX} are good at a time; --instead for a new one alone"
        )
    return different


def keep(disk: Disk, keys: Sequence[str]) -> None:
    """From now on these and no others."""
    disk.make_folder(folder_of(FILE))
    put(disk, FILE, json.dumps({"keys": list(checked(keys))}, indent=1).encode() + b"\n")
