"""Whether a genuine release is one for this machine, now."""

import hashlib
from collections.abc import Mapping
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
    """To which a release that is here brings a journal: so many steps it knows."""
    return sum(
        each.endswith(".sql") for each in disk.names(f"{_packages(disk, name)}/locker/journal/migrations")
    )


def store_of(disk: Disk, name: str) -> str:
    """What tells the schemas of a hub's store apart: a digest of the steps. Empty where there are none."""
    steps = f"{_packages(disk, name)}/sync/central/migrations"
    files = {
        f"{part}{each}": disk.read(f"{steps}/{part}{each}") or b""
        for part in ("", "versions/")
        for each in disk.names(f"{steps}/{part}".rstrip("/"))
        if each.endswith(".py")
    }
    return digest_of(files) if files else ""


def digest_of(steps: Mapping[str, bytes]) -> str:
    """The same wherever they lie."""
    return hashlib.sha256(b"".join(name.encode() + text for name, text in sorted(steps.items()))).hexdigest()[
        :12
    ]


def _packages(disk: Disk, name: str) -> str:
    """Where a release's own environment has them."""
    pythons = [each for each in disk.names(f"{releases.folder(name)}/lib") if each.startswith("python")]
    return f"{releases.folder(name)}/lib/{pythons[0] if pythons else ''}/site-packages"
