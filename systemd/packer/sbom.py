"""The bill of materials: CycloneDX 1.6 of what runs, made from the lock. The same commit, the same bytes."""

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from systemd.packer.dependencies import Locked, licence, locked, needs
from systemd.packer.tree import LOCK, Checkout

NAME: Final = "doclocker"
LICENCE: Final = "Apache-2.0"
OTHERWISE: Final = ("win32",)
"""Systems on which nothing of this runs: what only they want is left out."""


def bill(source: Checkout) -> bytes:
    """One JSON document. Raises PackError."""
    every = tuple(each for each in locked((source.root / LOCK).read_text()) if is_ours(each))
    refs = {each.name: purl(each) for each in every}
    own = f"pkg:generic/{NAME}@{source.version}"
    parts = [_component(each) for each in every]
    known = {name: sorted(refs[each] for each in needs(name) if each in refs) for name in refs}
    direct = sorted(refs[each] for each in needs(NAME, frozenset({"", "central"})) if each in refs)
    said: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(source.built_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": NAME,
                "version": source.version,
                "purl": own,
                "licenses": [{"expression": LICENCE}],
            },
        },
        "components": parts,
        "dependencies": [
            {"ref": own, "dependsOn": direct},
            *({"ref": refs[name], "dependsOn": known[name]} for name in sorted(refs)),
        ],
    }
    said["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(said, sort_keys=True))}"
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def is_ours(each: Locked) -> bool:
    return not any(system in each.marker for system in OTHERWISE)


def purl(each: Locked) -> str:
    """By which advisories name it."""
    return f"pkg:pypi/{each.name}@{each.version}"


def _component(each: Locked) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": purl(each),
        "name": each.name,
        "version": each.version,
        "purl": purl(each),
        "licenses": [{"expression": licence(each.name)}],
        "hashes": list(_hashes(each.hashes)),
    }


def _hashes(every: Iterable[str]) -> Iterable[dict[str, str]]:
    """Of each file in which it is offered: which one is installed hangs on the machine."""
    return ({"alg": "SHA-256", "content": each} for each in sorted(every))
