"""A broker and the network around it, in memory: MQTT 5 as far as the contract uses it, and its bad days.

Whoever is connected is a `WorldLink`, which behaves as `sync.link.link.Link` does towards its owner; what is
replaced is the delivery alone. https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Final

from sync.link.settings import NO_SUBSCRIBERS, LinkSettings, Message, Words
from tests.world import times

if TYPE_CHECKING:
    from tests.world.link import WorldLink

KEEPALIVE_FACTOR: Final = 1.5
QUEUED_MAX: Final = 10_000
HEARD_MAX: Final = 1_500
SUCCESS: Final = 0


@dataclass(slots=True)
class Weather:
    """How the network is; chances are per message."""

    latency_s: float = 0.03
    jitter_s: float = 0.02
    loss: float = 0.0
    """Of messages with QoS 0; those with QoS 1 come again."""
    twice: float = 0.0
    late: float = 0.0
    late_s: float = 20.0
    """Overtaken by what was said later."""
    spoilt: float = 0.0
    """Something else altered a byte of it: TLS would not let it through, a hostile broker would."""


@dataclass(frozen=True, slots=True)
class Parcel:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    expires_s: float


@dataclass(slots=True)
class Session:
    """What the broker keeps of one client, connected or not."""

    settings: LinkSettings
    link: "WorldLink | None" = None
    will: Words | None = None
    connection: int = 0
    waiting: deque[Parcel] = field(default_factory=deque)
    flying: dict[int, Parcel] = field(default_factory=dict)
    """Sent with QoS 1 and not acknowledged."""
    ends: asyncio.TimerHandle | None = None
    will_due: asyncio.TimerHandle | None = None


class Broker:
    """One mosquitto for all. ``traffic`` is told of every message it takes, for whoever searches it."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.up = True
        self.weather = Weather()
        self.cut_off: dict[str, set[str]] = {}
        """Clients from and to whom nothing passes, and nobody is told; and what all keeps it from passing."""
        self.barred: set[str] = set()
        """Clients who cannot connect anew, as when a certificate has run out."""
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, Parcel] = {}
        self.heard: deque[Parcel] = deque(maxlen=HEARD_MAX)
        """Kept for whoever replays old messages."""
        self.carried = 0
        self._mids = itertools.count(1)
        self._connections = itertools.count(1)

    # --- what links do -------------------------------------------------------------------------------------

    def reachable(self, client: str) -> bool:
        return self.up and not self.cut_off.get(client)

    def connect(self, link: "WorldLink", will: Words | None) -> tuple[int, bool]:
        """Connection number, and whether a session was there."""
        settings = link.settings
        session = self.sessions.get(settings.client_id)
        present = session is not None
        if session is None:
            session = self.sessions[settings.client_id] = Session(settings)
        elif session.link is not None and session.link is not link:
            session.link.lost("another connection with this name")
        for timer in (session.ends, session.will_due):
            if timer is not None:
                timer.cancel()
        session.link, session.will, session.connection = link, will, next(self._connections)
        again = [*session.flying.values(), *session.waiting]
        session.flying.clear()
        session.waiting.clear()
        # Whoever subscribes anew hears what is retained, also in a session that goes on.
        for parcel in (*again, *(kept for kept in self._kept() if _fits(settings, kept.topic))):
            self._give(session, parcel)
        return session.connection, present

    def gone(self, client: str, *, orderly: bool, link: "WorldLink | None" = None) -> None:
        """A connection ended: whichever there was, or that of ``link`` if it is still the one."""
        session = self.sessions.get(client)
        if session is None or session.link is None or link not in {None, session.link}:
            return
        session.link = None
        now_s = asyncio.get_running_loop().time()
        expiry_s = session.settings.session_expiry_s
        session.ends = times.at(now_s + expiry_s, lambda: self.sessions.pop(client, None))
        if session.will is not None and not orderly:
            will, delay_s = session.will, min(session.settings.will_delay_s, expiry_s)
            session.will_due = times.at(now_s + delay_s, lambda: self._say_will(will))
        session.will = None

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None) -> int:
        """The reason code."""
        self.carried += 1
        now_s = asyncio.get_running_loop().time()
        parcel = Parcel(topic, payload, qos, retain, float("inf") if expiry_s is None else now_s + expiry_s)
        self.heard.append(parcel)
        if retain:
            self.retained[topic] = parcel
        found, given = False, replace(parcel, retain=False) if retain else parcel
        for session in tuple(self.sessions.values()):
            if _fits(session.settings, topic):
                found = True
                self._give(session, given)
        return SUCCESS if found else NO_SUBSCRIBERS

    def acknowledged(self, client: str, mid: int) -> None:
        session = self.sessions.get(client)
        if session is not None:
            session.flying.pop(mid, None)

    # --- its bad days --------------------------------------------------------------------------------------

    def restart(self, *, forgets: bool) -> None:
        """All connections end; ``forgets``: sessions and retained messages are gone with it."""
        for client, session in tuple(self.sessions.items()):
            if session.link is not None:
                link = session.link
                self.gone(client, orderly=False)
                link.lost("the broker was restarted")
        if forgets:
            for session in self.sessions.values():
                for timer in (session.ends, session.will_due):
                    if timer is not None:
                        timer.cancel()
            self.sessions.clear()
            self.retained.clear()

    def cut(self, client: str, why: str = "network") -> None:
        """From now on nothing passes; each side notices when its keepalive is over."""
        self.cut_off.setdefault(client, set()).add(why)
        session = self.sessions.get(client)
        if session is None or session.link is None:
            return
        link, connection = session.link, session.connection
        notice_s = asyncio.get_running_loop().time() + KEEPALIVE_FACTOR * session.settings.keepalive_s

        def notice() -> None:
            if self.cut_off.get(client) and session.connection == connection and session.link is link:
                self.gone(client, orderly=False)
                link.lost("no answer")

        times.at(notice_s, notice)

    def mend(self, client: str, why: str = "network") -> None:
        self.cut_off.get(client, set()).discard(why)

    def replay(self, parcel: Parcel) -> None:
        """Say something once more that was said before."""
        self.publish(parcel.topic, parcel.payload, qos=parcel.qos, retain=False, expiry_s=None)

    # -------------------------------------------------------------------------------------------------------

    def _say_will(self, will: Words) -> None:
        self.publish(will.topic, will.payload, qos=will.qos, retain=will.retain, expiry_s=None)

    def _kept(self) -> Iterator[Parcel]:
        now_s = asyncio.get_running_loop().time()
        return (parcel for parcel in self.retained.values() if parcel.payload and parcel.expires_s > now_s)

    def _give(self, session: Session, parcel: Parcel) -> None:
        link = session.link
        if link is None:
            if parcel.qos and len(session.waiting) < QUEUED_MAX:
                session.waiting.append(parcel)
            return
        mid = 0
        if parcel.qos:
            mid = next(self._mids)
            session.flying[mid] = parcel
        message = Message(parcel.topic, parcel.payload, parcel.qos, parcel.retain, mid, session.connection)
        weather, rng = self.weather, self.rng
        if not parcel.qos and weather.loss and rng.random() < weather.loss:
            return
        if weather.spoilt and parcel.payload and rng.random() < weather.spoilt:
            message = replace(message, payload=_spoilt(parcel.payload, rng))
        link.carry(message, late_s=weather.late_s if weather.late and rng.random() < weather.late else 0.0)
        if weather.twice and rng.random() < weather.twice:
            link.carry(message, late_s=rng.random())

    def passes(self, client: str, connection: int, parcel_expires_s: float = float("inf")) -> bool:
        session = self.sessions.get(client)
        return (
            self.reachable(client)
            and session is not None
            and session.connection == connection
            and parcel_expires_s > asyncio.get_running_loop().time()
        )


def _fits(settings: LinkSettings, topic: str) -> bool:
    return any(_matches(subscription.filter, topic) for subscription in settings.subscriptions)


@cache
def _matches(pattern: str, topic: str) -> bool:
    want, have = pattern.split("/"), topic.split("/")
    for n, part in enumerate(want):
        if part == "#":
            return True
        if n >= len(have) or part not in {"+", have[n]}:
            return False
    return len(want) == len(have)


def _spoilt(payload: bytes, rng: Random) -> bytes:
    octets = bytearray(payload)
    octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    return bytes(octets)
