"""The reconnect is one exchange: a locker says how far it is, the centre says how far *it* is.

Which history is the longer, and whether the two still agree, is found out here; nothing is ever closed over.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row

from sync import wire
from sync.central import directives, histories, ledger, store
from sync.central.alarms import Trouble, raise_alarm
from sync.central.desk import Desk, locker_row
from sync.central.tables import LEDGER, LOCKER, STREAM

WINDOW: Final = 2
"""Batches under way beyond what is acknowledged. More would only queue in the broker."""

TOLD: Final[Mapping[str, tuple[str, str]]] = {
    "lost_rows": ("lost_rows", "beyond its own; an old card, or rows lost"),
    "forked": ("fork", "not its own; an old card that went on, a cloned card, or tampering"),
    "hole": ("hole", "what follows it is purged there; this ledger came back from too old a copy"),
    "superseded": ("fork", "of a later epoch than its own: two cards, or the one that was away came back"),
}
"""What a locker found when it compared our hello with its journal, and says in its link's ``reason``."""


def meet(
    connection: Connection, desk: Desk, locker: Row[Any], link: wire.Link, now_ms: int
) -> wire.Hello | None:
    """Take down what a link message says; the answer to a birth, None to anything else.

    ``locker``: its row as it is now; nobody else may change it meanwhile (`ledger.lock`).
    """
    streams = ledger.streams(connection, link.locker)
    known = next((each for each in streams if each.epoch == link.epoch), None)
    if known is not None and known is not streams[-1]:
        # It has begun a later epoch since: another card, or a message that comes very late.
        return _of_the_later(connection, desk, locker, link, known, streams[-1], now_ms)
    latest = _take_down(connection, locker, link, now_ms)
    if not link.online:
        trouble = _up_trouble(connection, link, known.stored_to, known.hash) if known is not None else None
        if trouble:
            _mark(connection, link, trouble, now_ms)
        return None
    new_disk = bool(streams) and known is None
    if known is not None:
        stored_to, head = known.stored_to, known.hash
    else:
        ordinal = streams[-1].ordinal + 1 if streams else 1
        stored_to, head = ledger.begin_stream(connection, link.locker, link.epoch, ordinal, now_ms)
    if link.reason == wire.JOURNAL_FAILING:
        detail = "it can record nothing more and opens no door: free or replace its disk"
        raise_alarm(
            connection, link.locker, Trouble(link.reason, f"{link.epoch}/{link.boot}", detail), now_ms
        )
    trouble = _told(link, stored_to)
    if trouble:
        _disown(connection, link, stored_to)
    else:
        is_news = latest and _is_news(locker, link)
        trouble = _up_trouble(connection, link, stored_to, head, is_news=is_news)
    if trouble:
        _mark(connection, link, trouble, now_ms)
    if not link.nonce:
        return None
    # One that the broker kept from before says of the down-log, too, how it was then.
    is_of_now = latest and (_is_news(locker, link) or link.head >= locker.head)
    if is_of_now and _compare_down(connection, desk, locker, link, new_disk=new_disk, now_ms=now_ms):
        locker = locker_row(connection, link.locker)
    # A birth from before the latest came late, or an old card counts its boots anew and has gone further than
    # we know: only who awaits this nonce can tell, and does (`TOLD`).
    return _hello(desk, locker, link, (link.epoch, stored_to, head))


def _hello(desk: Desk, locker: Row[Any], link: wire.Link, up: tuple[str, int, str]) -> wire.Hello:
    up_epoch, stored_to, head = up
    return wire.Hello(
        locker=link.locker,
        nonce=link.nonce,
        now=desk.clock.wall_ms(),
        up_epoch=up_epoch,
        stored_to=stored_to,
        hash=head,
        dn_epoch=locker.dn_epoch,
        dn_head=locker.dn_head,
        window=WINDOW,
    )


def _of_the_later(
    connection: Connection,
    desk: Desk,
    locker: Row[Any],
    link: wire.Link,
    earlier: Row[Any],
    current: Row[Any],
    now_ms: int,
) -> wire.Hello | None:
    """What is in force; nothing is taken down. Only who awaits the nonce can tell whether it is news."""
    trouble = _told(link, current.stored_to) or _up_trouble(connection, link, earlier.stored_to, earlier.hash)
    if trouble:
        raise_alarm(connection, link.locker, trouble, now_ms)
    if not link.online or not link.nonce:
        return None
    return _hello(desk, locker, link, (current.epoch, current.stored_to, current.hash))


def _take_down(connection: Connection, locker: Row[Any], link: wire.Link, now_ms: int) -> bool:
    """False for news of a connection that a later one has replaced: a will that comes late."""
    same = locker.epoch == link.epoch
    if same and (link.boot, link.conn) < (locker.boot, locker.conn):
        return False
    if not same and not link.online:
        return False
    heard: dict[str, Any] = {"online": link.online, "link_reason": link.reason, "link_ms": now_ms}
    if link.online:
        head = max(link.head, locker.head) if same else link.head
        heard |= {"epoch": link.epoch, "boot": link.boot, "conn": link.conn, "head": head}
        heard |= {"software": link.sw, "last_heard_ms": now_ms}
    store.change(connection, LOCKER, {"locker": locker.locker}, heard)
    return True


