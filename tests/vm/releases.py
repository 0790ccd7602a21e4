"""Releases of this checkout for `systemd/update`: the next version, and a later one that does not come up."""

import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Final

from tests.vm.image import run

VERSIONS: Final = {True: "1.0.1", False: "1.0.2"}
_AS: Final = ("-c", "user.name=test", "-c", "user.email=test@localhost")
_READY: Final = "    gc.disable()\n"
"""A line of the daemon's start."""


def made(folder: Path, wheels: Path, *, well: bool) -> tuple[Path, str]:
    """The signed file, and whom lockers must trust for it."""
    tree, key = folder / "tree", folder / "key.pem"
    if not tree.exists():
        folder.mkdir(parents=True)
        checkout = Path(__file__).parents[2]
        run("git", "clone", "--quiet", str(checkout), str(tree))
        (tree / ".venv").symlink_to(checkout / ".venv")
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key))
    project, start = tree / "pyproject.toml", tree / "locker/__main__.py"
    text = re.sub(r'(?m)^version = ".*"$', f'version = "{VERSIONS[well]}"', project.read_text(), count=1)
    project.write_text(text)
    if not well:
        text = start.read_text()
        start.write_text(text.replace(_READY, f'{_READY}    raise SystemExit("it does not come up")\n', 1))
    run("git", "-C", str(tree), *_AS, "commit", "--quiet", "--all", "--message", VERSIONS[well])
    pack = partial(
        subprocess.run, cwd=tree, check=True, stdout=subprocess.PIPE, text=True
    )  # it packs where it is
    words = ("--machine", "x86_64", "--python", "3.11", "--wheels", str(wheels), "--to", str(folder))
    pack(["systemd/pack", "release", "--key", str(key), *words])
    release = next(folder.glob(f"doclocker-{VERSIONS[well]}-*.release"))
    return release, pack(["systemd/pack", "key", "--key", str(key)]).stdout.strip()
