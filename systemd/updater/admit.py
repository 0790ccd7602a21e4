"""Whether a genuine release is one for this machine, now."""

import json
from dataclasses import dataclass

from systemd.updater import releases
from systemd.updater.disk import Disk
from systemd.updater.envelope import Release
from systemd.updater.errors import Unfit


@dataclass(frozen=True, slots=True)
class Here:
    """This machine: ``machine`` as `uname -m` says it, ``python`` as in "3.11", what runs, and the schema of
    its journal (0: there is none)."""

    machine: str
    python: str
    running: str
    journal_schema: int


def admit(disk: Disk, release: Release, here: Here, *, forced: bool) -> None:
    """Raises Unfit. ``forced`` lets an older one in, and nothing else."""
    manifest = release.manifest
    if manifest.machine != here.machine:
        raise Unfit(f"it is for {manifest.machine}, this machine is {here.machine}: take the one made for it")
    if manifest.python != here.python:
        raise Unfit(f"it is for Python {manifest.python}, here is {here.python}: take the one made for it")
    if release.name == here.running:
        raise Unfit(f"{release.name} runs already: nothing to do")
    if manifest.journal_schema < here.journal_schema:
        raise Unfit(
            f"the journal has schema {here.journal_schema}, this release knows up to"
            f" {manifest.journal_schema}: it would not start. Take a newer one; entries cannot be taken back"
        )
    if manifest.order < releases.order(disk, here.running) and not forced:
        raise Unfit(
            f"{manifest.version} is older than {here.running}: take a newer one, or say --force if you know"
            " that nothing of what came since is needed"
        )


def admit_back(disk: Disk, name: str, here: Here) -> None:
    """The same of one that is here already and did run. Raises Unfit."""
    if not name or name == here.running or not releases.is_whole(disk, name):
        raise Unfit(
            "there is no other whole release on this machine: give the file of an older one, and --force"
        )
    if here.journal_schema and schema_of(disk, name) < here.journal_schema:
        raise Unfit(f"the journal has schema {here.journal_schema}, which {name} does not know")


def schema_of(disk: Disk, name: str) -> int:
    """To which a release that is here brings a journal; one without facts is of the first."""
    facts = disk.read(f"{releases.folder(name)}/{releases.FACTS}")
    return int(json.loads(facts)["journal_schema"]) if facts else 1


def store_of(disk: Disk, name: str) -> str:
    """What tells schemas of a hub's store apart; empty: not known."""
    facts = disk.read(f"{releases.folder(name)}/{releases.FACTS}")
    return str(json.loads(facts)["store_schema"]) if facts else ""
