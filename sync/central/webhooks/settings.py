"""Where the hub may send to: the section ``[webhooks]`` of central.toml, and the rule that it feeds."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

URL_CHARACTERS_MAX: Final = 500
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a gateway turns into any of IPv4."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(Exception):
    """The hub does not send there; the message says why."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Public addresses are reached by https alone. What is in ``private_networks`` is reached too, also by
    http; nothing else is: not the hub itself, not its neighbours, not a cloud's own services."""

    private_networks: tuple[str, ...] = ()
    """Such as ``10.1.2.0/24`` or ``127.0.0.1``."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Key and what is wrong with it."""
        for text in self.private_networks:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                yield (
                    "private_networks",
                    f"{text!r}: an address, or a network such as 10.1.2.0/24",
                )

    def is_private(self, address: Address) -> bool:
        return any(address in ipaddress.ip_network(text) for text in self.private_networks)

    def require_url(self, url: str) -> None:
        """Its form alone; where it leads is asked at each sending. Raises NotAllowed."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise NotAllowed("this is no address") from error
        plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_CHARACTERS_MAX
        if not plain or not parts.hostname or port == 0:
            raise NotAllowed(f"an address of at most {URL_CHARACTERS_MAX} plain characters was expected")
        if parts.username is not None or parts.fragment:
            raise NotAllowed("no user, password or fragment in it: every call is signed")
        if parts.scheme != "https" and not (parts.scheme == "http" and self.private_networks):
            raise NotAllowed("https:// was expected")

    def require_address(self, text: str, *, encrypted: bool) -> str:
        """An address that a name stands for, if it may be sent to. Raises NotAllowed."""
        address: Address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if self.is_private(address):
            return str(address)
        if not encrypted:
            raise NotAllowed("http:// leads to networks of [webhooks] private_networks only")
        if not address.is_global or address.is_multicast or _leads_elsewhere(address):
            raise NotAllowed("its address is no public one and not in [webhooks] private_networks")
        return str(address)


def _leads_elsewhere(address: Address) -> bool:
    """Whether another address is hidden in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    return bool(address.sixtofour or address.teredo or address in _TRANSLATED)
