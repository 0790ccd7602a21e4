"""From two bare machines to the first pickup, by the commands of the document alone.

Run by `test_hour` inside name spaces of its own, in a folder with the disks of both. What stands between two
commands in the document, somebody does here: carries the claim, plugs in, shuts doors. Prints JSON: what
happened.
"""

import json
import os
import re
import ssl
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pyotp

from hw_sim import clock
from hw_sim.layout_file import load
from hw_sim.loopback import NO_TLS, ask
from hw_sim.people import until
from hw_sim.scenes import Scenes
from hw_sim.settings import wiring
from hw_sim.stack import AREA, LOCKER, Ports, Stack, _answers, command
from tests.story.document import commands
from tests.story.hidden import Ear, keys, where
from tests.story.machines import Box, pwd_of

HUB_URL: Final = "https://hub.example:8600"
PORTS: Final = Ports(kiosk=8080, panel=8701, phone=8702, hub=8600, broker=8883)
LINE: Final = "/dev/doclocker/line-a"
NEW_PASSWORD: Final = "correct horse battery staple"
SAID: Final = {
    "LOCKER": LOCKER,
    "AREA": AREA,
    "NAME": "wang",
    "SERIAL": "A50285BI",
    "CASE": "CASE-A",
    "DIGITS": "0a" * 32,
}
PLACES: Final = re.compile(rf"\b({'|'.join(SAID)})\b")
ELSEWHERE: Final = {
    "wiring learn": "tests/locker/test_ctl_wiring.py",
    "selftest": "tests/locker/test_ctl_selftest.py",
}
"""What takes a person at the cabinet some minutes, and who shows it."""
LOG_CHARACTERS: Final = 3000
CABINET: Final = """\
name = "two doors"
lines.A = {}
boards = [{ line = "A", address = 1, profile = "waveshare-d8" }]
compartments = [
  { number = 1, column = 1, row = 1, lock = "A/1/1", door = "A/1/1", item = "A/1/5" },
  { number = 2, column = 1, row = 2, lock = "A/1/2", door = "A/1/2", item = "A/1/6" },
]
"""