def _told(link: wire.Link, stored_to: int) -> Trouble | None:
    if link.reason not in TOLD:
        return None
    kind, detail = TOLD[link.reason]
    return Trouble(kind, link.epoch, f"the locker, at {link.head}, says of our entry {stored_to}: {detail}")


def _is_news(locker: Row[Any], link: wire.Link) -> bool:
    """Whether this connection was not known.

    The broker keeps the latest birth and says it again to a hub that comes back, long after it was true.
    """
    return locker.epoch != link.epoch or (link.boot, link.conn) > (locker.boot, locker.conn)


def _up_trouble(
    connection: Connection, link: wire.Link, stored_to: int, head: str, *, is_news: bool = False
) -> Trouble | None:
    """What is wrong with how far this locker is; ``stored_to``, ``head``: how far its epoch is stored here.

    That it has less than we have is one thing where it is news. That its last entry is another one than ours
    of that number is never told by a message that comes late or again: that is another card.
    """
    if link.head > stored_to:
        return None
    is_other = _is_other(connection, link, stored_to, head)
    if link.head < stored_to and (is_news or is_other):
        detail = f"the locker has {link.head} entries, {stored_to} are stored here: an old card, or rows lost"
        return Trouble("lost_rows", link.epoch, detail)
    if link.head == stored_to and is_other:
        return Trouble("fork", link.epoch, f"another entry at {stored_to}: a cloned card, or tampering")
    return None


def _is_other(connection: Connection, link: wire.Link, stored_to: int, head: str) -> bool:
    """Whether its last entry, of a number that we have, is not ours."""
    if link.head == stored_to:
        return link.head_hash != head
    named = {"locker": link.locker, "epoch": link.epoch, "seq": link.head}
    ours = store.find(connection, LEDGER, named)
    return ours is not None and link.head_hash != ours.hash


def _mark(connection: Connection, link: wire.Link, trouble: Trouble, now_ms: int) -> None:
    raise_alarm(connection, link.locker, trouble, now_ms)
    where = [STREAM.c.locker == link.locker, STREAM.c.epoch == link.epoch]
    connection.execute(STREAM.update().where(*where).values(mark=trouble.kind))


def _disown(connection: Connection, link: wire.Link, stored_to: int) -> None:
    """How far a card is that knows itself to be another one, and how often it has started, says nothing of
    the locker: messages that wait for its journal must not wait for what only the copy has."""
    where = LOCKER.c.locker == link.locker
    connection.execute(LOCKER.update().where(where).values(head=stored_to, boot=0, conn=0))


def _compare_down(
    connection: Connection, desk: Desk, locker: Row[Any], link: wire.Link, *, new_disk: bool, now_ms: int
) -> bool:
    """Say everything anew where the locker follows another numbering, or has none and had one before; whether
    that was so."""
    if link.dn_epoch == locker.dn_epoch:
        ours = directives.hash_at(connection, locker.locker, locker.dn_epoch, link.dn_applied)
        if ours == link.dn_hash and _can_go_on(connection, locker, link.dn_applied):
            # What it has applied by its own word: it may be less than it acknowledged before a restore.
            _has_applied(connection, locker, link.dn_applied)
            return False
        if ours != link.dn_hash:
            detail = f"the locker's entry {link.dn_applied} is not ours"
            raise_alarm(connection, locker.locker, Trouble("down_fork", link.dn_epoch, detail), now_ms)
    elif link.dn_epoch and not directives.is_ours(connection, locker.locker, link.dn_epoch):
        detail = "the locker follows a numbering that is not ours"
        raise_alarm(connection, locker.locker, Trouble("down_epoch", link.dn_epoch, detail), now_ms)
    elif new_disk:
        histories.say_to_new_disk(connection, locker.locker, link.epoch, desk.chance, now_ms)
        return True
    elif _can_go_on(connection, locker, 0):
        # It has applied nothing of this numbering, or said so before it did: it is good from its start.
        _has_applied(connection, locker, 0)
        return False
    directives.snapshot(connection, locker.locker, desk.chance, now_ms)
    return True


def _has_applied(connection: Connection, locker: Row[Any], seq: int) -> None:
    if locker.dn_stored_to != seq:
        store.change(connection, LOCKER, {"locker": locker.locker}, {"dn_stored_to": seq})


def _can_go_on(connection: Connection, locker: Row[Any], applied: int) -> bool:
    """Whether what this locker lacks is here as it was. It seldom lacks what it acknowledged before."""
    fell_back = applied < locker.dn_stored_to
    return not fell_back or directives.is_whole(connection, locker.locker, locker.dn_epoch, applied)
