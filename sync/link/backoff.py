"""How long to wait before the next attempt: pure, so that virtual time can drive it."""

from sync.link.settings import Draw

_DOUBLINGS_MAX = 20


class BackOff:
    """random(0, min(max, 2ⁿ)) s; after the loss of a good connection random(0, first) s.

    A connection that was accepted and then ended before it was stable counts as a failed attempt: a broker
    that kicks must not be hammered.
    """

    def __init__(self, first_s: int, max_s: int, stable_s: int, draw: Draw) -> None:
        self._first_ms = first_s * 1000
        self._max_ms = max_s * 1000
        self._stable_ms = stable_s * 1000
        self._draw = draw
        self._failures = 0

    def delay_ms(self, lasted_ms: int | None) -> int:
        """The wait after a connection that was good for ``lasted_ms``; None: it never became good."""
        if lasted_ms is not None and lasted_ms >= self._stable_ms:
            self._failures = 0
            return self._draw(self._first_ms + 1)
        self._failures += 1
        return self._draw(min(self._max_ms, 1000 * 2 ** min(self._failures, _DOUBLINGS_MAX)) + 1)
