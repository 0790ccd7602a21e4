"""Who publishes what where, and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sync.wire.errors import BadTopic

VERSION: Final = 1
ROOT: Final = f"doclocker/v{VERSION}"
LOCKER_PATTERN: Final = re.compile(r"[a-z0-9-]{1,32}")


class Way(StrEnum):
    UP = "up"
    DOWN = "dn"


class Name(StrEnum):
    LINK = "link"
    LOG = "log"
    STATE = "state"
    ACK = "ack"
    TELE = "tele"
    HELLO = "hello"
    ACT = "act"
    KEYS = "keys"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a topic is published."""

    qos: int
    retain: bool = False
    expiry_s: int | None = None


DELIVERIES: Final[Mapping[tuple[Way, Name], Delivery]] = MappingProxyType(
    {
        # Only what is true until further notice is retained: a retained ack would lie, a retained act fire.
        (Way.UP, Name.LINK): Delivery(1, retain=True),
        (Way.UP, Name.LOG): Delivery(1, expiry_s=600),
        (Way.UP, Name.STATE): Delivery(1, retain=True),
        (Way.UP, Name.ACK): Delivery(1, expiry_s=600),
        (Way.UP, Name.TELE): Delivery(0, expiry_s=120),
        (Way.DOWN, Name.HELLO): Delivery(1, expiry_s=60),
        (Way.DOWN, Name.LOG): Delivery(1, expiry_s=600),
        (Way.DOWN, Name.ACT): Delivery(1, expiry_s=120),
        (Way.DOWN, Name.ACK): Delivery(1, expiry_s=600),
        (Way.DOWN, Name.KEYS): Delivery(1, expiry_s=60),
    }
)
CENTRAL_LINK: Final = f"{ROOT}/_central/link"
CENTRAL_LINK_DELIVERY: Final = Delivery(1, retain=True)


@dataclass(frozen=True, slots=True)
class Address:
    """Whose topic it is."""

    locker: str
    way: Way
    name: Name

    @property
    def topic(self) -> str:
        return f"{ROOT}/{self.locker}/{self.way}/{self.name}"

    @property
    def delivery(self) -> Delivery:
        return DELIVERIES[self.way, self.name]


def up(locker: str, name: Name) -> Address:
    return _address(locker, Way.UP, name)


def down(locker: str, name: Name) -> Address:
    return _address(locker, Way.DOWN, name)


def parse_topic(topic: str) -> Address:
    """Whose topic it is. Raises BadTopic."""
    parts = topic.split("/")
    try:
        *root, locker, way, name = parts
        if "/".join(root) != ROOT:
            raise BadTopic("topic", topic)
        return _address(locker, Way(way), Name(name))
    except ValueError as error:
        raise BadTopic("topic", topic) from error


def every_locker(name: Name) -> str:
    """The filter by which the centre hears one topic of all lockers."""
    return f"{ROOT}/+/{Way.UP}/{name}"


def everything_up(locker: str) -> str:
    """The filter by which the centre hears one locker."""
    return f"{ROOT}/{locker}/{Way.UP}/#"


def everything_down(locker: str) -> str:
    """The filter by which a locker hears the centre."""
    return f"{ROOT}/{locker}/{Way.DOWN}/#"


def _address(locker: str, way: Way, name: Name) -> Address:
    if not LOCKER_PATTERN.fullmatch(locker) or (way, name) not in DELIVERIES:
        raise BadTopic("topic", f"{locker}/{way}/{name}")
    return Address(locker, way, name)
