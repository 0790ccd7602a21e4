"""What we take from others: pinned, hashed, under a licence that lets us, and needed."""

import json
import re
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from systemd.packer.__main__ import main as pack
from systemd.packer.audit import advisories, found
from systemd.packer.dependencies import Locked, licence, locked, needs
from systemd.packer.errors import PackError
from systemd.packer.sbom import bill, is_ours
from systemd.packer.tree import checkout
from tests.tidy import tree

LOCKS: Final = {"run": ".ci/requirements.lock", "dev": ".ci/requirements-dev.lock"}
TO_RUN: Final = frozenset(
    {"MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "PSF-2.0"}
    # Theirs stays theirs, in files of its own, and may be exchanged: nothing of ours has to follow.
    | {"MPL-2.0", "LGPL-3.0-only"}
)
TO_TEST: Final = TO_RUN | {"MIT-CMU", "GPL-2.0-only"}
"""Tools that check this code and are in nothing that is carried anywhere."""
IMPORTED_AS: Final = {
    "paho-mqtt": "paho",
    "pyserial": "serial",
    "argon2-cffi": "argon2",
    "prometheus-client": "prometheus_client",
}
IMPORT: Final = re.compile(r"^ *(?:import|from) (\w+)", re.MULTILINE)
BY_OTHERS: Final = {
    "httptools": "uvicorn's faster parser, taken where it is there",
    "psycopg": "SQLAlchemy's driver, loaded where somebody chose PostgreSQL",
    "setuptools": "builds the project itself",
}
"""Asked for by name, imported by somebody else."""


@cache
def packages(name: str) -> tuple[Locked, ...]:
    return locked((tree.ROOT / LOCKS[name]).read_text())


@cache
def project() -> dict[str, Any]:
    with (tree.ROOT / "pyproject.toml").open("rb") as file:
        return dict(tomllib.load(file)["project"])


def asked(*extras: str) -> dict[str, frozenset[str]]:
    """What the project names itself, with the extras of each."""
    lines = [
        *project()["dependencies"],
        *(line for extra in extras for line in project()["optional-dependencies"][extra]),
    ]
    wanted = [Requirement(line) for line in lines]
    return {canonicalize_name(each.name): frozenset(each.extras) for each in wanted}


def reached(*extras: str) -> set[str]:
    """Everything that is needed by what is needed, on this machine."""
    found, left = {"setuptools"}, list(asked(*extras).items())
    while left:
        name, wanted = left.pop()
        if name not in found or wanted:
            found.add(name)
            left += [(each, more) for each, more in needs(name, wanted).items() if each not in found or more]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_each_is_pinned_and_hashed_and_installed_as_pinned(name: str) -> None:
    from importlib.metadata import version  # noqa: PLC0415 -- the name is short, and used once

    every = [each for each in packages(name) if is_ours(each)]
    assert len(every) > 40
    assert {each.name for each in every if version(each.name) != each.version} == set()


def test_both_locks_are_of_one_resolution() -> None:
    assert set(packages("run")) <= set(packages("dev"))


@pytest.mark.parametrize(("name", "allowed"), [("run", TO_RUN), ("dev", TO_TEST)])
def test_each_has_a_licence_that_lets_us(name: str, allowed: frozenset[str]) -> None:
    said = {each.name: licence(each.name) for each in packages(name) if is_ours(each)}
    assert {name: told for name, told in said.items() if not lets(told, allowed)} == {}


def lets(expression: str, allowed: frozenset[str]) -> bool:
    """All of ``A AND B``; one of ``A OR B``."""
    return any(set(choice.split(" AND ")) <= allowed for choice in expression.split(" OR "))


def test_licences_are_read_as_they_are_meant() -> None:
    assert lets("EPL-2.0 OR BSD-3-Clause", TO_RUN)
    assert lets("MIT AND PSF-2.0", TO_RUN)
    assert not lets("MIT AND GPL-2.0-only", TO_RUN)
    assert not lets("AGPL-3.0-only", TO_TEST)


@pytest.mark.parametrize(("name", "extras"), [("run", ("central",)), ("dev", ("central", "dev"))])
def test_nothing_is_locked_that_nothing_needs(name: str, extras: tuple[str, ...]) -> None:
    assert {each.name for each in packages(name) if not each.marker} - reached(*extras) == set()


def test_what_is_asked_for_by_name_is_imported() -> None:
    texts = ((tree.ROOT / name).read_text() for name in tree.product_modules())
    imported = {found for text in texts for found in IMPORT.findall(text)}
    named = {
        IMPORTED_AS.get(name, name.replace("-", "_")) for name in asked("central") if name not in BY_OTHERS
    }
    assert named - imported == set()
    assert set(BY_OTHERS) <= {each.name for each in packages("run")}


def test_the_bill_of_materials_is_what_is_locked() -> None:
    source = checkout(tree.ROOT)
    made = bill(source)
    assert bill(source) == made
    said = json.loads(made)
    assert (said["bomFormat"], said["specVersion"]) == ("CycloneDX", "1.6")
    every = [each for each in packages("run") if is_ours(each)]
    assert {(each["name"], each["version"]) for each in said["components"]} == {
        (e.name, e.version) for e in every
    }
    assert all(
        each["purl"] == each["bom-ref"] and each["licenses"] and each["hashes"] for each in said["components"]
    )
    refs = {each["bom-ref"] for each in said["components"]} | {said["metadata"]["component"]["bom-ref"]}
    assert {each["ref"] for each in said["dependencies"]} == refs
    assert {ref for each in said["dependencies"] for ref in each["dependsOn"]} <= refs
    direct = next(each for each in said["dependencies"] if each["ref"].startswith("pkg:generic/"))
    assert {"pkg:pypi/pymodbus@3.16.1"} <= set(direct["dependsOn"])


ADVISORIES: Final = tree.ROOT / ".cache/advisories.zip"
"""The export of OSV for our ecosystem, put there by whoever has a network. Without one a run says so."""


@pytest.mark.skipif(not ADVISORIES.exists(), reason="not audited: no .cache/advisories.zip")
def test_no_known_vulnerability_applies() -> None:
    assert found(packages("run"), advisories(ADVISORIES)) == []


def advisory(
    name: str, versions: Sequence[str] = (), *events: Mapping[str, str], **more: str
) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "versions": list(versions), "ranges": ranges}
    return {"id": "X-1", "summary": "bad", "affected": [affected], **more}


