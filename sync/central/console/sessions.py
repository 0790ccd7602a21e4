"""Who is signed in at the console. Kept in memory: a restart signs everybody out."""

import hashlib
from dataclasses import dataclass
from typing import Final

from sync.central.guard import is_one_of
from sync.central.platform import Chance, Clock

LASTS_MS: Final = 12 * 3_600_000
SESSIONS_MAX: Final = 200
TOKEN_BYTES: Final = 32
FREE_FAILURES: Final = 5
LONGEST_WAIT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Session:
    form_key: str
    """Stands in every form: a page of somebody else cannot know it."""
    until_ms: int


class TooManyFailures(Exception):
    """Wait ``wait_s`` seconds before the next try."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"{wait_s} s")
        self.wait_s = wait_s


class Sessions:
    def __init__(self, clock: Clock, chance: Chance, password: str) -> None:
        self._clock = clock
        self._chance = chance
        self._password = password
        self._living: dict[str, Session] = {}
        self._failures = 0
        self._closed_until_ms = 0

    def sign_in(self, password: str) -> str | None:
        """The token of a new session; None for a wrong password. Raises TooManyFailures."""
        now_ms = self._clock.mono_ms()
        if now_ms < self._closed_until_ms:
            raise TooManyFailures((self._closed_until_ms - now_ms + 999) // 1000)
        if not is_one_of(password, [self._password]):
            self._failures += 1
            beyond = self._failures - FREE_FAILURES
            if beyond >= 0:
                self._closed_until_ms = now_ms + min(LONGEST_WAIT_MS, 1000 << min(beyond, 10))
            return None
        self._failures = 0
        self._forget_ended(now_ms)
        token = self._chance.random_bytes(TOKEN_BYTES).hex()
        form_key = self._chance.random_bytes(TOKEN_BYTES).hex()
        self._living[_name(token)] = Session(form_key, now_ms + LASTS_MS)
        return token

    def find(self, token: str) -> Session | None:
        session = self._living.get(_name(token))
        return session if session and session.until_ms > self._clock.mono_ms() else None

    def sign_out(self, token: str) -> None:
        self._living.pop(_name(token), None)

    def _forget_ended(self, now_ms: int) -> None:
        living = {name: session for name, session in self._living.items() if session.until_ms > now_ms}
        while len(living) >= SESSIONS_MAX:
            living.pop(next(iter(living)))
        self._living = living


def _name(token: str) -> str:
    """Looked up by digest, so that how long it takes says nothing of the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
