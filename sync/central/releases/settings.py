"""``[releases]``: where an administrator lays down what lockers may fetch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Releases:
    folder: str = ""
    """From the configuration's folder. Empty: lockers find none here."""
