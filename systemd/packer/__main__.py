"""``systemd/pack wheel | deb | release | sbom | audit | key``."""

import argparse
import getpass
import platform
import sys
import tempfile
from pathlib import Path
from typing import Final

from systemd.packer import release as releases
from systemd.packer.audit import advisories, found, newest
from systemd.packer.deb import debs
from systemd.packer.dependencies import locked
from systemd.packer.errors import PackError
from systemd.packer.sbom import bill
from systemd.packer.tree import LOCK, checkout
from systemd.packer.wheel import wheel
from systemd.updater.errors import UpdateError
from systemd.updater.keyring import Signer
from systemd.updater.trusted import checked

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / "build"
_LOCKED: Final = b"ENCRYPTED"


def main(argv: list[str] | None = None) -> int:
    """0: built; 1: stopped, with one line that says why; 2: not understood."""
    told = _parser().parse_args(argv)
    try:
        told.run(told)
    except (PackError, UpdateError, OSError) as error:
        print(f"pack: {error}", file=sys.stderr)
        return 1
    return 0


def _wheel(told: argparse.Namespace) -> None:
    print(wheel(checkout(ROOT), told.to))


def _deb(told: argparse.Namespace) -> None:
    for path in debs(checkout(ROOT), told.to):
        print(path)


def _release(told: argparse.Namespace) -> None:
    source, kind = checkout(ROOT), releases.For(told.machine, told.python)
    signer = _signer(told.key)
    with tempfile.TemporaryDirectory() as scratch:
        wheels = told.wheels or releases.fetch(source, kind, Path(scratch) / "wheels")
        files = releases.contents(source, wheels, Path(scratch) / "ours")
        keys = checked(told.trust) if told.trust else ()
        made = releases.manifest(source, kind, files, keys)
        told.to.mkdir(parents=True, exist_ok=True)
        path = releases.write(made, files, signer, told.to)
    print(f"{path}: {len(files)} files, signed by {signer.public}")


def _sbom(told: argparse.Namespace) -> None:
    source = checkout(ROOT)
    told.to.mkdir(parents=True, exist_ok=True)
    path = told.to / f"doclocker-{source.version}.cdx.json"
    path.write_bytes(bill(source))
    print(path)


def _audit(told: argparse.Namespace) -> None:
    every = locked((ROOT / LOCK).read_text())
    known = list(advisories(told.advisories))
    day = newest(known)
    if said := found(every, known):
        raise PackError("\n  ".join(("known vulnerabilities:", *said)))
    print(f"{len(every)} packages, {len(known)} advisories, the newest of {day or 'no day'}: none applies")


def _key(told: argparse.Namespace) -> None:
    print(_signer(told.key).public)


def _signer(path: Path) -> Signer:
    pem = path.read_bytes()
    return Signer(pem, getpass.getpass(f"{path}: ").encode() if _LOCKED in pem else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="systemd/pack", description="Builds what is carried to machines.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, said in (
        ("wheel", _wheel, "the Python packages"),
        ("deb", _deb, "Debian packages: the software, a locker, a hub"),
        ("release", _release, "one signed file, for `systemd/update install`"),
        ("sbom", _sbom, "the bill of materials of what runs, as CycloneDX"),
        ("audit", _audit, "the locked packages against known vulnerabilities"),
        ("key", _key, "the public half of a signing key, for `systemd/update trust`"),
    ):
        command = commands.add_parser(name, help=said)
        command.add_argument("--to", type=Path, default=BUILD, metavar="DIR")
        command.set_defaults(run=run)
        if name in {"release", "key"}:
            pem = "PEM, Ed25519, away from any locker"
            command.add_argument("--key", type=Path, required=True, metavar="FILE", help=pem)
        if name == "audit":
            osv = "OSV's export for PyPI: a zip, or a folder of JSON files"
            command.add_argument("--advisories", type=Path, required=True, metavar="FILE", help=osv)
        if name == "release":
            _about_releases(command)
    return parser


def _about_releases(command: argparse.ArgumentParser) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    command.add_argument(
        "--machine", default="aarch64", help=f"as uname -m says it; here: {platform.machine()}"
    )
    command.add_argument("--python", default=here, metavar="3.N", help="of the machines' system")
    command.add_argument("--wheels", type=Path, metavar="DIR", help="instead of fetching the locked ones")
    command.add_argument(
        "--trust",
        action="append",
        metavar="KEY",
        help="whom lockers trust from this release on, instead of whom they trust now; twice for two",
    )


if __name__ == "__main__":
    raise SystemExit(main())
