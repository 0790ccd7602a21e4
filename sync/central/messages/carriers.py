"""What takes a message from us. Plain codes live here as long as one request takes, and are never logged."""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

import httpx

from sync.central.messages.settings import TO, Channel, Kind

TIMEOUT_S: Final = 10.0
"""A gateway that takes longer is busy or dead: the message is tried again."""
LIBRARY_TIMEOUT_S: Final = 20.0
"""Of apprise: some services want two requests, each with limits of its own (see `_LIMITS`)."""
_LIMITS: Final = "cto=5&rto=8"
"""Seconds to connect and to read: so a thread is free again although its caller went away long ago."""
_TALKATIVE: Final = ("apprise", "requests", "urllib3")
"""They log whole bodies and addresses, with numbers, codes and passwords in them."""


class UnusableChannel(Exception):
    """Nothing can ever be sent by an address like this."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, opened: to be sent and forgotten."""

    to: str
    template: str
    language: str
    variables: Mapping[str, str]
    title: str
    text: str
    key: str
    """Whoever gets the same key twice shows it once."""


class Carrier(Protocol):
    async def carry(self, letter: Letter) -> str:
        """Empty if it was taken, else why not, in words without any content."""
        ...


@dataclass(frozen=True, slots=True)
class Gateway:
    """An SMS gateway with templates of its own."""

    client: httpx.AsyncClient
    url: str

    async def carry(self, letter: Letter) -> str:
        body = {
            "to": letter.to,
            "template": letter.template,
            "language": letter.language,
            "variables": dict(letter.variables),
            "idempotency_key": letter.key,
        }
        try:
            answer = await self.client.post(self.url, json=body, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"status {answer.status_code}"


@dataclass(frozen=True, slots=True)
class Library:
    """A service that apprise knows. It blocks: on threads of its own, so that it holds up nothing else."""

    url: str
    threads: Executor

    async def carry(self, letter: Letter) -> str:
        url = self.url.replace(TO, quote(letter.to, safe=""))
        sending = asyncio.get_running_loop().run_in_executor(
            self.threads, _notify, url, letter.title, letter.text
        )
        try:
            return await asyncio.wait_for(sending, LIBRARY_TIMEOUT_S)
        except TimeoutError:
            return "no answer in time"


def carrier_of(channel: Channel, client: httpx.AsyncClient, threads: Executor | None) -> Carrier:
    """Raises UnusableChannel."""
    if channel.kind == Kind.HTTP:
        return Gateway(client, channel.url)
    if threads is None:
        raise UnusableChannel(f"channel {channel.name}: no threads for it in this process")
    url = f"{channel.url}{'&' if '?' in channel.url else '?'}{_LIMITS}"
    _require_known(channel.name, url)
    return Library(url, threads)


def _require_known(name: str, url: str) -> None:
    from apprise import Apprise  # noqa: PLC0415  # late: only who has such a channel pays for it

    hush()
    if Apprise.instantiate(url.replace(TO, "13800000000"), suppress_exceptions=True) is None:
        raise UnusableChannel(f"channel {name}: apprise knows no address like this; see `apprise --details`")


def hush() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _notify(url: str, title: str, text: str) -> str:
    from apprise import Apprise, AppriseAsset, NotifyFormat, PersistentStoreMode  # noqa: PLC0415  # as above

    # In memory: apprise would keep what it learns of an address in files of its own.
    asset = AppriseAsset(async_mode=False, storage_mode=PersistentStoreMode.MEMORY, secure_logging=True)
    service = Apprise(asset=asset)
    if not service.add(url):
        return "address not usable"
    taken = service.notify(body=text, title=title, body_format=NotifyFormat.TEXT)
    return "" if taken else "not taken"
