"""The first hour, as docs/operate/installation.md tells it: the document is the script."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest

from tests.story.document import commands

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs/operate/installation.md"
PATIENCE_S: Final = 200.0
DOCTOR: Final = "sudo lockerctl doctor"
EVIDENCE: Final = "sudo -u doclocker lockerctl evidence verify /tmp/CASE.html"
# Two copies of this machine, in memory, in name spaces of their own: nothing outside is changed, and all ends
# with the first process. What a machine writes is in its `upper`.
ENTER: Final = """
set -e
mount -t tmpfs none {folder}
echo '127.0.0.1 localhost hub.example' > {folder}/hosts
mount --bind {folder}/hosts /etc/hosts
for each in hub locker; do
  mkdir -p {folder}/$each/upper {folder}/$each/spare {folder}/$each/all
  all={folder}/$each/all
  mount -t overlay none -o lowerdir=/,upperdir={folder}/$each/upper,workdir={folder}/$each/spare $all
  mount -t tmpfs none $all/dev
  mkdir $all/dev/pts
  mkdir -m 1777 $all/dev/shm
  for name in null zero full random urandom tty ptmx; do
    touch $all/dev/$name
    mount --bind /dev/$name $all/dev/$name
  done
  mount --rbind /dev/pts $all/dev/pts
  mount -t proc none $all/proc
done
cd {root}
exec {python} -m tests.story.hour {folder} {document}
"""


def entered(script: str) -> "subprocess.CompletedProcess[str]":
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "-mpfn", "--kill-child", "sh", "-c", script]
    possible = subprocess.run([*words[3:-1], "exit 0"], capture_output=True, check=False).returncode == 0
    if not possible:
        pytest.skip("needs root and name spaces: it installs upon copies of this machine")
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@pytest.mark.processes
def test_from_nothing_to_the_first_pickup() -> None:
    # A socket's name must be short: not below pytest's own folder.
    with tempfile.TemporaryDirectory(prefix="hour-") as folder:
        script = ENTER.format(folder=folder, root=ROOT, python=sys.executable, document=DOCUMENT)
        done = entered(script)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    typed = list(commands(DOCUMENT))
    assert told["left"] == []
    assert len(told["said"]) == len(typed) - len(told["elsewhere"])
    assert told["pulses"] == 4, "a drop-off, an intake, a load and a pickup"
    assert told["said"][DOCTOR].count(": well\n") == told["said"][DOCTOR].count("\n")
    assert ": holds\n" in told["said"][EVIDENCE]
    # What may be looked for was really there to be found: both ways of the wire, and files of every kind.
    assert {topic.split("/")[3] for topic in told["heard"]} == {"up", "dn", "link"}
    assert told["secrets"] > 20
    assert told["bytes"] > 1_000_000
    assert told["found"] == []
