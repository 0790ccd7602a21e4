"""The releases on this machine: folders, each whole or not there, and two links.

``current`` is what runs. ``previous`` is what this machine goes back to while a release is on trial; whoever
guards the trial runs from there.
"""

import json
from typing import Final

from systemd.updater.disk import Disk, drop, point

BASE: Final = "/opt/doclocker"
RELEASES: Final = f"{BASE}/releases"
CURRENT: Final = f"{BASE}/current"
PREVIOUS: Final = f"{BASE}/previous"
WHOLE: Final = "whole"
"""Written last and removed first: a folder without it is nobody's."""
FACTS: Final = "release.json"
"""Its manifest; one that `systemd/install` made of a checkout has none."""


def folder(name: str) -> str:
    return f"{RELEASES}/{name}"


def running(disk: Disk) -> str:
    """The name of what ``current`` points at; empty where nothing is installed."""
    return disk.target(CURRENT).rpartition("/")[2]


def is_whole(disk: Disk, name: str) -> bool:
    return disk.read(f"{folder(name)}/{WHOLE}") is not None


def run(disk: Disk, name: str) -> None:
    """From the next start on it is what runs."""
    if running(disk) != name:
        point(disk, CURRENT, folder(name))


def hold(disk: Disk, name: str) -> None:
    """It is what there is to go back to."""
    if disk.target(PREVIOUS) != folder(name):
        point(disk, PREVIOUS, folder(name))


def order(disk: Disk, name: str) -> tuple[tuple[int, ...], int]:
    """Greater is newer. Of two builds of one version it is the later one, as far as they say."""
    facts = disk.read(f"{folder(name)}/{FACTS}")
    said = json.loads(facts) if facts else {}
    version = str(said.get("version", name.partition("-")[0]))
    return tuple(int(part) for part in version.split(".") if part.isdigit()), int(said.get("built_s", 0))


def remove(disk: Disk, name: str) -> None:
    """From the first step on it is none any more, also if the power goes."""
    drop(disk, f"{folder(name)}/{WHOLE}")
    disk.remove_tree(folder(name))


def prune(disk: Disk, *kept: str) -> list[str]:
    """All others go; their names."""
    gone = [name for name in disk.names(RELEASES) if name not in kept]
    for name in gone:
        remove(disk, name)
    return gone
