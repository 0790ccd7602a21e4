"""central.toml → frozen dataclasses. What is not understood is refused, with its line and what to do."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sync.central.access.settings import Access, Identity
from sync.central.authority.settings import Authority
from sync.central.desk import Keys
from sync.central.forgetting.settings import Personal
from sync.central.messages.settings import Channel, Messages
from sync.central.messages.templates import TEMPLATES
from sync.central.releases.settings import Releases
from sync.central.rotation import keyfile
from sync.central.webhooks.settings import Webhooks

PORT_MAX: Final = 65_535
POSTGRESQL: Final = ("postgresql:", "postgres:")
KEY_CHARACTERS_MIN: Final = 8


class BadConfig(Exception):
    """``file:line: what is wrong; what to do``."""


@dataclass(frozen=True, slots=True)
class Web:
    host: str = "127.0.0.1"
    port: int = 8600
    url: str = ""
    """How people reach it; for labels and links. Empty: from host and port."""
    operator_password: str = field(default="", repr=False)
    """Of earlier software, and of no meaning: people have accounts now."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    certificate: str = ""
    """With ``key``: it is served by TLS. Files, relative to the configuration's folder."""
    key: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses and networks of those before the hub who are believed from where a request came
    (``X-Forwarded-For``). Nobody else is."""

    def problems(self) -> Iterator[tuple[str, str]]:
        for each in self.proxies:
            try:
                ip_network(each)
            except ValueError:
                yield "proxies", f"{each!r}: an address or a network was expected, as 10.1.2.3 or 10.1.2.0/24"


@dataclass(frozen=True, slots=True)
class Broker:
    host: str = "127.0.0.1"
    port: int = 1883
    user: str = "_central"
    """No locker can have it: locker ids hold no underscore."""
    password: str = field(default="", repr=False)
    ca: str = ""
    certificate: str = ""
    """In this and ``key`` ``{name}`` stands for the client's name: each of several processes has its own."""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Sms:
    url: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    database: str = field(default="central.sqlite", repr=False)
    """A file of SQLite, relative paths are from the configuration's folder; or ``postgresql://…``."""
    keys: str = "keys.json"
    utc_offset_minutes: int = 480
    """How local time is told to people: China has one zone and no summer time."""


@dataclass(frozen=True, slots=True)
class Workers:
    """More than one process for one fleet: docs/hub.md."""

    shards: int = 1
    """Into how many parts the lockers are divided; beyond 1 on PostgreSQL only, the same in every process."""

    def problems(self, database: Path | URL) -> Iterator[tuple[str, str]]:
        if self.shards < 1 or (self.shards > 1 and isinstance(database, Path)):
            yield "shards", "1; or more, where [hub] database is PostgreSQL"


@dataclass(frozen=True, slots=True)
class Config:
    folder: Path
    hub: Hub
    web: Web
    broker: Broker
    sms: Sms
    access: Access = field(default_factory=Access)
    identity: Identity = field(default_factory=Identity)
    workers: Workers = field(default_factory=Workers)
    webhooks: Webhooks = field(default_factory=Webhooks)
    messages: Messages = field(default_factory=Messages)
    personal: Personal = field(default_factory=Personal)
    authority: Authority = field(default_factory=Authority)
    releases: Releases = field(default_factory=Releases)
    channels: tuple[Channel, ...] = ()
    """Beside ``[sms] url``, which is the first of them."""

    @property
    def database(self) -> Path | URL:
        """Where everything is kept: a file, or a server's address."""
        if self.hub.database.startswith(POSTGRESQL):
            return make_url(self.hub.database)
        return self.folder / self.hub.database

    @property
    def keys(self) -> Path:
        return self.folder / self.hub.keys

    @property
    def url(self) -> str:
        scheme = "https" if self.web.certificate else "http"
        return self.web.url.rstrip("/") or f"{scheme}://{self.web.host}:{self.web.port}"


SECTIONS: Final[Mapping[str, type[Any]]] = {
    "hub": Hub,
    "web": Web,
    "broker": Broker,
    "sms": Sms,
    "access": Access,
    "identity": Identity,
    "workers": Workers,
    "webhooks": Webhooks,
    "messages": Messages,
    "personal": Personal,
    "authority": Authority,
    "releases": Releases,
}
CHANNELS: Final = "channels"
"""Its own way of being written: ``[[channels]]`` with a name each, or ``[channels.NAME]``."""


