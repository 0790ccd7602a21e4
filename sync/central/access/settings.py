"""What a city may set of sign-in: the sections ``[access]`` and ``[identity]`` of central.toml."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sync.central.access.actor import Role

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
IDLE_MINUTES: Final = range(1, 61)
LASTS_HOURS: Final = range(1, 25)
MEMORY_MIB: Final = range(19, 1025)
"""19 MiB with 2 passes is the least that OWASP's guide on storing passwords allows."""
PASSES: Final = range(2, 21)
_WORDS_OF_A_RULE: Final = "GROUP = role, role @ area, area"


@dataclass(frozen=True, slots=True)
class Access:
    """The defaults are for a console in an office: people leave their desks."""

    idle_minutes: int = 15
    lasts_hours: int = 12
    second_factor_for: tuple[str, ...] = ("administrator", "approver", "auditor", "fleet_operator")
    """Roles whose people must have a second factor; everybody may."""
    password_memory_mib: int = 64
    password_passes: int = 3
    """Both from RFC 9106's second choice, on one lane: a sign-in takes one core some 0.1 s and 64 MiB."""

    @property
    def idle_ms(self) -> int:
        return self.idle_minutes * MINUTE_MS

    @property
    def lasts_ms(self) -> int:
        return self.lasts_hours * HOUR_MS

    def second_factor_needed(self, roles: frozenset[Role]) -> bool:
        return any(role in self.second_factor_for for role in roles)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Key and what is wrong with it."""
        for key, known in (
            ("idle_minutes", IDLE_MINUTES),
            ("lasts_hours", LASTS_HOURS),
            ("password_memory_mib", MEMORY_MIB),
            ("password_passes", PASSES),
        ):
            if getattr(self, key) not in known:
                yield key, f"{known.start} to {known.stop - 1}"
        if not set(self.second_factor_for) <= set(Role):
            yield "second_factor_for", f"roles: {', '.join(Role)}"


@dataclass(frozen=True, slots=True)
class Mapped:
    """Whoever has ``group`` in the claim gets these."""

    group: str
    roles: frozenset[Role]
    areas: frozenset[str]


class BadRule(Exception):
    """A line of ``[identity] rules`` that cannot be read."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The city's own sign-in by OpenID Connect; off while ``issuer`` is empty."""

    issuer: str = ""
    """Its address; ``/.well-known/openid-configuration`` is below it."""
    client: str = ""
    secret: str = field(default="", repr=False)
    claim: str = "groups"
    """The claim of the ID token that tells the groups of a person: a text or a list of texts."""
    name_claim: str = "name"
    rules: tuple[str, ...] = ()
    """``"GROUP = role, role @ area, area"``; ``*`` for every area. The first that fits a person counts."""
    called: str = ""
    """What its button says; empty: the issuer's host."""

    def mapped(self) -> list[Mapped]:
        """Raises BadRule."""
        return [_rule(line) for line in self.rules]

    def problems(self) -> Iterator[tuple[str, str]]:
        """Key and what is wrong with it."""
        if not self.issuer:
            return
        if not self.issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            yield "issuer", "an https:// address"
        if not self.client:
            yield "client", "the name under which the hub is known there"
        if not self.rules:
            yield "rules", f"at least one {_WORDS_OF_A_RULE!r}: without one nobody may do anything"
        try:
            self.mapped()
        except BadRule as error:
            yield "rules", str(error)


def _rule(line: str) -> Mapped:
    group, equals, right = line.rpartition("=")
    names, at, areas = right.partition("@")
    roles = {name.strip() for name in names.split(",")}
    where = frozenset(area.strip() for area in areas.split(",") if area.strip())
    people = set(Role) - {Role.INTEGRATOR}
    if not equals or not at or not group.strip() or not where or not roles <= people:
        raise BadRule(f"{line!r}: {_WORDS_OF_A_RULE!r} was expected, roles {', '.join(sorted(people))}")
    return Mapped(group.strip(), frozenset(Role(role) for role in roles), where)


def first_fitting(rules: Iterable[Mapped], groups: Container[str]) -> Mapped | None:
    """One rule alone counts: two together would give the roles of each in the areas of the other."""
    return next((rule for rule in rules if rule.group in groups), None)
