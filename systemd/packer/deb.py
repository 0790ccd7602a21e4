"""Debian packages: ``doclocker`` with the software, and one for each role, with all that it needs."""

import gzip
import hashlib
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from systemd.installer import plan
from systemd.packer.tree import ALONE, LOCK, PYTHON, Checkout, ran

SHARE: Final = "usr/share/doclocker"
MAINTAINER: Final = "DocLocker maintainers <maintainers@doclocker.invalid>"
_CONTROL: Final = """\
Package: {name}
Version: {version}
Section: misc
Priority: optional
Architecture: all
Maintainer: {maintainer}
Installed-Size: {kib}
Depends: {depends}
{more}Description: {title}
 Software for 24-hour self-service document lockers: a daemon that drives lock
 boards, a touch screen, and a hub for a fleet of them.
 .
 {told}
"""
_TOLD: Final = {
    "doclocker": ("24-hour self-service document lockers (software)", "This package runs nothing by itself."),
    "doclocker-locker": (
        "24-hour self-service document lockers (a locker)",
        "This metapackage makes the machine a locker: service, screen, watchdogs.",
    ),
    "doclocker-hub": (
        "24-hour self-service document lockers (a hub)",
        "This metapackage makes the machine the hub of lockers.",
    ),
}
_POSTINST: Final = """\
#!/bin/sh
# Installs the role the first time. A newer package switches nothing under anybody's hands: see below.
set -e
[ "$1" = configure ] || exit 0
tree="$DPKG_ROOT/{share}"
if [ -n "$2" ]; then
  echo "doclocker: the new version lies in /{share}; what runs goes on."
  echo "doclocker: in a quiet moment: /{share}/systemd/install {role}"
elif [ -n "$DPKG_ROOT" ]; then
  "$tree/systemd/install" {role} --root "$DPKG_ROOT" --files-only
elif [ -d /run/systemd/system ]; then
  "$tree/systemd/install" {role}
else
  echo "doclocker: once this system is started: /{share}/systemd/install {role}"
fi
"""
_PRERM: Final = """\
#!/bin/sh
# Takes back what was installed; configuration, keys, journal and ledger stay.
set -e
[ "$1" = remove ] || exit 0
if [ -n "$DPKG_ROOT" ]; then
  "$DPKG_ROOT/{share}/systemd/install" {role} --root "$DPKG_ROOT" --files-only --undo
else
  /{share}/systemd/install {role} --undo
fi
"""


def debs(source: Checkout, to: Path) -> list[Path]:
    """Where they are."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "doclocker"
        names = (*source.under(*PYTHON, "systemd", "docs"), *ALONE, "CHANGELOG.md", LOCK)
        source.copy([name for name in names if not name.endswith("LICENSE")], base / SHARE)
        built = [_built(source, base, to, "python3 (>= 3.11), python3-venv", {})]
        for role in plan.ROLES:
            name = f"doclocker-{role}"
            scripts = {"postinst": _POSTINST, "prerm": _PRERM}
            filled = {kind: text.format(share=SHARE, role=role) for kind, text in scripts.items()}
            depends = ", ".join((f"doclocker (= {source.version})", *plan.needed(role)))
            built.append(_built(source, Path(folder) / name, to, depends, filled))
    return built


def _built(source: Checkout, at: Path, to: Path, depends: str, scripts: Mapping[str, str]) -> Path:
    name = at.name
    _document(source, at / "usr/share/doc" / name)
    kib = sum(path.stat().st_size for path in at.rglob("*") if path.is_file()) // 1024 + 1
    title, told = _TOLD[name]
    other = {"doclocker-locker": "doclocker-hub", "doclocker-hub": "doclocker-locker"}.get(name)
    facts = {"name": name, "version": source.version, "maintainer": MAINTAINER, "kib": kib, "title": title}
    more = f"Conflicts: {other}\n" if other else ""
    sums = _sums(at)
    about = at / "DEBIAN"
    about.mkdir()
    (about / "control").write_text(_CONTROL.format(**facts, depends=depends, more=more, told=told))
    (about / "md5sums").write_text(sums)
    for kind, text in scripts.items():
        (about / kind).write_text(text)
    for path in (at, *at.rglob("*")):
        is_program = path.is_dir() or path.stat().st_mode & 0o100 or path.name in scripts
        path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (source.built_s, source.built_s))
    deb = to / f"{name}_{source.version}_all.deb"
    ran(
        ("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(at), str(deb)),
        cwd=to,
        env=source.environment,
    )
    return deb


def _document(source: Checkout, at: Path) -> None:
    """Under which terms, and what changed."""
    at.mkdir(parents=True)
    said = "Licensed under the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0\n"
    when = datetime.fromtimestamp(source.built_s, UTC)
    (at / "copyright").write_text(f"Copyright {when.year} The DocLocker authors\n\n{said}")
    head = f"doclocker ({source.version}) unstable; urgency=medium"
    change = f"  * What changed: /{SHARE}/CHANGELOG.md"
    entry = f"{head}\n\n{change}\n\n -- {MAINTAINER}  {format_datetime(when)}\n"
    (at / "changelog.gz").write_bytes(gzip.compress(entry.encode(), mtime=0))


def _sums(at: Path) -> str:
    """What dpkg checks files by; no guard against anybody."""
    lines = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(at)}\n"
        for path in sorted(at.rglob("*"))
        if path.is_file()
    ]
    return "".join(lines)
