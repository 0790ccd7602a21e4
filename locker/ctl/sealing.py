"""Keys on the card, sealed to the machine; and the way back from a copy that lies in a safe.

Sealed are the locker's own key and what the centre gave it, the code key among it. Who is interrupted does
the same again: what lies open goes last.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from locker import keyfiles
from locker.config import Config
from locker.ctl.provision_files import CENTRE, OWN, Shelf, put
from locker.ctl.retire import destroy
from locker.keyfiles import SealedKey
from sync import durable

SEALED: Final = (OWN, CENTRE)
UNITS: Final = Path("/etc/systemd/system")
READERS: Final = ("lockerd.service", "locker-renew.service")
"""Who needs them opened: the daemon, and whoever asks for its next certificate."""
DROP_IN: Final = "sealed-keys.conf"
RUNNING: Final = Path("/run/systemd/system")
"""There where systemd runs the machine (sd_booted(3))."""


class CannotSeal(Exception):
    """What lies open still does. The message says what to do."""


def is_on(keys_dir: Path) -> bool:
    """Whether this locker's keys were sealed once."""
    return any(keyfiles.sealed(keys_dir / name).exists() for name in SEALED)


def seal(
    config: Config,
    kind: str,
    owner: tuple[int, int] | None,
    units: Path | None = None,
    recovery: Path | None = None,
) -> None:
    """Raises CannotSeal, SealedKey, KeysError, OSError."""
    from locker.platform import Keys  # noqa: PLC0415  # late: heavy

    Keys.load(config.keys_dir, config.locker_id, config.area)
    texts = {name: keyfiles.text(config.keys_dir / name) for name in SEALED}
    if recovery is not None:
        _keep(config, recovery, texts)
    for name, content in texts.items():
        keyfiles.seal(config.keys_dir / name, content, kind, owner)
    _tell(config, units)
    for name in SEALED:
        if (config.keys_dir / name).exists():
            destroy(config.keys_dir / name)
    durable.sync_folder(config.keys_dir)


def recover(config: Config, recovery: Path, owner: tuple[int, int] | None, units: Path | None = None) -> None:
    """The keys lie open again, as they were kept. Raises CannotSeal, CannotProvision, OSError."""
    try:
        kept = json.loads(recovery.read_text(encoding="utf-8"))
        locker, texts = kept["locker"], {name: str(kept["keys"][name]) for name in SEALED}
    except (ValueError, KeyError, TypeError) as error:
        raise CannotSeal(f"{recovery}: these are no kept keys of a locker") from error
    if locker != config.locker.id:
        raise CannotSeal(f"{recovery} is of locker {locker!r}, this is {config.locker.id!r}")
    shelf = Shelf(config.keys_dir, owner)
    shelf.make()
    for name, content in texts.items():
        shelf.put(name, content)
    forget(config, units)


def forget(config: Config, units: Path | None = None) -> None:
    """Nothing sealed is left, and no unit asks for it. Raises OSError."""
    for name in SEALED:
        keyfiles.sealed(config.keys_dir / name).unlink(missing_ok=True)
    there = [path for path in _drop_ins(units) if path.exists()]
    for path in there:
        path.unlink()
    if there:
        _reload(units)


def _keep(config: Config, recovery: Path, texts: Mapping[str, str]) -> None:
    kept = json.dumps({"locker": config.locker.id, "keys": texts}) + "\n"
    for folder in (config.keys_dir, config.state_dir):
        if recovery.absolute().is_relative_to(folder.absolute()):
            raise CannotSeal(f"{recovery} is on the card: name a file on a medium that goes into a safe")
    if recovery.exists() and recovery.read_text(encoding="utf-8") == kept:
        return  # it was interrupted after this
    durable.write_new(recovery, kept)


def _drop_ins(units: Path | None) -> Iterator[Path]:
    return ((units or UNITS) / f"{unit}.d" / DROP_IN for unit in READERS)


def _tell(config: Config, units: Path | None) -> None:
    """Have systemd open them for whoever needs them."""
    folder = config.keys_dir.absolute()
    lines = "".join(f"LoadCredentialEncrypted={name}:{keyfiles.sealed(folder / name)}\n" for name in SEALED)
    for path in _drop_ins(units):
        durable.make_folder(path.parent)
        put(
            path,
            f"# Written by lockerctl keys seal; taken back by keys recover.\n[Service]\n{lines}",
            0o644,
            None,
        )
    _reload(units)


def _reload(units: Path | None) -> None:
    program = shutil.which("systemctl")
    if program is None or units is not None or not RUNNING.is_dir():
        return
    done = subprocess.run(  # noqa: S603  # systemd's own program, and our words
        [program, "daemon-reload"], capture_output=True, check=False, timeout=keyfiles.PATIENCE_S
    )
    if done.returncode:
        raise SealedKey("systemctl daemon-reload fails: do it by hand, then the same once more")
