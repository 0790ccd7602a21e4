"""What a fleet has to say after an outage: whole visits, as lockers write them, in the frames they come in.

The hub knows the cases and results that the visits are about, as it would.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from locker.domain import directives
from locker.domain import events as ev
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.encoding import canonical
from locker.domain.ids import CompartmentNumber, Epoch, LockerId, Seq
from locker.platform import Keys
from sync import seal, wire
from sync.central import lockers
from sync.central.desk import Desk
from sync.central.platform import Chance
from sync.central.tables import AUTHORISATION, OUTGOING_ITEM
from tests.bench.locker.past import DOORS, FOREVER_MS, Past
from tests.sync.central.fake_locker import FakeLocker, name_of

Message = tuple[str, bytes]
BATCH: Final = wire.BATCH_ENTRIES_MAX


@dataclass(frozen=True, slots=True)
class Backlog:
    lockers: Sequence[FakeLocker]
    messages: Sequence[Message]
    """As a broker hands them out: every locker's next batch, again and again."""
    entries: int


def backlog(desk: Desk, connection: Connection, count: int, entries: int) -> Backlog:
    """Of ``count`` lockers, enrolled here, with about so many entries each."""
    made = [_locker(desk, connection, number, entries) for number in range(count)]
    queues = [_frames(locker) for locker in made]
    messages: list[Message] = []
    while queues:
        for queue in list(queues):
            message = next(queue, None)
            if message is None:
                queues.remove(queue)
            else:
                messages.append(message)
    return Backlog(made, messages, sum(locker.head for locker in made))


def _locker(desk: Desk, connection: Connection, number: int, entries: int) -> FakeLocker:
    name = f"hall-{number}"
    key = seal.SigningKey.from_seed(f"{number:032d}".encode())
    locker = FakeLocker(name, name_of(name), key=key)
    centre = lockers.enrol(connection, desk, name, "north", locker.public)
    keys = Keys(key, bytes.fromhex(centre["code_key"]), {}, desk.keys.seal.public)
    past = Past(keys, Chance())  # type: ignore[arg-type]  # all it wants of a platform are random bytes
    locker.add(ev.EpochStarted(Epoch(locker.epoch), LockerId(name)), _cabinet(), *past.helper())
    facts: list[ev.Event] = []
    while locker.head + len(facts) < entries:
        visit = number * entries + len(facts)
        facts += past.submission(visit) if len(facts) % 2 else past.outgoing(visit)
    locker.add(*facts)
    connection.execute(AUTHORISATION.insert(), [_right(desk, name, e) for e in facts if _is_right(e)])
    connection.execute(OUTGOING_ITEM.insert(), [_item(desk, name, e) for e in facts if _is_item(e)])
    return locker


def _cabinet() -> ev.CompartmentsConfigured:
    return ev.CompartmentsConfigured(
        tuple(
            CompartmentSpec(CompartmentNumber(n), "A", Size.S, Reach.MIDDLE, 1, n, item_sensor=True)
            for n in range(1, DOORS + 1)
        )
    )


def _frames(locker: FakeLocker) -> Iterator[Message]:
    topic = wire.up(locker.locker, wire.Name.LOG).topic
    first = 1
    while first <= locker.head:
        size, last = 0, first
        for entry in locker.entries[first - 1 : first - 1 + BATCH]:
            size += len(entry.public.encode()) + len(entry.personal.encode())
            if size > wire.BATCH_BYTES_MAX:
                break
            last = int(entry.seq)
        yield topic, locker.frame(locker.batch(first, last))
        first = last + 1


def _is_right(event: ev.Event) -> bool:
    return isinstance(event, ev.AuthorisationGranted)


def _is_item(event: ev.Event) -> bool:
    return isinstance(event, ev.ItemAnnounced)


def _right(desk: Desk, locker: str, e: Any) -> dict[str, Any]:
    return {
        "authorisation": e.authorisation, "case_number": e.case, "service_item": e.service_item, "size": "S",
        "locker": locker, "sealed": desk.sealed({"phone": "13812345678", "typed": "1", "token": "t"}),
        "directive": directives.write(Seq(1), e), "valid_until_ms": FOREVER_MS,
    }  # fmt: skip


def _item(desk: Desk, locker: str, e: Any) -> dict[str, Any]:
    return {
        "item": e.item, "case_number": e.case, "service_item": e.service_item, "size": "S", "locker": locker,
        "sealed": desk.sealed({"phone": "13812345678", "token": "t"}), "directive": canonical({}),
        "valid_until_ms": FOREVER_MS,
    }  # fmt: skip