PAD: Final = (Locked("left-pad", "1.10.0", "", ("00",)),)


@pytest.mark.parametrize(
    ("known", "applies"),
    [
        (advisory("Left_Pad", ["1.10.0"]), True),
        (advisory("left-pad", ["1.9.0"]), False),
        (advisory("right-pad", ["1.10.0"]), False),
        (advisory("left-pad", [], {"introduced": "0"}), True),
        (advisory("left-pad", [], {"introduced": "0"}, {"fixed": "1.10"}), False),
        (advisory("left-pad", [], {"introduced": "1.9"}, {"fixed": "1.10.1"}), True),
        (advisory("left-pad", [], {"introduced": "0"}, {"last_affected": "1.10.0"}), True),
        (advisory("left-pad", [], {"introduced": "0"}, {"last_affected": "1.9.9"}), False),
        (advisory("left-pad", [], {"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.10"}), True),
        (advisory("left-pad", [], {"introduced": "2.0"}), False),
        (advisory("left-pad", [], {"introduced": "no version"}), True),
        (advisory("left-pad", ["1.10.0"], withdrawn="2026-01-01"), False),
    ],
)
def test_which_advisories_apply(known: dict[str, Any], applies: bool, tmp_path: Path) -> None:
    (tmp_path / "X-1.json").write_text(json.dumps(known))
    assert found(PAD, advisories(tmp_path)) == (["left-pad 1.10.0: X-1, bad"] if applies else [])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("X-1.json", json.dumps(known))
    assert found(PAD, advisories(tmp_path / "all.zip")) == found(PAD, advisories(tmp_path))


def test_a_hole_in_what_is_locked_stops_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = next(each for each in packages("run") if each.name == "starlette")
    hole = advisory(
        ours.name, [], {"introduced": "0"}, {"fixed": f"{ours.version}.1"}, modified="2026-11-01T00"
    )
    (tmp_path / "X-1.json").write_text(json.dumps(hole))
    assert pack(["audit", "--advisories", str(tmp_path)]) == 1
    assert f"{ours.name} {ours.version}: X-1, bad" in capsys.readouterr().err
    mended = advisory(ours.name, [], {"introduced": "0"}, {"fixed": ours.version}, modified="2026-11-02T00")
    (tmp_path / "X-1.json").write_text(json.dumps(mended))
    assert pack(["audit", "--advisories", str(tmp_path)]) == 0
    assert "1 advisories, the newest of 2026-11-02: none applies" in capsys.readouterr().out


def test_what_holds_no_advisories_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PackError, match="holds no advisories"):
        list(advisories(tmp_path / "none.zip"))
    assert pack(["audit", "--advisories", str(tmp_path)]) == 1
    assert "not one advisory is in there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["left-pad\n", "left-pad>=1 \\\n", "left-pad==1 \\\n", "left-pad==1 \\\n    --hash=md5:00\n", "-e .\n"],
)
def test_a_lock_that_pins_nothing_is_refused(text: str) -> None:
    with pytest.raises(PackError, match="make lock"):
        locked(text)
