"""From nothing to a locker that its broker lets in, by the commands people type: all of it is real."""

import contextlib
import http.client
import json
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.free_port import free_port
from locker import ctl
from locker.anchor.keeper import place_of
from locker.anchor.record import NOWHERE
from locker.config import load
from locker.ctl import sealing
from locker.ctl.provision_hub import broker_takes
from locker.platform import Keys
from sync.central import __main__ as central
from tests.locker.test_ctl_sealing import machine
from tests.mosquitto import Broker
from tests.sync.central.authority.offices import PLAN

__all__ = ["machine"]  # a fixture
pytestmark = pytest.mark.processes
PATIENCE_S = 60.0


class AsWritten(Broker):
    """With the files of `locker-central authority broker`."""

    def _write_configuration(self) -> None:
        """They are there. mosquitto started by root would let go of the right to read them."""
        with self._configuration.open("a") as file:
            file.write("user root\n")


class Site:
    """A hub with its broker, and one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.broker_port = folder, free_port(), free_port()
        self.config = folder / "hub" / "central.toml"
        self.machine = folder / "machine"
        self.machine.mkdir()
        (folder / "plan.toml").write_text(f'{PLAN}\n[anchor]\nfile = "../eeprom"\n')
        (folder / "eeprom").write_bytes(b"\xff" * 4096)
        broker, tls = folder / "broker", folder / "tls"
        settings = {
            "web.port": self.port,
            "web.certificate": f"{tls}/hub.pem",
            "web.key": f"{tls}/hub.key",
            "broker.port": self.broker_port,
            "broker.ca": broker / "root.pem",
            "broker.certificate": f"{tls}/{{name}}.pem",
            "broker.key": f"{tls}/{{name}}.key",
            "authority.broker_port": self.broker_port,
        }
        words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        assert central.main(["init", "--dir", str(folder / "hub"), *words]) == 0
        for asked in (
            ["init"],
            ["server", "hub", "--host", "127.0.0.1", "--out", str(tls)],
            ["server", "broker", "--host", "127.0.0.1", "--out", str(broker)],
            ["hub", "--out", str(tls)],
            ["broker", "--out", str(broker), "--address", "127.0.0.1"],
        ):
            self.central("authority", *asked)
        self.broker = AsWritten(broker, self.broker_port)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def central(self, *words: str, code: int = 0) -> None:
        assert central.main([*words, "--config", str(self.config)]) == code

    def ctl(self, *words: str, code: int = 0) -> None:
        """`lockerctl provision` on the machine."""
        all_words = [
            "provision",
            *words,
            "--config",
            str(self.machine / "locker.toml"),
            "--state-dir",
            "state",
        ]
        arguments = ctl._parser(all_words).parse_args(all_words)
        assert arguments.run(arguments) == code

    def await_hub(self) -> None:
        """Until it serves by TLS, and its own link to the broker stands."""
        context = ssl.create_default_context(cafile=str(self.folder / "broker" / "root.pem"))
        patience = time.monotonic() + PATIENCE_S
        while time.monotonic() < patience:
            with (
                contextlib.closing(
                    http.client.HTTPSConnection("127.0.0.1", self.port, context=context)
                ) as asked,
                contextlib.suppress(OSError),
            ):
                asked.request("GET", "/healthz")
                if json.load(asked.getresponse())["broker"]:
                    return
            time.sleep(0.1)  # noqa: TID251  # another process
        raise TimeoutError((self.folder / "hub.log").read_text())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.broker.start()
    command = str(Path(sys.executable).parent / "locker-central")
    with (site.folder / "hub.log").open("w") as log:
        hub = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", command, "serve", "--config", str(site.config)], stderr=log
        )
        try:
            site.await_hub()
            yield site
        finally:
            hub.terminate()
            hub.wait(timeout=PATIENCE_S)
            site.broker.stop()


def test_from_a_claim_to_the_broker_and_out_again(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    claim = site.folder / "loc-1.json"
    plan = ["--plan", str(site.folder / "plan.toml")]
    site.central("claim", "--locker", "loc-1", "--area", "park", *plan, "--out", str(claim))
    assert claim.stat().st_mode & 0o777 == 0o600
    site.ctl("--claim", str(claim), "--dry-run")
    assert list(site.machine.iterdir()) == []
    site.ctl("--claim", str(claim))
    config = load(site.machine / "locker.toml")
    assert Keys.load(config.keys_dir, config.locker_id, config.area).own.public
    assert tomllib.loads(config.path.read_text())["mqtt"]["cert"] == "keys/link.pem"
    place = place_of(config)
    assert place is not None
    assert place.look().mark == NOWHERE, "the module that the plan names is this locker's from now on"
    capsys.readouterr()
    site.ctl("--claim", str(claim))
    assert "already" in capsys.readouterr().out
    site.ctl("--renew")
    assert "the next is asked for from" in capsys.readouterr().out
    keys = config.keys_dir
    own = (config.mqtt.host, config.mqtt.port, keys / "root.pem", keys / "link.pem")
    assert broker_takes(*own) is True
    site.central("authority", "revoke", "loc-1", "--why", "stolen")
    site.central("authority", "broker", "--out", str(site.folder / "broker"), "--address", "127.0.0.1")
    site.broker.stop()
    AsWritten(site.broker.directory, site.broker_port)
    site.broker.start()
    assert broker_takes(*own) is False
    site.central("authority", "list")
    assert "loc-1: locker" in (told := capsys.readouterr().out)
    assert "(stolen)" in told
    site.central("audit", "verify")


def test_by_a_code_typed_in(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.central("claim", "--locker", "loc-2", "--area", "park")
    code = capsys.readouterr().out.split()[-1]
    site.machine = tmp_path
    asked = ["--hub", site.url, "--locker", "loc-2"]
    wrong = code.replace(code[22], "7" if code[22] != "7" else "8")
    site.ctl(*asked, "--code", wrong, code=1)
    assert "type it again" in capsys.readouterr().err
    site.ctl("--hub", site.url, "--locker", "loc-3", "--code", code, code=1)
    assert "not known here" in capsys.readouterr().err
    site.ctl(*asked, "--code", code)
    assert "write lines, boards and compartments" in capsys.readouterr().out
    planned = (tmp_path / "locker.toml.planned").read_text()
    (tmp_path / "locker.toml").write_text(planned + PLAN)
    assert load(tmp_path / "locker.toml").locker.id == "loc-2"


def test_sealed_keys_are_sealed_after_a_new_claim_as_well(
    site: Site, tmp_path: Path, machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.machine = tmp_path
    for is_first in (True, False):
        site.central("claim", "--locker", "loc-5", "--area", "park", "--plan", str(site.folder / "plan.toml"))
        code = capsys.readouterr().out.split()[-1]
        site.ctl("--hub", site.url, "--locker", "loc-5", "--code", code)
        config = load(tmp_path / "locker.toml")
        assert (config.keys_dir / "own.json").exists() is is_first
        if is_first:
            sealing.seal(config, "auto", None)
    assert "lie open" not in capsys.readouterr().out
    assert len(list(machine.rglob("*.conf"))) == len(sealing.READERS)
    assert Keys.load(config.keys_dir, config.locker_id, config.area).own.public


def test_by_files_where_there_is_no_network(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim, request, answer = tmp_path / "claim.json", tmp_path / "request.json", tmp_path / "answer.json"
    plan = ["--plan", str(site.folder / "plan.toml")]
    site.central("claim", "--locker", "loc-4", "--area", "park", *plan, "--out", str(claim))
    site.machine = tmp_path
    site.ctl("--claim", str(claim), "--request", str(request))
    site.central("authority", "answer", str(request), "--out", str(answer))
    secret = json.loads(claim.read_text())["secret"]
    assert secret not in request.read_text() + answer.read_text()
    capsys.readouterr()
    site.ctl("--claim", str(claim), "--answer", str(answer))
    assert "eeprom: No such file or directory): later, lockerctl anchor adopt" in capsys.readouterr().out
    assert load(tmp_path / "locker.toml").locker.id == "loc-4"
    site.central("authority", "answer", str(claim), "--out", str(tmp_path / "x"), code=1)
    assert "no request of a locker" in capsys.readouterr().err


def test_a_hub_of_another_authority_is_told_nothing(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody between, with a certificate of their own."""
    claim, other = tmp_path / "claim.json", tmp_path / "other"
    site.central("claim", "--locker", "loc-5", "--area", "park", "--out", str(claim))
    assert (
        central.main(["init", "--dir", str(other), "--set", "web.certificate=a", "--set", "web.key=b"]) == 0
    )
    assert central.main(["authority", "init", "--config", str(other / "central.toml")]) == 0
    values = json.loads(claim.read_text())
    values["root"] = (other / "authority" / "root.pem").read_text()
    claim.write_text(json.dumps(values))
    site.machine = tmp_path
    site.ctl("--claim", str(claim), code=1)
    assert "shows another certificate" in capsys.readouterr().err
