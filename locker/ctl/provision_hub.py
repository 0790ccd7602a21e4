"""Whom a locker asks while it is provisioned: the hub by HTTPS, and the broker whether it knows us."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from sync import certificates
from sync.wire import provision

ANSWERED_WITHIN_S: Final = 15.0
REFUSED_WITHIN_S: Final = 1.0
"""A broker that does not take a certificate says so right after the handshake."""
OK: Final = 200
LATER: Final = 202


class CannotProvision(Exception):
    """Nothing came of it; what was there is as it was. The message says what to do."""


class Waiting(CannotProvision):
    """The operator has to sign first. Nothing is lost: ask again later."""


class Hub(Protocol):
    """What provisioning asks of the centre; `HttpsHub` fits."""

    def trust(self) -> tuple[provision.Trust, int]:
        """Whom to believe, and the hub's wall time in ms. Raises CannotProvision."""
        ...

    def introductions(self) -> tuple[bytes, ...]:
        """Frames in which former keys of the centre name their followers, earliest first. Raises
        CannotProvision."""
        ...

    def post(self, path: str, frame: bytes) -> bytes:
        """A frame of the centre. Raises CannotProvision, Waiting."""
        ...


@dataclass(frozen=True, slots=True)
class HttpsHub:
    """``root``: the authority whose certificate the hub must show; empty: nobody is believed, and `trust`
    alone may be asked, whose answer proves itself by its pin."""

    url: str
    root: str = ""

    def trust(self) -> tuple[provision.Trust, int]:
        values = self._trust()
        try:
            texts = provision.texts_of(values, "root", "centre")
            return provision.Trust(**texts), int(values["now_ms"])
        except (ValueError, KeyError, TypeError) as error:
            raise CannotProvision(f"{self.url}: that is no hub of ours") from error

    def introductions(self) -> tuple[bytes, ...]:
        try:
            return tuple(map(bytes.fromhex, self._trust().get("introductions", ())))
        except (ValueError, TypeError) as error:
            raise CannotProvision(f"{self.url}: that is no hub of ours") from error

    def _trust(self) -> Mapping[str, Any]:
        status, body = self._ask("GET", provision.TRUST_PATH, b"")
        values = _told(body)
        if status != OK:
            raise CannotProvision(f"{self.url}: {values.get('detail', status)}")
        return values

    def post(self, path: str, frame: bytes) -> bytes:
        if not self.root:
            raise CannotProvision("nothing is sent to a hub whose certificate is not known")
        status, body = self._ask("POST", path, frame)
        if status == OK:
            return body
        detail = _told(body).get("detail", f"status {status}")
        if status == LATER:
            raise Waiting(f"{self.url}: {detail}")
        raise CannotProvision(f"{self.url} refuses: {detail}")

    def _ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise CannotProvision(f"{self.url}: an https:// address was expected")
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=ANSWERED_WITHIN_S, context=_context(self.root)
        )
        try:
            connection.request(method, path, body, {"Content-Type": "application/octet-stream"})
            answer = connection.getresponse()
            return answer.status, answer.read(provision.BODY_BYTES_MAX + 1)
        except ssl.SSLCertVerificationError as error:
            raise CannotProvision(
                f"{self.url} shows another certificate than the claim names ({error.verify_message}). "
                "Look at the locker's clock; else somebody stands between: tell the operator"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise CannotProvision(
                f"{self.url}: {error}. Look at network and address, then try again"
            ) from error
        finally:
            connection.close()


def _context(root: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if root:
        context.load_verify_locations(cadata=root)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        values = json.loads(body)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def pinned(url: str, pin: str) -> provision.Trust:
    """Whom to believe, by a code's pin. Raises CannotProvision for another hub than the code was made at."""
    trust, _ = HttpsHub(url).trust()
    if trust.pin(certificates.fingerprint(trust.root)) != pin:
        raise CannotProvision(
            f"{url} is not the hub that made this code. Check the address, or somebody stands between"
        )
    return trust


def broker_takes(host: str, port: int, root: Path, pair: Path, key: Path | None = None) -> bool | None:
    """Whether the broker lets this certificate in; None where it cannot be asked. It says no word of MQTT:
    the daemon's own session is left alone. ``key``: where it does not lie in the same file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(str(root))
    context.load_cert_chain(str(pair), str(key or pair))
    try:
        with (
            socket.create_connection((host, port), timeout=ANSWERED_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            wrapped.settimeout(REFUSED_WITHIN_S)
            return bool(wrapped.recv(1))
    except TimeoutError:
        return True
    except ssl.SSLError:
        return False
    except OSError:
        return None
