"""Keys sealed to the machine: what a copy of its files holds then, who still reads them, and the way back.

Most of it with a program in the place of systemd-creds; the last test with the real one.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from locker import keyfiles
from locker.config import load
from locker.ctl import sealing
from locker.ctl.provision_files import CENTRE, OWN, Shelf, put
from locker.ctl.retire import destroy
from locker.keyfiles import SealedKey
from locker.platform import Keys, KeysError, write_own_key
from tests.locker.test_ctl_copies import CODE_KEY, backed_up, config, left, lockerctl, opens_nothing

__all__ = ["config"]  # a fixture
SEED = "01" * 32
STAND_IN = """\
#!/bin/sh
# systemd-creds, as far as it is asked: a name, bound to what is hidden, and one machine.
[ -n "$LOST_MACHINE" ] && { echo "Decryption failed (incorrect key?)" >&2; exit 1; }
name=${2#--name=}
case $1 in
encrypt) printf '%s\\n' "$name" | rev; base64 | rev ;;
decrypt) [ "$(head -n 1 "$3" | rev)" = "$name" ] || { echo "Embedded credential name differs" >&2; exit 1; }
  tail -n +2 "$3" | rev | base64 -d ;;
esac
"""
REAL = Path("/usr/bin/systemd-creds")
BIN = Path(sys.executable).parent


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root on a machine with systemd; where its units are."""
    tools, units = tmp_path / "tools", tmp_path / "units"
    tools.mkdir()
    (tools / "systemd-creds").write_text(STAND_IN)
    (tools / "systemd-creds").chmod(0o755)
    units.mkdir()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sealing, "UNITS", units)
    return units


def keys_of(config: Path) -> Keys:
    site = load(config)
    return Keys.load(site.keys_dir, site.locker_id, site.area)


def drop_ins(units: Path) -> list[str]:
    return sorted(path.parent.name for path in units.glob("*/*.conf"))


def seal(config: Path, safe: Path) -> int:
    return lockerctl("keys", config, "seal", "--recovery", safe)


