"""A hub from `systemd/install hub`: a real database by its socket, a real broker by mutual TLS."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hw_sim.settings import ACCESS, MOSQUITTO
from sync.central.authority import broker

pytestmark = pytest.mark.processes
ROOT: Final = Path(__file__).parents[2]
BROKER: Final = Path("/lib/systemd/system/mosquitto.service")
STATE: Final = "/var/lib/doclocker-central"
EXPOSED_MOST: Final = 2.0
# A copy of this machine on top of it, in memory, in name spaces of their own: nothing outside is changed, and
# all ends with the first process.
ENTER: Final = """
set -e
mount -t tmpfs none {folder}
mkdir {folder}/upper {folder}/spare {folder}/all
mount -t overlay none -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/spare {folder}/all
mount --rbind /dev {folder}/all/dev
mount -t proc none {folder}/all/proc
exec chroot {folder}/all sh -c 'cd {root} && exec {python} -m tests.systemd.hub_inside'
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("machine")
    script = ENTER.format(folder=folder, root=ROOT, python=sys.executable)
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "-mpfn", "--kill-child", "sh", "-c", script]
    possible = subprocess.run([*words[3:-1], "exit 0"], capture_output=True, check=False).returncode == 0
    if not possible:
        pytest.skip("needs root and name spaces: it installs upon a copy of this machine")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout.splitlines()[-1])
    shutil.rmtree(folder)


def test_it_says_every_change_and_makes_each_once(told: dict[str, Any]) -> None:
    made = [line for line in told["would"] if line.startswith("make ")]
    assert len(made) == 9, made
    # Of the authority's two files the first command makes both.
    assert [line for line in told["would"] if line not in told["said"]] == [
        f"make {STATE}/authority/revoked.pem"
    ]
    assert told["again"] == ["nothing to do"]


def test_no_password_is_on_the_disk(told: dict[str, Any]) -> None:
    text = told["configuration"]
    assert 'password = ""' in text
    assert "api_keys = []" in text
    assert 'database = "postgresql:///doclocker?host=/run/postgresql"' in text


def test_only_the_hub_reads_its_files(told: dict[str, Any]) -> None:
    owners = dict(told["owners"])
    assert owners.pop("/etc/doclocker/central.toml") == "root:doclocker-central 640"
    folders = {f"{STATE}/{name}" for name in ("authority", "broker", "tls", "releases")}
    wanted = {
        path: f"doclocker-central:doclocker-central {700 if path in folders else 600}" for path in owners
    }
    assert owners == wanted


def test_the_hub_serves_and_reaches_its_broker(told: dict[str, Any]) -> None:
    assert told["serves"]["told"]["ok"]
    assert told["serves"]["told"]["broker"]
    assert told["serves"]["code"] == 0


def test_a_locker_speaks_for_itself_alone(told: dict[str, Any]) -> None:
    assert (told["own"], told["foreign"]) == (True, False)


def test_who_is_revoked_is_thrown_out_and_stays_out(told: dict[str, Any]) -> None:
    assert told["revoked"] == ["systemctl", "try-restart", "mosquitto.service"]
    assert told["taken"] == {"before": True, "revoked": False, "other": True}
    # A list that grew by renewals alone ends nobody's connection.
    assert told["renewed"] == told["settled"] == ["systemctl", "try-reload-or-restart", "mosquitto.service"]


def test_a_new_certificate_of_the_broker_is_worn_at_once(told: dict[str, Any]) -> None:
    said = ["systemctl", "try-reload-or-restart", "mosquitto.service", "locker-central.service"]
    assert told["worn"] == {"told": said, "marked": True}


def test_undone_the_ledger_stays(told: dict[str, Any]) -> None:
    assert told["left"] == []
    assert told["database"] == "1\n"


def test_the_broker_reaches_little(tmp_path: Path) -> None:
    """Debian's unit with ours on top, as one file: systemd judges no drop-in by itself."""
    unit = tmp_path / BROKER.name
    unit.write_text(BROKER.read_text() + (ROOT / "systemd/hub/mosquitto.conf").read_text())
    verify = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert [line for line in verify.stderr.splitlines() if unit.name in line] == []
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found, said
    print(f"mosquitto.service with the hub's settings: exposure {found[1]}, at most {EXPOSED_MOST}")
    assert float(found[1]) <= EXPOSED_MOST


def settings(text: str) -> dict[str, str]:
    lines = (line.partition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _blank, value in lines}


def test_the_demonstration_has_the_same_broker_but_for_tls() -> None:
    """It is written twice, as all of the simulator is; here they meet."""
    assert broker.access() == ACCESS
    ours, theirs = settings(broker.configuration(broker.Listener("/x"))), settings(MOSQUITTO)
    beside = {"listener", "acl_file"}
    assert {name: value for name, value in theirs.items() if name in ours and name not in beside} == {
        name: value for name, value in ours.items() if name in theirs and name not in beside
    }
    assert set(theirs) - set(ours) == {"password_file", "log_dest", "user"}
