"""The hub put together: the only module that constructs its parts and ends them in order."""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import uvicorn
from sqlalchemy import URL
from starlette.types import ASGIApp

from sync.central import rooms, workers
from sync.central.access import front
from sync.central.access.passwords import Hashing
from sync.central.acts.sending import Acts
from sync.central.alone import alone
from sync.central.authority.keep import keep as keep_certificates
from sync.central.authority.settings import Bureau
from sync.central.bookings.desk import keep as keep_slots
from sync.central.complaints.keep import keep as keep_complaints
from sync.central.config import BadConfig, Config, load_keys
from sync.central.custody.keeper import keep as keep_custody
from sync.central.desk import Desk
from sync.central.desks import Desks
from sync.central.figures.count import Calendar
from sync.central.figures.keep import keep as count_figures
from sync.central.fleet.neighbours import Neighbourhood
from sync.central.fleet.watch import Watch
from sync.central.forgetting.keep import keep as keep_forgetting
from sync.central.ingest import Ingest
from sync.central.intake.keep import keep as keep_owed
from sync.central.messages.keep import keep as keep_messages
from sync.central.notify import Notifier, SmsSettings, UnusableChannel
from sync.central.office import Office
from sync.central.personal.lost import keep as keep_lost
from sync.central.platform import WRITERS, Platform, Threads
from sync.central.pump import Pump
from sync.central.rotation.telling import keep as keep_keys
from sync.central.shards import Shards
from sync.central.store import Store
from sync.central.switchboard import Switchboard, link_settings
from sync.central.webhooks.deliver import Courier
from sync.central.workdays.book import keep as keep_workdays
from sync.link.link import Link
from sync.link.settings import LinkPort, Subscription, TlsFiles

log = logging.getLogger(__name__)

RENEWED_EVERY_MS: Final = 3_600_000
LAST_REQUESTS_S: Final = 5
REMINDED_EVERY_MS: Final = 2_000
POSTING: Final = 4
"""Messages under way by channels that block."""
LANES: Final = 2
"""On PostgreSQL: while it works for one transaction, the next is prepared."""


