"""What a city sets of its messages: ``[[channels]]`` or ``[channels.NAME]``, and ``[messages]``."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

HOURS: Final = range(25)
TO: Final = "{to}"


class Kind(StrEnum):
    HTTP = "http"
    """A gateway that takes JSON by POST: template, language and variables; it has the words itself."""
    APPRISE = "apprise"
    """Any service that the library apprise knows: it gets the finished text."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to people. With an ``order`` each: what the first does not take goes to the next."""

    name: str = ""
    kind: str = Kind.HTTP.value
    url: str = field(default="", repr=False)
    """Of apprise with ``{to}`` where the number belongs: ``sns://ID/KEY/REGION/{to}``."""
    templates: tuple[str, ...] = ()
    """Which messages may go this way; empty: all."""
    order: int = 10

    def serves(self, template: str) -> bool:
        return not self.templates or template in self.templates

    def problems(self, known: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Key and what is wrong with it. ``known``: the templates there are."""
        if self.kind not in set(Kind):
            yield "kind", f"one of {', '.join(Kind)}"
        if self.kind == Kind.HTTP and not self.url.startswith(("http://", "https://")):
            yield "url", "an http:// or https:// address"
        if self.kind == Kind.APPRISE and TO not in self.url:
            yield "url", f"an address of apprise with {TO} where the number belongs"
        if foreign := sorted(set(self.templates) - known):
            yield "templates", f"no message is called {foreign[0]}; there are {', '.join(sorted(known))}"


@dataclass(frozen=True, slots=True)
class Messages:
    """Local hours in which nobody is disturbed; the same hour twice: none."""

    quiet_from: int = 22
    quiet_to: int = 7

    def problems(self) -> Iterator[tuple[str, str]]:
        """Key and what is wrong with it."""
        for key in ("quiet_from", "quiet_to"):
            if getattr(self, key) not in HOURS:
                yield key, f"an hour, {HOURS.start} to {HOURS.stop - 1}"
