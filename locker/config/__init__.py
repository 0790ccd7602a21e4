"""locker.toml → frozen dataclasses. What does not fit is refused at start, with file, line and remedy."""

from locker.config.config import LOCKER_ID, Config, load, load_text
from locker.config.errors import ConfigError
from locker.config.sections import KioskSection, LockerSection, MqttSection

__all__ = [
    "LOCKER_ID",
    "Config",
    "ConfigError",
    "KioskSection",
    "LockerSection",
    "MqttSection",
    "load",
    "load_text",
]
