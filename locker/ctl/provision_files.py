"""What provisioning leaves on a locker: whole files, each put in one step, for the daemon's user alone."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from locker import keyfiles
from locker.ctl.provision_hub import CannotProvision
from locker.keyfiles import SealedKey
from sync import durable

DAEMON: Final = "doclocker"
"""Whom the daemon runs as, where it is installed as `systemd/` has it."""
OWN: Final = "own.json"
CENTRE: Final = "centre.json"
RELEASES: Final = "release-keys.json"
"""Beside the configuration, and of root: whose releases this machine believes."""
ROOT: Final = "root.pem"
LINK: Final = "link.pem"
"""Key and certificate in one file: no cut leaves one without the other."""
HUB: Final = "hub.json"
PENDING: Final = "pending.json"
"""What was asked for and not yet put in place."""
NEXT_KEY: Final = "next.key"
NEXT: Final = "next.pem"
"""The certificate that will be worn next, until the broker has taken it."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The keys folder. ``owner``: user and group for whom files are put; None: whoever puts them."""

    folder: Path
    owner: tuple[int, int] | None = None

    def make(self) -> None:
        """Raises CannotProvision."""
        try:
            durable.make_folder(self.folder)
            self.folder.chmod(0o700)
            if self.owner:
                os.chown(self.folder, *self.owner)
        except OSError as error:
            raise CannotProvision(
                f"{self.folder}: {error.strerror}. Run it as root, or as its owner"
            ) from error

    def has(self, name: str) -> bool:
        return keyfiles.is_there(self.folder / name)

    def text(self, name: str) -> str:
        """Empty where there is none. Raises CannotProvision."""
        try:
            return keyfiles.text(self.folder / name)
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError, SealedKey) as error:
            raise CannotProvision(f"{self.folder / name}: {error}") from error

    def put(self, name: str, text: str) -> None:
        """Durable on return, in place of what was there. Raises CannotProvision."""
        put(self.folder / name, text, 0o600, self.owner)

    def drop(self, name: str) -> None:
        """Raises CannotProvision."""
        try:
            (self.folder / name).unlink(missing_ok=True)
            durable.sync_folder(self.folder)
        except OSError as error:
            raise CannotProvision(f"{self.folder / name}: {error.strerror}") from error

    def rename(self, name: str, new: str) -> None:
        """Raises CannotProvision."""
        try:
            (self.folder / name).replace(self.folder / new)
            durable.sync_folder(self.folder)
        except OSError as error:
            raise CannotProvision(f"{self.folder / new}: {error.strerror}") from error


def put(path: Path, text: str, mode: int, owner: tuple[int, int] | None) -> None:
    """One file, whole or as it was. Raises CannotProvision."""
    fresh = path.with_name(f"{path.name}.fresh")
    try:
        fresh.unlink(missing_ok=True)
        durable.write_new(fresh, text, mode)
        fresh.chmod(mode)  # whatever the umask of whoever types: the daemon must be able to read it
        if owner:
            os.chown(fresh, *owner)
        fresh.replace(path)
        durable.sync_folder(path.absolute().parent)
    except OSError as error:
        raise CannotProvision(f"{path}: {error.strerror}. Free the disk, or run it as root") from error


def owner_of(name: str) -> tuple[int, int] | None:
    """Of the daemon: by ``name``, or the usual one where root asks. Raises CannotProvision."""
    if not name and os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(name or DAEMON)
    except KeyError as error:
        if not name:
            return None
        raise CannotProvision(f"there is no user {name!r}. Name another by --owner") from error
    return found.pw_uid, found.pw_gid
