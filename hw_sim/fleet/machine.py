"""What a locker does when something happens to its connection, its hello or its window: one table.

The names in brackets are the rules of docs/wire.md. What is not in the table changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum, auto
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    OFFLINE = auto()
    DIALLING = auto()
    """TCP, CONNECT and SUBSCRIBE are under way."""
    ASKING = auto()
    """A birth was said; its hello is to come."""
    SENDING = auto()
    """A hello fitted: batches go up within the window."""
    WAITING = auto()
    """The centre said wait: its window is 0."""
    AWAY = auto()
    """The centre said that it is not there."""
    STOPPED = auto()
    """The centre's history is not ours: told, and nothing goes up."""


class Event(StrEnum):
    DIAL_DUE = auto()
    READY = auto()
    """Connected and subscribed."""
    LOST = auto()
    BIRTH_DUE = auto()
    HELLO_FITS = auto()
    HELLO_WAITS = auto()
    HELLO_DIFFERS = auto()
    CENTRE_CAME = auto()
    CENTRE_GONE = auto()
    ACK = auto()
    ACK_WAITS = auto()
    CALLED = auto()
    """An acknowledgement with a window, to one that waits: its turn has come."""
    GAP = auto()
    ACK_DUE = auto()
    GREW = auto()
    UNHEARD = auto()
    """PUBACK 0x10: nobody was subscribed."""


class Action(StrEnum):
    DIAL = auto()
    BACK_OFF = auto()
    BIRTH = auto()
    ASK_LATER = auto()
    OPEN = auto()
    """Begin where the hello says."""
    CLOSE = auto()
    GO_BACK = auto()
    PUMP = auto()
    TELL = auto()
    """Say what was found, in a link without a nonce."""
    PRESENT = auto()
    """Heartbeat and snapshot."""


S, E, A = State, Event, Action
Cell = tuple[State, tuple[Action, ...]]
CONNECTED: Final = (S.ASKING, S.SENDING, S.WAITING, S.AWAY, S.STOPPED)

TABLE: Final[Mapping[tuple[State, Event], Cell]] = MappingProxyType(
    {
        (S.OFFLINE, E.DIAL_DUE): (S.DIALLING, (A.DIAL,)),
        (S.DIALLING, E.READY): (S.ASKING, (A.BIRTH, A.PRESENT)),  # [LKR-4, LKR-10]
        (S.DIALLING, E.LOST): (S.OFFLINE, (A.BACK_OFF,)),  # [LKR-6]
        **{(state, E.LOST): (S.OFFLINE, (A.CLOSE, A.BACK_OFF)) for state in CONNECTED},
        **{(state, E.CENTRE_GONE): (S.AWAY, (A.CLOSE,)) for state in CONNECTED},  # [LKR-13]
        **{(state, E.CENTRE_CAME): (S.ASKING, (A.CLOSE, A.BIRTH)) for state in CONNECTED},  # [LKR-13]
        (S.ASKING, E.BIRTH_DUE): (S.ASKING, (A.BIRTH,)),  # [LKR-11]
        (S.WAITING, E.BIRTH_DUE): (S.WAITING, (A.BIRTH,)),  # [LKR-17]
        (S.SENDING, E.BIRTH_DUE): (S.SENDING, (A.BIRTH,)),  # a numbering that is to be judged [LKR-28]
        **{
            (state, event): cell
            for state in (S.ASKING, S.SENDING, S.WAITING)
            for event, cell in (
                (E.HELLO_FITS, (S.SENDING, (A.OPEN, A.PUMP))),  # [LKR-15, LKR-17]
                (E.HELLO_WAITS, (S.WAITING, (A.CLOSE, A.ASK_LATER))),  # [LKR-17]
                (E.HELLO_DIFFERS, (S.STOPPED, (A.CLOSE, A.TELL))),  # [LKR-16]
            )
        },
        (S.WAITING, E.CALLED): (S.SENDING, (A.OPEN, A.PUMP)),  # [LKR-17]
        (S.SENDING, E.ACK): (S.SENDING, (A.PUMP,)),
        (S.SENDING, E.ACK_WAITS): (S.SENDING, (A.ASK_LATER,)),  # [LKR-17]
        (S.SENDING, E.GAP): (S.SENDING, (A.GO_BACK, A.PUMP)),  # [LKR-22]
        (S.SENDING, E.ACK_DUE): (S.SENDING, (A.GO_BACK, A.PUMP)),  # [LKR-21]
        (S.SENDING, E.GREW): (S.SENDING, (A.PUMP,)),
        (S.SENDING, E.UNHEARD): (S.ASKING, (A.CLOSE, A.ASK_LATER)),  # [LKR-14]
    }
)
