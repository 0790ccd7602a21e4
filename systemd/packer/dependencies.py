"""What the locked packages are: version, hashes, licence, and which needs which. Nothing is fetched."""

import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from systemd.packer.errors import PackError

_PINNED: Final = re.compile(r"([a-z0-9-]+)==([A-Za-z0-9.!+]+)(?: ; (.+?))? \\")
_HASH: Final = re.compile(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?")
_SPDX: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Classifiers of packages that say nothing clearer."""
_READ: Final = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "import-linter": "BSD-2-Clause",
    "grimp": "BSD-2-Clause",
}
"""Read in the packages themselves, where neither expression nor classifier tells."""
_UNCLEAR: Final = frozenset({"UNKNOWN", "BSD"})
_ID: Final = re.compile(r"[A-Za-z0-9.-]+(?: (?:AND|OR) [A-Za-z0-9.-]+)*")


@dataclass(frozen=True, slots=True)
class Locked:
    """``marker``: on which systems it is wanted; empty: on all."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def locked(text: str) -> tuple[Locked, ...]:
    """Of a lock file. Raises PackError for a line that pins nothing, or a package without a hash."""
    found: list[Locked] = []
    for number, line in enumerate(text.splitlines(), 1):
        if pinned := _PINNED.fullmatch(line):
            found.append(Locked(pinned[1], pinned[2], pinned[3] or "", ()))
        elif (hashed := _HASH.fullmatch(line)) and found:
            last = found.pop()
            found.append(Locked(last.name, last.version, last.marker, (*last.hashes, hashed[1])))
        else:
            raise PackError(f"line {number} of the lock pins nothing: {line!r}; make it anew with make lock")
    if bare := [each.name for each in found if not each.hashes]:
        raise PackError(f"without a hash: {', '.join(bare)}; make the lock anew with make lock")
    return tuple(found)


def licence(name: str) -> str:
    """As an SPDX expression, by what is installed. Raises PackError where it says nothing that is clear."""
    if name in _READ:
        return _READ[name]
    said = importlib.metadata.metadata(name)
    told = str(next(iter(said.get_all("License-Expression") or said.get_all("License") or [""])))
    if told not in _UNCLEAR and _ID.fullmatch(told):
        return told
    classified = {
        _SPDX[words[-1]]
        for each in said.get_all("Classifier") or []
        if (words := each.split(" :: "))[0] == "License" and words[-1] in _SPDX
    }
    if len(classified) != 1:
        raise PackError(f"{name}: no clear licence ({told or classified}); read it, and say it in {__name__}")
    return classified.pop()


def needs(name: str, extras: frozenset[str] = frozenset()) -> Mapping[str, frozenset[str]]:
    """What an installed package needs here, each with the extras of it."""
    found: dict[str, frozenset[str]] = {}
    for line in importlib.metadata.requires(name) or []:
        wanted = Requirement(line)
        cases = [{"extra": extra} for extra in extras] or [{"extra": ""}]
        if wanted.marker is None or any(wanted.marker.evaluate(case) for case in cases):
            found[canonicalize_name(wanted.name)] = frozenset(wanted.extras)
    return found
