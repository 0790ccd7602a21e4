"""An authority for tests, made once: its key is drawn anew for each run."""

import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from sync import certificates
from sync.central.authority import broker
from sync.central.authority.issuing import DAY_MS, Authority, Purpose, issue, new_authority, revocations
from sync.central.platform import SystemClock
from tests.mosquitto import PATIENCE_S, Broker, program

NOW_MS: Final = SystemClock().wall_ms()
"""Real brokers look at the real clock."""


@cache
def authority(now_ms: int = NOW_MS) -> Authority:
    return new_authority("Test", now_ms)


OVER: Final = DAY_MS * 40
"""How long ago a certificate of thirty days was made that has run out."""


def pair(
    folder: Path,
    name: str,
    purpose: Purpose,
    *,
    now_ms: int = NOW_MS,
    days: int = 30,
    of: Authority | None = None,
) -> str:
    """NAME.key and NAME.pem in ``folder``; the certificate."""
    key = certificates.new_key()
    wanted = certificates.read_request(certificates.request_for(key, name))
    hosts = ["127.0.0.1"] if purpose is Purpose.SERVER else []
    pem = issue(of or authority(), wanted, purpose, now_ms, hosts=hosts, days=days)
    (folder / f"{name}.key").write_text(key)
    (folder / f"{name}.pem").write_text(pem)
    return pem


def revoke(folder: Path, *certificate: str) -> None:
    serials = [(certificates.read(each).serial, NOW_MS) for each in certificate]
    (folder / "revoked.pem").write_text(revocations(authority(), serials, NOW_MS))


class TlsBroker(Broker):
    """As `locker-central authority broker` sets it up."""

    def _write_configuration(self) -> None:
        folder = self.directory
        (folder / "root.pem").write_text(authority().pem)
        pair(folder, "broker", Purpose.SERVER)
        revoke(folder)
        (folder / "access").write_text(broker.access())
        (folder / "access").chmod(0o600)
        text = broker.configuration(broker.Listener(str(folder), self.host, self.port))
        talks = "log_dest stderr\nlog_type all\nconnection_messages true\nuser root\n"
        (folder / "mosquitto.conf").write_text(talks + text)

    def reload(self) -> None:
        assert self._process is not None
        seen = len(self.log)
        self._process.send_signal(signal.SIGHUP)
        self.await_log("Reloading config", since=seen)

    def await_end(self, name: str, *, since: int) -> None:
        """Until the broker knows that a client is gone; how it tells depends on where TLS was cut."""
        ends = (
            f"Client {name} closed its connection",
            f"Socket error on client {name}",
            f"Client {name} disc",
        )
        with self._news:
            found = self._news.wait_for(
                lambda: any(end in line for line in self.log[since:] for end in ends), PATIENCE_S
            )
        assert found, self.log[since:]

    def words(self, tool: str, name: str, *more: str) -> list[str]:
        """The command line of one of mosquitto's clients with the certificate of ``name``; "" for none."""
        own = (
            ["--cert", f"{self.directory}/{name}.pem", "--key", f"{self.directory}/{name}.key"]
            if name
            else []
        )
        where = [
            "-V",
            "5",
            "-h",
            self.host,
            "-p",
            str(self.port),
            "--cafile",
            str(self.directory / "root.pem"),
        ]
        return [program(tool), *where, "--tls-version", "tlsv1.3", *own, *more]

    def say(self, name: str, topic: str, message: str, *more: str) -> subprocess.CompletedProcess[str]:
        words = self.words("mosquitto_pub", name, "-t", topic, "-m", message, "-q", "1", "-d", *more)
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