async def test_a_copy_of_everything_opens_nothing_and_the_locker_still_does(
    config: Path, tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, folder = keys_of(config), config.parent / "keys"
    assert seal(config, tmp_path / "stick" / "kept.json") == 1, "there is no such folder"
    (tmp_path / "stick").mkdir()
    assert seal(config, tmp_path / "stick" / "kept.json") == 0
    assert not (folder / OWN).exists()
    copy = backed_up(config, tmp_path / "card")
    every = b"".join(p.read_bytes() for at in (config.parent, copy) for p in at.rglob("*") if p.is_file())
    assert SEED.encode() not in every
    assert CODE_KEY.encode() not in every
    for unit in ("lockerd.service", "locker-renew.service"):
        told = (machine / f"{unit}.d" / "sealed-keys.conf").read_text()
        assert told.splitlines()[1:] == [
            "[Service]",
            f"LoadCredentialEncrypted=own.json:{folder}/own.json.sealed",
            f"LoadCredentialEncrypted=centre.json:{folder}/centre.json.sealed",
        ]
    assert keys_of(config) == before, "root has them opened"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(KeysError, match="for root alone"):
        keys_of(config)
    given = tmp_path / "credentials"
    given.mkdir()
    for name in (OWN, CENTRE):
        (given / name).write_text(_kept(tmp_path / "stick" / "kept.json", name))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert keys_of(config) == before, "systemd opens them for the daemon"
    shelf = Shelf(folder)
    assert shelf.has(OWN)
    assert SEED in shelf.text(OWN), "and for whoever asks for the next certificate"


def _kept(path: Path, name: str) -> str:
    return str(json.loads(path.read_text())["keys"][name])


def test_a_cut_anywhere_leaves_keys_that_can_be_read(
    config: Path, tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys_of(config)
    steps: tuple[Callable[..., None], ...] = (keyfiles.seal, put, destroy)
    names = ("locker.keyfiles.seal", "locker.ctl.sealing.put", "locker.ctl.sealing.destroy")
    for at in (1, 5):
        left_over = [at]

        def cut(
            step: Callable[..., None], *words: object, left_over: list[int] = left_over, **more: object
        ) -> None:
            left_over[0] -= 1
            if left_over[0] < 0:
                raise OSError(5, "the power went")
            step(*words, **more)

        with monkeypatch.context() as patched:
            for name, step in zip(names, steps, strict=True):
                patched.setattr(name, partial(cut, step))
            assert seal(config, tmp_path / "kept.json") == 1
        assert keys_of(config) == before, at
    assert seal(config, tmp_path / "kept.json") == 0
    assert seal(config, tmp_path / "kept.json") == 0, "again does no harm"
    assert keys_of(config) == before
    assert drop_ins(machine) == ["locker-renew.service.d", "lockerd.service.d"]


def test_what_cannot_be_sealed_stays_open(
    config: Path, tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lockerctl("keys", config, "seal", "--recovery", config.parent / "state" / "kept.json") == 1
    with monkeypatch.context() as lost:
        lost.setenv("LOST_MACHINE", "1")
        assert seal(config, tmp_path / "kept.json") == 1
    assert SEED in (config.parent / "keys" / OWN).read_text()
    with monkeypatch.context() as user:
        user.setattr(os, "geteuid", lambda: 1000)
        assert seal(config, tmp_path / "other.json") == 1
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(tmp_path / "nothing"))
        with pytest.raises(SealedKey, match="there is no systemd-creds"):
            keyfiles.seal(config.parent / "keys" / OWN, "{}", "auto", None)
    assert not list(machine.iterdir())


async def test_another_machine_needs_what_lies_in_the_safe(
    config: Path,
    tmp_path: Path,
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, safe = keys_of(config), tmp_path / "kept.json"
    assert seal(config, safe) == 0
    copy = backed_up(config, tmp_path / "card")
    assert lockerctl("restore", config, copy) == 0, "on this one it does not"
    for name in ("state", "keys"):
        shutil.rmtree(config.parent / name)
    monkeypatch.setenv("LOST_MACHINE", "1")
    assert lockerctl("restore", config, copy) == 1
    assert "incorrect key?). First: lockerctl keys recover" in capsys.readouterr().err
    other = tmp_path / "other.json"
    other.write_text(safe.read_text().replace("loc-1", "loc-2"))
    assert lockerctl("keys", config, "recover", other) == 1
    assert "is of locker 'loc-2'" in capsys.readouterr().err
    assert lockerctl("keys", config, "recover", safe) == 0
    assert drop_ins(machine) == []
    assert lockerctl("restore", config, copy) == 0
    assert await opens_nothing(config)
    assert keys_of(config) == before


def test_a_sealed_locker_retires_and_makes_no_second_key(config: Path, tmp_path: Path, machine: Path) -> None:
    assert lockerctl("keys", config, "seal", "--no-recovery") == 0
    with pytest.raises(KeysError, match="sealed here already"):
        write_own_key(config.parent / "keys", "loc-1")
    assert lockerctl("retire", config, "--confirm", "loc-1", "--sealed", tmp_path / "stick.json") == 0
    assert left(config.parent) == []
    assert not list((config.parent / "keys").iterdir())
    assert drop_ins(machine) == []


@pytest.mark.usefixtures("machine")
def test_keys_that_came_by_a_new_claim_are_read_instead_of_the_sealed_ones(
    config: Path, tmp_path: Path
) -> None:
    assert seal(config, tmp_path / "kept.json") == 0
    folder = config.parent / "keys"
    newer = _kept(tmp_path / "kept.json", CENTRE).replace(CODE_KEY, "7e" * 32)
    Shelf(folder).put(CENTRE, newer)
    assert keys_of(config).code_key.hex() == "7e" * 32
    sealing.seal(load(config), "auto", None)
    assert not (folder / CENTRE).exists()
    assert keys_of(config).code_key.hex() == "7e" * 32


# systemd-creds seals for root alone, and only a mount name space keeps the host's own secret out of it; for
# everybody else the tests above show the same around a program of the same face.
@pytest.mark.skipif(not REAL.exists() or os.geteuid() != 0, reason="needs root and systemd-creds")
def test_with_systemd_itself_nothing_of_the_keys_is_left(config: Path, tmp_path: Path) -> None:
    """In a mount name space of its own: the host's secret is made there and goes with it."""
    host, units, script = tmp_path / "host", tmp_path / "units", tmp_path / "script"
    host.mkdir()
    units.mkdir()
    keys, told = config.parent / "keys", f"--config {config} --units {units}"
    script.write_text(
        f"set -e; mount --bind {host} /var/lib/systemd\n"
        f"{BIN}/lockerctl keys seal --with-key host --recovery {tmp_path}/kept.json {told}\n"
        f"if grep -rqE '{SEED}|{CODE_KEY}' {config.parent}; then echo found; exit 9; fi\n"
        f"{REAL} decrypt --name=own.json {keys}/own.json.sealed - | grep -q {SEED}\n"
        f"rm {host}/credential.secret\n"
        f"if {REAL} decrypt --name=own.json {keys}/own.json.sealed - ; then echo opened; exit 9; fi\n"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", str(script)], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode and "Operation not permitted" in done.stderr:
        pytest.skip("no mount name space may be made here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert drop_ins(units) == ["locker-renew.service.d", "lockerd.service.d"]
