"""A signed release: our wheel, those it needs on one kind of machine, units, documents, and the manifest."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from systemd.packer.errors import PackError
from systemd.packer.tree import LOCK, Checkout, ran
from systemd.packer.wheel import wheel
from systemd.updater.admit import digest_of
from systemd.updater.envelope import listed, packed
from systemd.updater.keyring import Signer
from systemd.updater.manifest import Manifest

_GLIBC: Final = ("2_28", "2_27", "2_26", "2_17", "2014")
"""What Debian 12 has is newer; these are the names under which wheels are offered."""
_STEPS: Final = "locker/journal/migrations/"
_STORE: Final = "sync/central/migrations/"


@dataclass(frozen=True, slots=True)
class For:
    """One kind of machine: as `uname -m` and ``python3 -V`` say it."""

    machine: str
    python: str


def fetch(source: Checkout, kind: For, to: Path) -> Path:
    """The locked wheels for that kind, each held to its hash; nothing is built of sources. By pip's own
    configuration: this needs a network, or a mirror. Raises ToolFailed."""
    to.mkdir(parents=True, exist_ok=True)
    names = [
        f"manylinux_{glibc}_{kind.machine}" if "_" in glibc else f"manylinux{glibc}_{kind.machine}"
        for glibc in _GLIBC
    ]
    platforms = [word for name in names for word in ("--platform", name)]
    digits = kind.python.replace(".", "")
    abis = ("--implementation", "cp", "--abi", f"cp{digits}", "--abi", "abi3", "--abi", "none")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "download",
        "--dest",
        str(to),
    )
    what = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--python-version", kind.python)
    ran((*pip, *what, *abis, *platforms, "-r", LOCK), cwd=source.root)
    return to


def contents(source: Checkout, wheels: Path, scratch: Path) -> Mapping[str, bytes]:
    """Every file of a release by its name in it."""
    files = {name: (source.root / name).read_bytes() for name in source.under("systemd", "docs")}
    files["requirements.lock"] = (source.root / LOCK).read_bytes()
    every = sorted(wheels.glob("*.whl"))
    if not every:
        raise PackError(f"{wheels} holds no wheels: --wheels DIR, or let them be fetched")
    for path in (*every, wheel(source, scratch)):
        files[f"wheels/{path.name}"] = path.read_bytes()
    return files


def manifest(source: Checkout, kind: For, files: Mapping[str, bytes], keys: tuple[str, ...] = ()) -> Manifest:
    """What is said of them."""
    programs = [name for name in source.under("systemd") if source.is_program(name)]
    steps = [name for name in source.under("locker") if name.startswith(_STEPS) and name.endswith(".sql")]
    store = [name for name in source.under("sync") if name.startswith(_STORE) and name.endswith(".py")]
    digest = digest_of({name.removeprefix(_STORE): (source.root / name).read_bytes() for name in store})
    return Manifest(
        version=source.version,
        built_s=source.built_s,
        machine=kind.machine,
        python=kind.python,
        journal_schema=len(steps),
        store_schema=digest,
        keys=keys,
        files=listed(files, programs),
    )


def write(made: Manifest, files: Mapping[str, bytes], signer: Signer, to: Path) -> Path:
    """One file, whole or not there."""
    path = to / f"doclocker-{made.version}-{made.machine}-py{made.python}.release"
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        for part in packed(made, files, signer.sign):
            file.write(part)
    new.replace(path)
    return path
