"""How long the centre keeps what is personal: the section ``[personal]`` of central.toml."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
DAYS: Final = range(1, 31)
UNFINISHED_DAYS: Final = range(30, 731)


@dataclass(frozen=True, slots=True)
class Personal:
    days: int = 14
    """After a case has ended, and of copies that nothing needs any more. Not beyond 30: who complains later
    says again who they are."""
    unfinished_days: int = 180
    """After the last that happened in a case that never ends here: its result went another way."""

    @property
    def kept_ms(self) -> int:
        return self.days * DAY_MS

    @property
    def unfinished_ms(self) -> int:
        return self.unfinished_days * DAY_MS

    def problems(self) -> Iterator[tuple[str, str]]:
        """Key and what is wrong with it."""
        for key, known in (("days", DAYS), ("unfinished_days", UNFINISHED_DAYS)):
            if getattr(self, key) not in known:
                yield key, f"{known.start} to {known.stop - 1}"
