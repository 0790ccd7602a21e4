"""From the hub to a locker, by the commands people type: the product's own hub, its TLS, a real disk."""

import contextlib
import platform
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from systemd.updater import __main__ as program
from systemd.updater import fetch as fetching
from systemd.updater import releases, trusted
from systemd.updater.envelope import name_of, opened, packed
from systemd.updater.errors import BadRelease, HubAway
from systemd.updater.host import RealHost
from systemd.updater.manifest import Manifest
from systemd.updater.offers import HttpsHub, Hub, hub_of
from systemd.updater.roles import ROLES
from tests.sync.central.authority.made import authority
from tests.sync.central.authority.test_provisioned import Site
from tests.update import made
from tests.update.street import OLD
from tests.update.test_fetch import FILES, version

pytestmark = pytest.mark.processes
PATIENCE_S: Final = 60.0
FILE: Final = "doclocker-1.1.0.release"
OURS: Final = made.signer()


@dataclass
class City:
    """A hub that serves, and a locker that was provisioned there."""

    site: Site
    shelf: Path

    def lay_down(self, said: Manifest, name: str = FILE) -> bytes:
        """As an administrator copies a file."""
        content = b"".join(packed(said, FILES, OURS.sign))
        new = self.shelf / f"{name}.copy"
        new.write_bytes(content)
        new.rename(self.shelf / name)
        return content


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    site = Site(tmp_path_factory.mktemp("city"))
    shelf = site.folder / "shelf"
    shelf.mkdir()
    with site.config.open("a") as file:
        file.write(f'\n[releases]\nfolder = "{shelf}"\n')
    command = [str(Path(sys.executable).with_name("locker-central")), "serve", "--config", str(site.config)]
    with (site.folder / "hub.log").open("w") as log:
        hub = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stderr=log)
        try:
            claim = site.folder / "loc-1.json"
            plan = str(site.folder / "plan.toml")
            site.central("claim", "--locker", "loc-1", "--area", "park", "--plan", plan, "--out", str(claim))
            _until_it_serves(site)
            site.ctl("--claim", str(claim))
            yield City(site, shelf)
        finally:
            hub.terminate()
            hub.wait(timeout=PATIENCE_S)


def _until_it_serves(site: Site) -> None:
    root = (site.folder / "broker/root.pem").read_text()
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            HttpsHub(site.url, root).listed()
        except HubAway:
            assert time.monotonic() < ends_s, (site.folder / "hub.log").read_text()
            time.sleep(0.1)  # noqa: TID251  # another process
        else:
            return


class Quick(RealHost):
    """Who does not wait for a pace."""

    def sleep(self, seconds: float) -> None:
        del seconds


@pytest.fixture
def locker(city: City, tmp_path: Path) -> RealHost:
    """Its own disk, with what the claim brought; it runs `OLD`."""
    host = Quick(tmp_path)
    host.disk.make_folder(releases.folder(OLD))
    host.disk.make_folder("/var/lib/doclocker-install")
    host.disk.create(program.INSTALLED, b'{"role": "locker"}', 0o644)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/doclocker").symlink_to(city.site.machine)
    releases.run(host.disk, OLD)
    trusted.keep(host.disk, [OURS.public])
    for path in city.shelf.iterdir():
        path.unlink()
    return host


def said(number: str = "1.1.0") -> Manifest:
    """For this very machine."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return version(number, machine=platform.machine(), python=python)


def there(host: RealHost) -> dict[str, bytes]:
    folder = host.disk.at(fetching.FOLDER)
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_fetched_by_a_command_and_installed_by_another(
    city: City, locker: RealHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["fetch"], locker) == 0
    assert capsys.readouterr().out == f"nothing is newer than {OLD}\n"
    content, name = city.lay_down(said()), name_of(said())
    assert program.main(["install", "--dry-run"], locker) == 1
    assert "systemd/update fetch" in capsys.readouterr().err
    assert program.main(["fetch"], locker) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name} waits: systemd/update install"]
    assert there(locker) == {f"{name}.release": content}
    assert program.main(["status"], locker) == 0
    assert f"waits: {name}" in capsys.readouterr().out
    assert releases.running(locker.disk) == OLD
    looked = program._waiting(locker)
    assert looked.read_bytes() == content
    assert name_of(opened(looked, [OURS.public]).manifest) == name


@dataclass
class Listening:
    """The real hub, with an ear on what it sends; ``ends_after``: so many bytes, then we hang up."""

    hub: Hub
    sent: int = 0
    ends_after: int = 1 << 40
    asked: list[int] = field(default_factory=list)

    def listed(self) -> bytes:
        return self.hub.listed()

    def parts(self, file: str, after: int) -> Generator[bytes]:
        self.asked.append(after)
        with contextlib.closing(self.hub.parts(file, after)) as parts:
            for part in parts:
                left = part[: self.ends_after - self.sent]
                self.sent += len(left)
                if left:
                    yield left
                if self.sent >= self.ends_after:
                    raise HubAway("https://hub", "cut")


def test_cut_at_many_bytes_it_goes_on_where_it_ended(city: City, locker: RealHost) -> None:
    content, here = city.lay_down(said()), program._of_machine(locker)
    for number, at in enumerate(range(0, len(content), len(content) // 7)):
        hub = Listening(hub_of(locker, ROLES["locker"].config), ends_after=at)
        with pytest.raises((HubAway, BadRelease)):
            fetching.fetch(locker, hub, here)
        kept = sum(map(len, there(locker).values()))
        assert not any(name.endswith(".release") for name in there(locker)), number
        again = Listening(hub_of(locker, ROLES["locker"].config))
        assert fetching.fetch(locker, again, here) == name_of(said())
        assert there(locker) == {f"{name_of(said())}.release": content}
        assert (again.asked, again.sent) == ([kept], len(content) - kept)
        locker.disk.at(fetching.file_of(name_of(said()))).unlink()


def test_one_that_was_changed_at_the_hub_is_refused(
    city: City, locker: RealHost, capsys: pytest.CaptureFixture[str]
) -> None:
    content = city.lay_down(said())
    bad = content[:-1] + bytes([content[-1] ^ 1])
    (city.shelf / FILE).write_bytes(bad)
    assert program.main(["fetch"], locker) == 1
    assert "is not what was signed" in capsys.readouterr().err
    assert there(locker) == {}
    trusted.keep(locker.disk, [made.signer(2).public])
    city.lay_down(said())
    assert program.main(["fetch"], locker) == 1
    assert "nobody whom this machine trusts has signed it" in capsys.readouterr().err
    assert there(locker) == {}


def test_a_hub_of_another_authority_is_not_asked(city: City, locker: RealHost) -> None:
    city.lay_down(said())
    other = HttpsHub(city.site.url, authority().pem)
    with pytest.raises(HubAway, match="certificate verify failed"):
        fetching.fetch(locker, other, program._of_machine(locker))
    with pytest.raises(HubAway, match="https://"):
        HttpsHub("http://127.0.0.1:1", authority().pem).listed()


def test_it_is_the_one_who_asks_again_that_gets_the_next(city: City, locker: RealHost) -> None:
    """Two versions lie there: the newer comes, and its successor beside it."""
    city.lay_down(said())
    city.lay_down(said("1.2.0"), FILE.replace("1.1.0", "1.2.0"))
    assert program.main(["fetch"], locker) == 0
    city.lay_down(said("1.10.0"), FILE.replace("1.1.0", "1.10.0"))
    assert program.main(["fetch"], locker) == 0
    keys = [OURS.public]
    assert fetching.waiting(locker.disk, keys) == [name_of(said("1.10.0")), name_of(said("1.2.0"))]
