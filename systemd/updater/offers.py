"""The hub as a locker that looks for a release meets it: a list, and a file from any byte on, by HTTPS.

Neither is believed: what the list says is a hint for what to fetch, what comes is judged by its signature.
"""

import http.client
import json
import re
import ssl
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from systemd.updater import releases
from systemd.updater.admit import Here
from systemd.updater.disk import Disk, folder_of
from systemd.updater.errors import HubAway, HubBusy, Unfit
from systemd.updater.host import Host
from systemd.updater.manifest import order_of
from systemd.updater.quiet import configured

PATH: Final = "/api/v1/releases"
LIST_BYTES_MAX: Final = 64 << 10
PART_BYTES: Final = 64 << 10
SILENT_S: Final = 30.0
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,120}\.release")
_RELEASE: Final = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}-[0-9a-f]{12}")
_OK: Final = 200
_FROM_THERE: Final = 206
_NOTHING_THERE: Final = 416
_NONE: Final = 404
_LATER: Final = frozenset({429, 503})
_HUB: Final = "hub.json"
_ROOT: Final = "root.pem"


@dataclass(frozen=True, slots=True)
class Offer:
    """``file``: its name at the hub; ``release``: what we call it, if it is what it says."""

    file: str
    release: str
    order: tuple[tuple[int, ...], int]


class Hub(Protocol):
    """`HttpsHub`, or a test's."""

    def listed(self) -> bytes:
        """Empty where the hub knows of no such list. Raises HubAway, HubBusy."""

    def parts(self, file: str, after: int) -> Generator[bytes]:
        """Of the file, without its first ``after`` bytes; fewer where it ends. Raises HubAway, HubBusy."""


def newest(listed: bytes, disk: Disk, here: Here) -> Offer | None:
    """What is for machines like this, and newer than what runs. ``None``: nothing. Never raises."""
    try:
        said = json.loads(listed)["releases"] if listed else []
        offers = [each for each in map(_offer, said) if each and _is_for(each[0], here)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    runs = releases.order(disk, here.running)
    newer = [offer for _, offer in offers if offer.order > runs and offer.release != here.running]
    return max(newer, key=lambda offer: offer.order, default=None)


def _offer(said: dict[str, Any]) -> tuple[dict[str, Any], Offer] | None:
    file, release, built_s = str(said["file"]), str(said["release"]), said["built_s"]
    if not (_FILE.fullmatch(file) and _RELEASE.fullmatch(release) and type(built_s) is int):
        return None
    return said, Offer(file, release, (order_of(release.partition("-")[0]), built_s))


def _is_for(said: dict[str, Any], here: Here) -> bool:
    return (said["machine"], said["python"]) == (here.machine, here.python)


@dataclass(frozen=True, slots=True)
class HttpsHub:
    """``root``: the authority whose certificate the hub must show, as the claim brought it."""

    url: str
    root: str

    def listed(self) -> bytes:
        connection, answer = self._asked(PATH, 0)
        try:
            return b"" if answer.status == _NONE else answer.read(LIST_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise HubAway(self.url, str(error)) from error
        finally:
            connection.close()

    def parts(self, file: str, after: int) -> Generator[bytes]:
        connection, answer = self._asked(f"{PATH}/{file}", after)
        try:
            if answer.status == _NONE:
                raise HubAway(self.url, f"{file} is not there any more")
            if answer.status == _OK and after:  # it knows of no parts
                _passed_over(answer, after)
            while answer.status != _NOTHING_THERE and (part := answer.read(PART_BYTES)):
                yield part
        except (OSError, http.client.HTTPException) as error:
            raise HubAway(self.url, str(error)) from error
        finally:
            connection.close()

    def _asked(self, path: str, after: int) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise HubAway(self.url, "an https:// address was expected: lockerctl provision")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=self.root)
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=SILENT_S, context=context
        )
        try:
            connection.request("GET", path, headers={"Range": f"bytes={after}-"} if after else {})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise HubAway(self.url, str(error)) from error
        if answer.status in {_OK, _FROM_THERE, _NOTHING_THERE, _NONE}:
            return connection, answer
        connection.close()
        raise (
            HubBusy(self.url) if answer.status in _LATER else HubAway(self.url, f"it answers {answer.status}")
        )


def _passed_over(answer: http.client.HTTPResponse, count: int) -> None:
    while count and (part := answer.read(min(count, PART_BYTES))):
        count -= len(part)


def hub_of(host: Host, config: str) -> HttpsHub:
    """As this locker was provisioned. Raises Unfit."""
    keys = configured(host, config).get("locker", {}).get("keys_dir", "keys")
    folder = f"{folder_of(config)}/{keys}" if not str(keys).startswith("/") else str(keys)
    try:
        said, root = (host.disk.read(f"{folder}/{name}") for name in (_HUB, _ROOT))
        return HttpsHub(str(json.loads(said or b"")["hub"]), (root or b"").decode("ascii"))
    except (ValueError, TypeError, KeyError) as error:
        raise Unfit(f"{folder} names no hub: lockerctl provision by a claim first") from error
    except PermissionError as error:
        raise Unfit(f"{folder} is the daemon's alone: sudo -u doclocker, or as root") from error
