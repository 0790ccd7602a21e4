"""What was done to this machine, so that it can be undone: one file, renewed before each change."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Final

from systemd.installer.errors import NotOurs
from systemd.installer.machine import Machine

FILE: Final = "/var/lib/doclocker-install/done.json"
BEFORE: Final = "/var/lib/doclocker-install/before"
"""Where files lie that were there before ours, by the hash of their path."""


def digest(content: bytes) -> str:
    """Of a file's content, or of a path as a name."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Done:
    """``files``: path → digest of what we wrote. ``before``: paths whose former content is kept.
    ``words``: path → words that we put into a line of the boot loader. ``site``: what was said of this
    site's devices, for a later run that does not say it again."""

    role: str = ""
    files: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    site: dict[str, dict[str, str]] = field(default_factory=dict)
    settled: bool = True
    """Whether the system was told of what was written; an interrupted run leaves that to the next."""

    def keep(self, machine: Machine) -> None:
        """On the disk, before what it tells of is done: an interrupted run can be undone."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        if machine.read(FILE) != text.encode():
            machine.write(FILE, text.encode())

    @classmethod
    def of(cls, machine: Machine) -> "Done":
        """As kept; empty on a machine where nothing was done. What a newer release has noted beside is passed
        over: an update that goes back comes back to this one."""
        content = machine.read(FILE)
        if content is None:
            return cls()
        try:
            known = {each.name for each in fields(cls)}
            return cls(**{name: value for name, value in json.loads(content).items() if name in known})
        except (ValueError, TypeError, AttributeError) as error:
            raise NotOurs(FILE, str(error)) from error


def kept_as(path: str) -> str:
    """Where the former content of ``path`` is."""
    return f"{BEFORE}/{digest(path.encode())[:16]}"
