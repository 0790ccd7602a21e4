"""What a hub has beside its files: database, configuration, certificates, broker. Made once; they stay."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from systemd.installer.done import Done
from systemd.installer.errors import BadHost, CommandFailed, NoPeer
from systemd.installer.machine import Machine
from systemd.installer.steps import Step

USER: Final = "doclocker-central"
"""Of the service, of the database's role, and thereby who needs no password for it."""
DATABASE: Final = "doclocker"
CONFIGURATION: Final = "/etc/doclocker/central.toml"
STATE: Final = "/var/lib/doclocker-central"
COMMAND: Final = "/opt/doclocker/current/bin/locker-central"
_HOST_CHARACTERS_MAX: Final = 253
_RUNTIME: Final = "/run/doclocker-broker"
"""Of the unit: there the broker finds its copies."""


def steps(host: str) -> Sequence[Step]:
    """``host``: the name by which lockers and people reach this machine."""
    if not 0 < len(host) <= _HOST_CHARACTERS_MAX or not all(c.isalnum() or c in ".-:" for c in host):
        raise BadHost(host)
    server = ("authority", "server", "--host", host, "--host", "localhost", "--host", "127.0.0.1", "--out")
    tls, broker = f"{STATE}/tls", f"{STATE}/broker"
    authority = ("authority", "init", "--name", f"DocLocker {host}"[:64])
    rules = ("authority", "broker", "--out", broker, "--folder", _RUNTIME)
    return (
        Database(),
        Configuration(host),
        Made(f"{STATE}/authority/root.pem", authority),
        Made(f"{STATE}/authority/revoked.pem", ("authority", "sign")),
        Made(f"{tls}/hub.pem", (*server[:2], "hub", *server[2:], tls)),
        Made(f"{broker}/broker.pem", (*server[:2], "broker", *server[2:], broker)),
        Made(f"{tls}/_central.pem", ("authority", "hub", "--out", tls)),
        Made(f"{broker}/mosquitto.conf", rules),
    )


@dataclass(frozen=True, slots=True)
class Database:
    """A role without a password: PostgreSQL asks the kernel who speaks to its socket."""

    def do(self, machine: Machine, done: Done) -> bool:
        del done
        changed = False
        for what, there, *make in _OBJECTS:
            if _asked(there):
                continue
            machine.say(f"make {what}")
            changed = True
            for statement in make:
                machine.run((*_PSQL, statement))
        if changed and not machine.dry:
            _need_peer()
        return changed

    def undo(self, machine: Machine, done: Done) -> None:
        """It stays: it is the ledger."""


_AS: Final = ("/usr/sbin/runuser", "-u")
_PSQL: Final = (*_AS, "postgres", "--", "psql", "-qAtXw", "-v", "ON_ERROR_STOP=1", "-c")
_OBJECTS: Final = (
    (
        f"role {USER} of the database: by its socket, without a password",
        f"SELECT 1 FROM pg_roles WHERE rolname = '{USER}'",  # noqa: S608 -- our own words
        f'CREATE ROLE "{USER}" LOGIN',
    ),
    (
        f"database {DATABASE}",
        f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'",  # noqa: S608 -- our own words
        f"CREATE DATABASE {DATABASE} OWNER \"{USER}\" ENCODING 'UTF8' TEMPLATE template0",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
    ),
)


def _asked(query: str) -> bool:
    """A look, in a dry run as well; no server yet: nothing is there."""
    try:
        found = subprocess.run(  # noqa: S603 -- our own words, no shell
            (*_PSQL, query), capture_output=True, text=True, check=False, cwd="/"
        )
    except FileNotFoundError:
        return False
    return found.stdout.strip() == "1"


def _need_peer() -> None:
    """Raises NoPeer."""
    argv = (*_AS, USER, "--", "psql", "-qAtXw", "-d", DATABASE, "-c", "SELECT 1")
    found = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603 -- as above
    if found.returncode:
        raise NoPeer(found.stderr)


@dataclass(frozen=True, slots=True)
class Configuration:
    """``central.toml`` with what this machine settles. The administrator's from then on."""

    host: str

    def do(self, machine: Machine, done: Done) -> bool:
        del done
        if machine.at(CONFIGURATION).exists():
            return False
        machine.say(f"make {CONFIGURATION} and {STATE}/keys.json: keep a copy of the keys elsewhere")
        said = [word for key, value in self.settings().items() for word in ("--set", f"{key}={value}")]
        machine.run((COMMAND, "init", "--dir", "/etc/doclocker", *said))
        machine.run(("chown", "-h", f"{USER}:{USER}", f"{STATE}/keys.json"))
        machine.run(("chown", "-h", f"root:{USER}", CONFIGURATION))
        machine.run(("chmod", "0640", CONFIGURATION))
        first = f"account add NAME --role administrator --area '*' --config {CONFIGURATION}"
        machine.say(f"  (then for the first person: sudo -u {USER} {COMMAND} {first})")
        return True

    def settings(self) -> dict[str, str]:
        """Nothing that is a password: neither database nor broker asks for one."""
        return {
            "hub.database": f"postgresql:///{DATABASE}?host=/run/postgresql",
            "hub.keys": f"{STATE}/keys.json",
            "web.host": "0.0.0.0",  # noqa: S104 -- lockers and people come from elsewhere, by TLS
            "web.url": f"https://{f'[{self.host}]' if ':' in self.host else self.host}:8600",
            "web.certificate": f"{STATE}/tls/hub.pem",
            "web.key": f"{STATE}/tls/hub.key",
            "web.api_keys": "[]",
            "broker.host": "localhost",
            "broker.port": "8883",
            "broker.password": "",
            "broker.ca": f"{STATE}/authority/root.pem",
            "broker.certificate": f"{STATE}/tls/{{name}}.pem",
            "broker.key": f"{STATE}/tls/{{name}}.key",
            "authority.folder": f"{STATE}/authority",
            "authority.broker_host": self.host,
            "releases.folder": f"{STATE}/releases",
        }

    def undo(self, machine: Machine, done: Done) -> None:
        """It stays."""


@dataclass(frozen=True, slots=True)
class Made:
    """``path`` comes from a command of the hub, run as its user; what is there is left as it is."""

    path: str
    words: tuple[str, ...]

    def do(self, machine: Machine, done: Done) -> bool:
        del done
        if machine.at(self.path).exists():
            return False
        machine.say(f"make {self.path}")
        machine.run((*_AS, USER, "--", COMMAND, *self.words, "--config", CONFIGURATION))
        if not machine.dry and not machine.at(self.path).exists():
            raise CommandFailed((COMMAND, *self.words), 0, f"and made no {self.path}")
        return True

    def undo(self, machine: Machine, done: Done) -> None:
        """It stays."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A unit of the system that runs with files of ours. Whoever installed it started it without them."""

    name: str

    def do(self, machine: Machine, done: Done) -> bool:
        if self.name in done.units:
            return False
        machine.say(f"enable {self.name}, and start it with the hub's settings")
        done.units.append(self.name)
        done.keep(machine)
        if machine.live:
            machine.run(("systemctl", "enable", "--quiet", self.name))
            machine.run(("systemctl", "restart", self.name))
        return True

    def undo(self, machine: Machine, done: Done) -> None:
        """The system's again, as it comes; it is started anew once our files are gone."""
        del machine
        if self.name in done.units:
            done.units.remove(self.name)
