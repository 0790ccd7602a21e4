"""What stands outside: the hub and its broker by TLS, a cabinet at the end of the line, a phone."""

import json
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from hw_sim.layout import LAYOUTS
from hw_sim.loopback import HOST, NO_TLS
from hw_sim.settings import wiring
from hw_sim.stack import AREA, LOCKER, Ports, Stack, _answers, _listens, _program, command, output

SEEN_AS: Final = "10.0.2.100"
"""By the machine: the emulator carries what goes there to loopback, and nothing else anywhere."""
SEEN_AT: Final = 18080
"""The machine's port that the page's visitors come in by."""
LINE: Final = "A50285BI"
"""The serial number of the adapter at the machine's end."""


class Outside(Stack):
    """`start`, make a `claim`, give `words` to the emulator."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Ports.chosen(preferred=False))
        self.hub_url = f"https://{HOST}:{self.ports.hub}"

    def start(self) -> None:
        """What the scenes begin with; all runs already."""

    def prepare(self) -> None:
        """Returns when a locker can be taken in. Raises NotReadyError."""
        (self.folder / "logs").mkdir(parents=True)
        self._run("phone", [command("hw-sim"), "phone", "--port", str(self.ports.phone)])
        self.start_cabinet()
        self._make_hub({})
        self._run("broker", [_program("mosquitto"), "-c", str(self.folder / "broker/mosquitto.conf")])
        self._await(lambda: _listens(self.ports.broker), "broker")
        self._run("hub", [command("locker-central"), "serve", "--config", str(self.central_config)])
        self._await(self._hub_answers, "hub")

    def _make_hub(self, more: Mapping[str, str]) -> None:
        broker, tls = self.folder / "broker", self.folder / "tls"
        settings = {
            "web.port": self.ports.hub,
            "web.certificate": tls / "hub.pem",
            "web.key": tls / "hub.key",
            "broker.host": HOST,
            "broker.port": self.ports.broker,
            "broker.ca": broker / "root.pem",
            "broker.certificate": f"{tls}/{{name}}.pem",
            "broker.key": f"{tls}/{{name}}.key",
            "authority.url": f"https://{SEEN_AS}:{self.ports.hub}",
            "authority.broker_host": SEEN_AS,
            "authority.broker_port": self.ports.broker,
            "sms.url": f"{self.phone_url}/sms",
            "access.second_factor_for": "[]",
            **more,
        }
        words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        output([command("locker-central"), "init", "--dir", str(self.central_config.parent), *words])
        both = ("--host", HOST, "--host", SEEN_AS)
        for asked in (
            ("init",),
            ("server", "hub", *both, "--out", str(tls)),
            ("server", "broker", *both, "--out", str(broker)),
            ("hub", "--out", str(tls)),
            ("broker", "--out", str(broker), "--address", HOST),
        ):
            self._central("authority", *asked)
        with (broker / "mosquitto.conf").open("a") as file:
            file.write("user root\n")
        self._make_operator()

    def _central(self, *words: str) -> str:
        return output([command("locker-central"), *words, "--config", str(self.central_config)])

    def _hub_answers(self) -> bool:
        try:
            asked = httpx.get(f"{self.hub_url}/healthz", verify=self._trust(), timeout=2)
        except httpx.TransportError:
            return False
        return bool(asked.json()["broker"])

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "broker" / "root.pem"))

    def client(
        self, url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 30
    ) -> httpx.Client:
        """As of `Stack`; the hub by its authority's word."""
        trust = self._trust() if url.startswith(self.hub_url) else NO_TLS
        made = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, verify=trust)
        return self._clients.enter_context(made)

    def page_answers(self) -> bool:
        """The locker's, to a visitor."""
        return _answers(f"{self.kiosk_url}/healthz")

    def lines(self) -> list[str]:
        """Their names, as in a file of rules."""
        return [
            name.lower() for name in json.loads((self.folder / "cabinet/ready.json").read_text())["lines"]
        ]

    def claim(self) -> str:
        """For one locker with this cabinet, on a line that is named by its adapter's serial number."""
        ready = json.loads((self.folder / "cabinet/ready.json").read_text())
        named = dict.fromkeys(ready["lines"], "")
        for name in named:
            named[name] = f"/dev/doclocker/line-{name.lower()}"
        plan = self.folder / "plan.toml"
        plan.write_text('[kiosk]\nscanner = "screen"\n' + wiring(LAYOUTS["two-board"], named, ready["bauds"]))
        out = self.folder / "claim.json"
        self._central("claim", "--locker", LOCKER, "--area", AREA, "--plan", str(plan), "--out", str(out))
        return out.read_text()

    def words(self, *, plugged: bool) -> list[str]:
        """What the emulator must be told: a network that ends here, the line's far end, and its adapter
        where it is ``plugged`` in already."""
        relay = f"{sys.executable} {Path(__file__).with_name('relay.py')} {HOST}"
        ready = json.loads((self.folder / "cabinet/ready.json").read_text())
        net = ["user,id=net,restrict=on", f"hostfwd=tcp:{HOST}:{self.ports.kiosk}-:{SEEN_AT}"]
        net += [
            f"guestfwd=tcp:{SEEN_AS}:{port}-cmd:{relay} {port}"
            for port in (self.ports.hub, self.ports.broker)
        ]
        words = ["-netdev", ",".join(net), "-device", "virtio-net-pci,netdev=net"]
        for name, path in ready["lines"].items():
            words += ["-chardev", f"serial,id=line{name},path={path}"]
        for name, plug in self.plugs().items() if plugged else ():
            told = ",".join(f"{key}={value}" for key, value in plug.items())
            words += ["-device", f"usb-serial,bus=usb.0,id={name},{told}"]
        return words

    def plugs(self) -> dict[str, dict[str, str]]:
        """The adapters, by the emulator's names for them."""
        return {
            f"adapter-{name}": {"chardev": f"line{name.upper()}", "serial": f"{LINE}{name.upper()}"}
            for name in self.lines()
        }