class Site(Stack):
    """Both machines and what stands around them, in the words of the story."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "around", PORTS)
        self.hub, self.locker = Box(folder / "hub/all"), Box(folder / "locker/all")
        self.hub_url = HUB_URL
        self.key = ""
        self.secrets: set[tuple[str, str]] = set()
        (self.folder / "logs").mkdir(parents=True)

    def start(self) -> None:
        """All runs already."""

    def client(
        self, url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 30
    ) -> httpx.Client:
        trust = self.trust() if url.startswith(HUB_URL) else NO_TLS
        made = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, verify=trust)
        return self._clients.enter_context(made)

    def trust(self) -> ssl.SSLContext:
        """Of whoever was handed the root of the hub's authority."""
        return ssl.create_default_context(
            cafile=str(self.hub.folder / "var/lib/doclocker-central/authority/root.pem")
        )

    def central(self) -> Mapping[str, Any]:
        return {"web": {"api_keys": [self.key]}}

    def status(self) -> Mapping[str, Any]:
        return ask(self.locker.folder / "var/lib/doclocker/control.sock", {"do": "status"})

    def lockerctl(self, *words: str) -> str:
        return self.locker.types(" ".join(("sudo -u doclocker lockerctl", *words)))

    # --- by hand --------------------------------------------------------------------------------------------

    def builds(self) -> None:
        """A cabinet, and a phone."""
        self._run("phone", [command("hw-sim"), "phone", "--port", str(PORTS.phone)])
        (self.folder / "cabinet.toml").write_text(CABINET)
        self.run_cabinet("--file", str(self.folder / "cabinet.toml"), "--scanner", "none")

    def plans(self) -> None:
        """What the hub's operator writes down of it."""
        layout = load(self.folder / "cabinet.toml")
        text = wiring(layout, {"A": LINE}, {"A": 9600})
        self.hub.put("tmp/cabinet.toml", '[kiosk]\nscanner = "screen"\n' + text)

    def plugs_in(self) -> None:
        """The line's adapter; what the rules of the installation would make of it."""
        end = Path(json.loads((self.folder / "cabinet/ready.json").read_text())["lines"]["A"]).resolve()
        rules = (self.locker.folder / "etc/udev/rules.d/70-doclocker.rules").read_text()
        assert f'"{SAID["SERIAL"]}", SYMLINK+="doclocker/line-a"' in rules
        os.chown(end, -1, pwd_of(self.locker.folder, "doclocker").pw_gid)
        end.chmod(0o660)
        link = self.locker.folder / LINE[1:]
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(end)

    def says_how_messages_go(self) -> None:
        there = self.hub.folder / "etc/doclocker/central.toml"
        text = there.read_text().replace("[sms]\n", f'[sms]\nurl = "{self.phone_url}/sms"\n')
        assert tomllib.loads(text)["sms"]["url"]
        there.write_text(text)

    def carries_the_claim(self) -> None:
        made = self.hub.folder / f"tmp/{LOCKER}.json"
        self.secrets.add(("a claim", json.loads(made.read_text())["secret"]))
        assert made.stat().st_mode & 0o777 == 0o600
        self.locker.put(f"tmp/{LOCKER}.json", made.read_text(), 0o600)
        made.unlink()

    def signs_in(self, said: str) -> None:
        """The first administrator, with what the command printed; makes a key for the city's own program."""
        first = re.search(r"once, by (\S+)$", said, re.MULTILINE)
        assert first, said
        browser = self.client(HUB_URL, {"Origin": HUB_URL})
        browser.follow_redirects = True
        page = browser.post(
            "/console/login", data={"name": SAID["NAME"], "password": first[1], "next": "/console"}
        )
        assert page.url.path == "/console/login/password", page.text
        page = browser.post(
            "/console/login/password", data={"new": NEW_PASSWORD, "again": NEW_PASSWORD, "next": "/console"}
        )
        secret = re.search(r'id="secret">([^<]+)<', page.text)
        assert secret, page.text
        page = browser.post(
            "/console/login/enrol",
            data={"code": pyotp.TOTP(secret[1].replace(" ", "")).now(), "next": "/console"},
        )
        scopes = ["cases.write", "items.write", "staff.write", "fleet.read", "cases.read"]
        body = {"name": "city", "scopes": scopes, "areas": ["*"]}
        made = browser.post("/api/v1/keys", json=body)
        assert made.status_code == httpx.codes.CREATED, made.text
        self.key = made.json()["secret"]
        self.secrets |= {("a password", first[1]), ("a password", NEW_PASSWORD)}
        self.secrets |= {("a second factor", secret[1]), ("a key of the API", self.key)}
        browser.close()  # whoever is still connected holds up a restart


