"""The locked packages against known vulnerabilities, as OSV publishes them; from a file, not a network."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from systemd.packer.dependencies import Locked
from systemd.packer.errors import PackError

ECOSYSTEM: Final = "PyPI"


def advisories(path: Path) -> Iterator[Mapping[str, Any]]:
    """Of an archive of JSON files, one each, or a folder of them. Raises PackError."""
    try:
        if path.is_dir():
            yield from (json.loads(each.read_bytes()) for each in sorted(path.glob("*.json")))
        else:
            with zipfile.ZipFile(path) as archive:
                yield from (json.loads(archive.read(name)) for name in sorted(archive.namelist()))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise PackError(f"{path} holds no advisories ({error}): the export of OSV for {ECOSYSTEM}") from error


def newest(known: Iterable[Mapping[str, Any]]) -> str:
    """The day of the latest change among them; of what came later they know nothing. Raises PackError."""
    days = [str(advisory.get("modified", ""))[:10] for advisory in known]
    if not days:
        raise PackError(f"not one advisory is in there: the export of OSV for {ECOSYSTEM}")
    return max(days)


def found(every: Iterable[Locked], known: Iterable[Mapping[str, Any]]) -> list[str]:
    """``package version: id, summary`` of each that is affected; withdrawn advisories say nothing."""
    versions = {each.name: each.version for each in every}
    said = []
    for advisory in known:
        if "withdrawn" in advisory:
            continue
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(str(package.get("name", "")))
            if package.get("ecosystem") == ECOSYSTEM and name in versions and _hits(affected, versions[name]):
                summary = str(advisory.get("summary", "")).strip()
                said.append(f"{name} {versions[name]}: {advisory.get('id')}, {summary or 'no summary'}")
    return sorted(set(said))


def _hits(affected: Mapping[str, Any], version: str) -> bool:
    """Named, or within a range."""
    if version in affected.get("versions", ()):
        return True
    ranges = (each for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM")
    return any(_within(each.get("events", ()), Version(version)) for each in ranges)


def _within(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    """Walks the events in the order of versions; the last one that applies decides."""
    inside = False
    for at, kind in sorted((_at(text), kind) for event in events for kind, text in event.items()):
        if kind == "introduced" and at <= version:
            inside = True
        elif (kind == "fixed" and at <= version) or (kind == "last_affected" and at < version):
            inside = False
    return inside


def _at(text: str) -> Version:
    """What is no version is taken for the very first, so that nothing is overlooked."""
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0.dev0")
