"""MQTT → one thing done at once: the centre's acts, each handed on once, those that do not count counted."""

from collections.abc import Callable

from locker.domain.acts import ActOrder
from locker.domain.ids import ActId, CompartmentNumber
from locker.operations.acts import Taken
from sync import wire
from sync.edge.ports import Take, Tally


class Acts:
    """``vouched``: whether a hello of this very connection has said that the centre's history is ours.

    What a broker kept for us comes before that: it is refused, however well it is signed.
    """

    def __init__(self, take: Take, tally: Tally, vouched: Callable[[], bool]) -> None:
        self._take = take
        self._tally = tally
        self._vouched = vouched

    async def received(self, act: wire.Act, arrived_ms: int) -> Taken:
        """Obey it or not; what came of it is in the journal. Raises what ``take`` raises."""
        taken = await self._take(order_of(act), arrived_ms, doubted=not self._vouched())
        if taken is Taken.STALE:
            self._tally.repeat("act")
        if taken is not Taken.ACCEPTED:
            self._tally.drop(f"act:{taken}")
        return taken


def order_of(act: wire.Act) -> ActOrder:
    return ActOrder(
        act.aseq,
        ActId(act.cmd_id),
        act.act,
        CompartmentNumber(act.door),
        act.reason,
        act.approvers,
        act.nonce,
        act.agreed,
        act.ttl,
    )