class Hour:
    """The document's commands one after the other: none is left out, none comes before its turn."""

    def __init__(self, site: Site, document: Path) -> None:
        self.site = site
        self.told: dict[str, Any] = {"seconds": {}, "said": {}, "elsewhere": list(ELSEWHERE)}
        self._left = deque(commands(document))

    def types(self, begins: str, given: str = "") -> str:
        """The next command, which begins so."""
        where, line = self._left.popleft()
        assert line.removeprefix("sudo ").removeprefix("-u doclocker ").startswith(begins), (
            f"the document goes on with {line!r}, this test with {begins!r}"
        )
        box = self.site.hub if where.startswith("The hub") else self.site.locker
        whole = PLACES.sub(lambda found: SAID[found[0]], line)
        began_s = clock.mono_s()
        said = box.types(whole, given)
        self.told["seconds"][line] = round(clock.mono_s() - began_s, 1)
        self.told["said"][line] = said
        return said

    def passes_over(self, begins: str) -> None:
        """Shown by another test."""
        _where, line = self._left.popleft()
        assert begins in line
        assert f'"{begins.rsplit(maxsplit=1)[-1]}"' in Path(ELSEWHERE[begins]).read_text()

    def the_hub(self) -> None:
        site = self.site
        self.types("systemd/install hub")
        self.types("systemd/install hub")
        said = self.types("-u doclocker-central locker-central account add")
        until("the hub hears its broker", self._hub_is_well)
        site.signs_in(said)
        site.says_how_messages_go()
        self.types("systemctl restart")
        until("the hub hears its broker", self._hub_is_well)
        site.plans()
        self.types("-u doclocker-central locker-central claim")
        site.carries_the_claim()

    def _hub_is_well(self) -> bool:
        try:
            asked = httpx.get(f"{HUB_URL}/healthz", verify=self.site.trust(), timeout=2)
        except httpx.TransportError:
            return False
        return bool(asked.json()["broker"])

    def the_locker(self) -> None:
        site = self.site
        self.types("systemd/install locker")
        self.types("systemd/install locker")
        site.plugs_in()
        self.types("lockerctl provision")
        self.types("rm")
        self.types("/opt/doclocker/current/systemd/update trust")
        self.types("lockerctl bus scan")
        self.types("lockerctl config check")
        self._ear = Ear(site.hub, site.folder / "heard")
        self.passes_over("wiring learn")
        self.types("reboot")
        until("the page answers", lambda: _answers(f"{site.kiosk_url}/healthz"))

    def the_first_visit(self) -> None:
        scenes = self._scenes = Scenes(self.site)
        scenes.opens_for_business()
        self.types("lockerctl doctor")
        self.passes_over("selftest")
        scenes.drop_off()
        scenes.intake()
        scenes.load_and_collect()
        scenes.compare()
        self.types("lockerctl evidence export")
        self.types("lockerctl evidence verify")
        self.told["left"] = [line for _where, line in self._left]
        self.told["pulses"] = scenes.outcome.pulses

    def the_night(self) -> None:
        """What timers begin: copies, and a rehearsal of an update on one of them."""
        site = self.site
        site.lockerctl("backup", "--to", "/var/lib/doclocker/copies")
        site.lockerctl("journal", "rehearse")
        site.hub.types(
            "sudo -u doclocker-central locker-central backup --to /var/lib/doclocker-central/copies"
        )
        (copy,) = (site.hub.folder / "var/lib/doclocker-central/copies").iterdir()
        subprocess.run(["pg_restore", "-f", str(site.folder / "copy.sql"), str(copy)], check=True)

    def look_for_secrets(self) -> None:
        """In every byte that either machine wrote, and in all that passed between them."""
        site, folder = self.site, self.site.folder.parent
        secrets = {*self._scenes._secrets, *self._scenes.phone.codes(), *site.secrets}
        self.told["heard"] = self._ear.close()
        machines = {"hub": folder / "hub/upper", "locker": folder / "locker/upper"}
        for name, upper in machines.items():
            secrets |= set(keys(name, upper))
        self.told["secrets"] = len(secrets)
        self.told["bytes"], self.told["found"] = where({**machines, "around": site.folder}, secrets)


def main() -> None:
    folder, document = Path(sys.argv[1]), Path(sys.argv[2])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    site = Site(folder)
    hour = Hour(site, document)
    started = ["chroot", str(site.hub.folder), "pg_ctlcluster", "15", "main", "start"]
    subprocess.run([*started, "-o", "-c fsync=off -c listen_addresses="], check=True)
    try:
        site.builds()
        hour.the_hub()
        hour.the_locker()
        hour.the_first_visit()
        hour.the_night()
        hour.look_for_secrets()
        print(json.dumps(hour.told))
    except BaseException:
        for log in folder.glob("*/all/var/log/*.service.log"):
            print(f"{log.name}:\n{log.read_text()[-LOG_CHARACTERS:]}", file=sys.stderr)
        raise
    finally:
        site._clients.close()  # as above
        site.locker.stop()
        site.hub.stop()
        site.stop()


if __name__ == "__main__":
    main()
