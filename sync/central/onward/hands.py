"""In whose hands an item is decides where its way stands: custody is told, the way follows.

Pure. What a desk says of an item moves the hands first; what a slip or a locker tells moves them as well.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sync.central.custody.parties import Kind
from sync.central.onward.ways import Signal, State

FOLLOWS: Final[Mapping[Kind, Mapping[State, State]]] = MappingProxyType(
    {
        Kind.WINDOW: MappingProxyType(
            {each: State.AT_WINDOW for each in State if each not in {State.TO_POST, State.CAME_BACK}}
        ),
        Kind.RECIPIENT: MappingProxyType(dict.fromkeys(State, State.HANDED_OUT)),
        Kind.LOST: MappingProxyType(dict.fromkeys(State, State.LOST)),
        # What was chosen while it lay in one stands.
        Kind.LOCKER: MappingProxyType({}),
        Kind.COURIER: MappingProxyType(dict.fromkeys((State.AT_WINDOW, State.NOWHERE), State.TO_POST)),
        Kind.HELPER: MappingProxyType({}),
        Kind.DEPARTMENT: MappingProxyType({}),
    }
)
"""Where the way stands once these hands have it; what is not named here stays as it was."""
GIVES: Final[Mapping[Signal, Kind]] = MappingProxyType(
    {
        Signal.RECEIVE: Kind.WINDOW,
        Signal.COME_BACK: Kind.WINDOW,
        Signal.HAND_OUT: Kind.RECIPIENT,
        Signal.DELIVER: Kind.RECIPIENT,
        Signal.POST: Kind.COURIER,
        Signal.LOSE: Kind.LOST,
    }
)
"""Into whose hands a desk's step gives it; the others are intentions."""
HELD_BY: Final[Mapping[State, frozenset[Kind]]] = MappingProxyType(
    {
        State.AT_WINDOW: frozenset({Kind.WINDOW}),
        State.CAME_BACK: frozenset({Kind.WINDOW}),
        State.HANDED_OUT: frozenset({Kind.RECIPIENT}),
        State.DELIVERED: frozenset({Kind.RECIPIENT}),
        State.POSTED: frozenset({Kind.COURIER}),
        State.LOST: frozenset({Kind.LOST}),
    }
)
"""What may be said of an item only while these have it. Anything else is a contradiction."""


def follow(state: State, holder: Kind) -> State:
    """Where the way of an item stands that came into these hands."""
    after = FOLLOWS[holder].get(state)
    if after is not None:
        return after if holder not in HELD_BY.get(state, ()) else state
    fits = state not in HELD_BY or holder in HELD_BY[state]
    return state if fits else State.NOWHERE