def load(path: Path) -> Config:
    """Raises BadConfig."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}; `locker-central init --dir DIR` makes one") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: {error}") from error
    source = _Source(path, text)
    for name in values:
        if name not in SECTIONS and name != CHANNELS:
            raise source.error(name, "", f"unknown section; there are {', '.join([*SECTIONS, CHANNELS])}")
    read = {name: source.section(name, kind, values.get(name, {})) for name, kind in SECTIONS.items()}
    config = Config(path.parent.resolve(), **read, channels=source.channels(values.get(CHANNELS, [])))
    source.require_usable(config)
    return config


def load_keys(path: Path) -> Keys:
    """Raises BadConfig."""
    try:
        return keyfile.read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadConfig(
            f"{path}: no usable keys ({type(error).__name__}); restore them from a backup"
        ) from error


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    text: str

    def error(self, section: str, key: str, problem: str) -> BadConfig:
        where = f"[{section}] {key}".strip()
        return BadConfig(f"{self.path}:{self._line(section, key)}: {where}: {problem}")

    def section(self, name: str, kind: type[Any], values: Any) -> Any:
        if not isinstance(values, dict):
            raise self.error(name, "", "a section was expected")
        known = {f.name: f for f in fields(kind)}
        for key, value in values.items():
            if key not in known:
                raise self.error(name, key, f"unknown key; there are {', '.join(known)}")
            default = known[key].default
            wanted = type(default) if default is not MISSING else str
            if not _fits(value, wanted):
                raise self.error(name, key, f"{_WORDS[wanted]} was expected, not {type(value).__name__}")
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def channels(self, values: Any) -> tuple[Channel, ...]:
        if isinstance(values, dict):
            named = [{**each, "name": name} for name, each in values.items() if isinstance(each, dict)]
        else:
            named = [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
        if len(named) != len(values):
            raise self.error(CHANNELS, "", "[[channels]] or [channels.NAME] was expected")
        found = tuple(self.section(CHANNELS, Channel, each) for each in named)
        names = [each.name for each in found]
        for each in found:
            if not each.name or names.count(each.name) > 1 or each.name == "sms":
                raise self.error(CHANNELS, "name", "a name of its own each; `sms` is that of [sms] url")
            for key, problem in each.problems(frozenset(TEMPLATES)):
                raise self.error(CHANNELS, key, f"{each.name}: {problem}")
        return found

    def require_usable(self, config: Config) -> None:
        for section, port in (("web", config.web.port), ("broker", config.broker.port)):
            if not 0 < port <= PORT_MAX:
                raise self.error(section, "port", f"1 to {PORT_MAX}")
        if self._is_unusable(config):
            raise self.error(
                "hub",
                "database",
                "postgresql://USER@HOST/NAME was expected, with a password where one is needed",
            )
        if any(len(key) < KEY_CHARACTERS_MIN for key in config.web.api_keys):
            raise self.error("web", "api_keys", f"at least {KEY_CHARACTERS_MIN} characters")
        for section, problems in (
            ("web", config.web.problems()),
            ("access", config.access.problems()),
            ("identity", config.identity.problems()),
            ("workers", config.workers.problems(config.database)),
            ("webhooks", config.webhooks.problems()),
            ("messages", config.messages.problems()),
            ("personal", config.personal.problems()),
            ("authority", config.authority.problems()),
        ):
            for key, problem in problems:
                raise self.error(section, key, problem)
        if config.sms.url and not config.sms.url.startswith(("http://", "https://")):
            raise self.error("sms", "url", "an http:// or https:// address")
        files = [config.broker.ca, config.broker.certificate, config.broker.key]
        if any(files) and not all(files):
            raise self.error("broker", "ca", "ca, certificate and key go together")
        if bool(config.web.certificate) != bool(config.web.key):
            raise self.error("web", "certificate", "certificate and key go together")

    @staticmethod
    def _is_unusable(config: Config) -> bool:
        try:
            database = config.database
        except ArgumentError:
            return True
        return isinstance(database, URL) and not database.database

    def _line(self, section: str, key: str) -> int:
        inside = False
        for number, line in enumerate(self.text.splitlines(), 1):
            head = re.match(r"\s*\[+\s*([^\]\s]+)", line)
            if head:
                inside = head[1].split(".")[0].strip("\"'") == section
            if inside and (not key or re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line)):
                return number
            if not head and not key and re.match(rf"\s*{re.escape(section)}\s*=", line):
                return number
        return 1


_WORDS: Final[Mapping[type[Any], str]] = {str: "a text", int: "a whole number", tuple: "a list of texts"}


def _fits(value: Any, wanted: type[Any]) -> bool:
    if wanted is tuple:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(value) is wanted