@dataclass(frozen=True, slots=True)
class Hub:
    """One hub around its open store, built and not yet running."""

    switchboard: Switchboard
    pump: Pump
    notifier: Notifier
    ingest: Ingest
    office: Office
    acts: Acts


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. Raises BadConfig, AlreadyServed, OSError, and whatever broke a part."""
    # Until there is something to wear anew: a reload that comes early must not end us.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    platform = _platform(config)
    desk = _desk(config, platform)
    several = config.workers.shards > 1
    with (
        socket.create_server((config.web.host, config.web.port)) as address,
        alone(config) as shards,
        contextlib.closing(Store.open(config.database, platform.threads)) as store,
        ThreadPoolExecutor(1, "hub-hash") as hashing,
        ThreadPoolExecutor(POSTING, "hub-post") as posting,
    ):
        async with httpx.AsyncClient(trust_env=False) as client:
            # One of several hears by the links of its shards; this one speaks.
            link = _make_link(config, desk, *(("desk", ()) if several else ("", None)))
            hub = build(config, desk, store, link, client, posting)
            means = front.Means(store, desk, hashing, client)
            await _serve(config, hub, link, address, means, shards if several else None)


async def work(config: Config) -> None:
    """Hear a part of the lockers until SIGTERM or SIGINT, beside the process that serves.

    Raises BadConfig, OSError, and whatever broke a part.
    """
    url, count = config.database, config.workers.shards
    if not isinstance(url, URL) or count == 1:
        raise BadConfig("one process is all there is for this database: see [workers] shards in docs/hub.md")
    platform = _platform(config)
    desk = _desk(config, platform)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with contextlib.closing(Store.open(url, platform.threads)) as store, Shards(url, count) as shards:
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(workers.run(_means(config, desk, store, lambda: None), shards)),
                group.create_task(keep_workdays(store, desk)),
            ]
            await ended.wait()
            for part in parts:
                part.cancel()


def _means(config: Config, desk: Desk, store: Store, released: Callable[[], None]) -> workers.Means:
    return workers.Means(store, desk, partial(_make_link, config, desk), LANES, released)


def _desk(config: Config, platform: Platform) -> Desk:
    keys, offset = load_keys(config.keys), config.hub.utc_offset_minutes
    return Desk(keys, platform.clock, platform.chance, utc_offset_minutes=offset)


def _platform(config: Config) -> Platform:
    if isinstance(config.database, URL):
        return Platform(threads=Threads.real(WRITERS))
    return Platform()


def build(
    config: Config,
    desk: Desk,
    store: Store,
    link: LinkPort,
    client: httpx.AsyncClient,
    posting: Executor | None = None,
) -> Hub:
    """Every part of a hub that is not its pages. ``posting``: for channels that block. Raises BadConfig."""
    switchboard = Switchboard(link, desk, LANES if isinstance(config.database, URL) else 1)
    pump = Pump(store, desk, switchboard.say)
    site = config.web.url.rstrip("/")
    ways = SmsSettings(config.sms.url, config.hub.utc_offset_minutes, config.channels, config.messages, site)
    try:
        notifier = Notifier(store, desk, client, ways, posting)
    except UnusableChannel as error:
        raise BadConfig(str(error)) from error
    ingest = Ingest(store, desk, switchboard.say, pump, notifier.wake)
    return Hub(
        switchboard, pump, notifier, ingest, Office(store, desk, pump), Acts(store, desk, switchboard.say)
    )


async def _serve(
    config: Config,
    hub: Hub,
    link: Link,
    address: socket.socket,
    means: front.Means,
    shards: Shards | None,
) -> None:
    entrance = front.build(
        means, config.access, Hashing.of(config.access), config.web.api_keys, config.url, config.identity
    )
    watch = Watch(means.store, means.desk.clock)

    def health() -> tuple[bool, dict[str, int]]:
        return link.connected, dict(hub.ingest.dropped)

    bureau = Bureau.of(config.authority, config.folder, config.url, config.broker.host)
    offered = config.folder / config.releases.folder if config.releases.folder else None
    desks = Desks(hub.office, hub.acts, entrance, means, watch, health, config.webhooks, bureau, offered)
    app = rooms.application(desks, config.url, config.hub.utc_offset_minutes)
    server = uvicorn.Server(pages_by(app, config))
    # uvicorn takes the signals while it serves and raises them once more at its end: ours only stop it.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    # Its link to the broker reads its own certificate at each connection.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, wear_anew, server.config)

    calendar = Calendar(config.hub.utc_offset_minutes)
    assert means.client is not None  # noqa: S101  # `serve` gives one
    courier = Courier(means.store, means.desk, means.client, config.webhooks)

    async def pages() -> None:
        log.info("console and API at %s", config.url)
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(front.keep(means, config.access)),
                group.create_task(count_figures(means.store, means.desk.clock, calendar)),
                group.create_task(keep_complaints(means.store, means.desk)),
                group.create_task(keep_certificates(means.store, means.desk)),
                group.create_task(keep_keys(means.store, means.desk, hub.pump.wake)),
                group.create_task(keep_custody(means.store, means.desk.clock)),
                group.create_task(keep_owed(means.store, means.desk)),
                group.create_task(keep_messages(means.store, means.desk)),
                group.create_task(keep_lost(means.store, means.desk, hub.pump.wake)),
                group.create_task(keep_slots(hub.office)),
                group.create_task(keep_workdays(means.store, means.desk)),
                group.create_task(Neighbourhood(means.store, means.desk.clock, watch).keep(hub.pump.wake)),
                group.create_task(keep_forgetting(means.store, means.desk.clock, config.personal)),
                group.create_task(courier.run()),
            ]
            if shards:
                others = _means(config, means.desk, means.store, hub.notifier.wake)
                beside.append(group.create_task(workers.run(others, shards)))
                beside.append(group.create_task(_remind(hub.notifier, means.desk)))
            await server.serve([address])
            for part in beside:
                part.cancel()

    await run(hub, pages)


def pages_by(app: ASGIApp, config: Config) -> uvicorn.Config:
    """How the application is served."""
    web = config.web
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=LAST_REQUESTS_S,
        ssl_certfile=config.folder / web.certificate if web.certificate else None,
        ssl_keyfile=config.folder / web.key if web.key else None,
        proxy_headers=bool(web.proxies),
        forwarded_allow_ips=list(web.proxies),
    )


def wear_anew(served: uvicorn.Config) -> None:
    """The certificate as its files are now, for handshakes from now on. What does not fit changes nothing."""
    if not served.ssl_certfile or not served.loaded or served.ssl is None:
        return
    pair = (served.ssl_certfile, served.ssl_keyfile)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair)
        served.ssl.load_cert_chain(*pair)
    except OSError as error:
        log.warning("%s: not worn, the one before goes on: %s", served.ssl_certfile, error)
        return
    log.info("%s is worn from here on", served.ssl_certfile)


async def run(hub: Hub, pages: Callable[[], Awaitable[None]]) -> None:
    """Every part, until ``pages`` returns. Raises whatever broke a part."""
    try:
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(hub.switchboard.run(hub.ingest)),
                group.create_task(hub.ingest.run()),
                group.create_task(hub.pump.run()),
                group.create_task(hub.notifier.run()),
                group.create_task(hub.acts.run()),
                group.create_task(_renew(hub.office)),
            ]
            await pages()
            for part in parts:
                part.cancel()
    finally:
        hub.ingest.close()
        await hub.switchboard.close()


async def _remind(notifier: Notifier, desk: Desk) -> None:
    """Of messages that became due by what another process heard."""
    while True:
        await desk.clock.sleep_until(desk.clock.mono_ms() + REMINDED_EVERY_MS)
        notifier.wake()


async def _renew(office: Office) -> None:
    clock = office.desk.clock
    while True:
        await office.renew_staff()
        await clock.sleep_until(clock.mono_ms() + RENEWED_EVERY_MS)


def _make_link(config: Config, desk: Desk, name: str, topics: tuple[Subscription, ...] | None) -> Link:
    broker = config.broker
    own = f"{broker.user}-{name}" if name else broker.user
    files = (Path(each.replace("{name}", own)) for each in (broker.ca, broker.certificate, broker.key))
    tls = TlsFiles(*files) if broker.ca else None
    where = (broker.host, broker.port, broker.user, broker.password, tls)
    return Link(link_settings(*where, name=name, subscriptions=topics), desk.clock, desk.chance.draw)
