"""Mistakes at the locker's end of the link."""

from collections.abc import Iterator
from typing import Any

from locker.domain.directives import Directive
from locker.domain.events import DirectiveApplied, DownLogStarted
from locker.domain.ids import Epoch
from locker.operations import directives
from locker.operations.directives import APPLIED, _outcome
from locker.operations.ports import Decided, World
from sync import wire
from sync.edge import directives as edge_directives
from sync.edge import edge
from sync.edge.downlog import Placed, Placing
from sync.edge.hello import Outcome, judge
from sync.edge.window import Window
from tests.world.mutants.mutant import mutant, replaced, table


@mutant({13, 15, 24, 29}, "visits")
def edge_believes_one_more() -> Iterator[None]:
    """An acknowledgement is taken for the first entry that is still to be sent."""
    honest = Window.acknowledged

    def one_more(self: Window, stored_to: int, batches: int, now_ms: int) -> None:
        honest(self, stored_to + 1, batches, now_ms)

    with replaced(Window, "acknowledged", one_more):
        yield


@mutant({15, 24, 29}, "bad network")
def nobody_asks_again() -> Iterator[None]:
    """A batch that is not acknowledged is forgotten: the broker promised to deliver it."""

    def forget(self: Window, now_ms: int) -> bool:
        if self.due_ms is not None and now_ms >= self.due_ms:
            self.due_ms = None
        return False

    with replaced(Window, "expire", forget):
        yield


@mutant({9, 15, 28, 29}, "replayed directives")
def directives_are_taken_as_they_come() -> Iterator[None]:
    """Whatever the centre signed is done, however often and in whatever order it comes."""

    async def apply(world: World, directive: Directive, dn_epoch: Epoch, dn_hash: str) -> bool:
        def decide(state: Any) -> Decided[bool]:
            started = () if state.down.epoch == dn_epoch else (DownLogStarted(dn_epoch),)
            says = () if directive.says is None else (directive.says,)
            applied = DirectiveApplied(dn_epoch, directive.seq, dn_hash, "applied")
            return Decided(True, (*started, *says, applied))

        return await world.journal.commit("centre", decide)

    with (
        replaced(directives, "apply", apply),
        replaced(edge_directives, "place", lambda *_: Placed(Placing.NEXT)),
    ):
        yield


@mutant({13, 15, 23, 28, 29}, "directives on a slow disk")
def cursor_moves_before_the_fact() -> Iterator[None]:
    """First it is noted that a directive was applied, then it is applied: two transactions."""

    async def apply(world: World, directive: Directive, dn_epoch: Epoch, dn_hash: str) -> bool:
        outcomes: list[str] = []

        def moved(state: Any) -> Decided[bool]:
            started = () if state.down.epoch == dn_epoch else (DownLogStarted(dn_epoch),)
            if directive.seq != (1 if started else state.down.seq + 1):
                return Decided(answer=False)
            outcomes.append(_outcome(state, directive) or APPLIED)
            applied = DirectiveApplied(dn_epoch, directive.seq, dn_hash, outcomes[0])
            return Decided(True, (*started, applied))

        if not await world.journal.commit("centre", moved):
            return False
        says = directive.says
        if outcomes[0] == APPLIED and says is not None:
            await world.journal.commit("centre", lambda _state: Decided(None, (says,)))
        return True

    with replaced(directives, "apply", apply):
        yield


@mutant({14}, "old card")
def fork_is_followed() -> Iterator[None]:
    """Where the centre knows another history, ours is right: it is simply sent."""
    honest = judge

    def sure(hello: wire.Hello, facts: Any) -> Outcome:
        outcome = honest(hello, facts)
        return outcome if outcome in {Outcome.STALE, Outcome.SUPERSEDED} else Outcome.FOLLOW

    with replaced(edge, "judge", sure):
        yield


MUTANTS = table(globals())
