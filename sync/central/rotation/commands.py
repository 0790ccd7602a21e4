"""``locker-central keys``: the steps from one signing key of the centre to the next, with the hub stopped.

The journal of acts is written first, then the file: who repeats a step that was cut finds it done, or not.
"""

import argparse
import contextlib
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from sync import seal
from sync.central import lockers
from sync.central.access import audit
from sync.central.access.audit import Event
from sync.central.access.commands import MACHINE
from sync.central.alone import alone
from sync.central.authority.tables import CLAIM
from sync.central.config import Config, load, load_keys
from sync.central.desk import Keys
from sync.central.platform import Chance, SystemClock
from sync.central.rotation import keyfile
from sync.central.rotation.keyfile import CannotRotate
from sync.central.rotation.telling import holding
from sync.central.store import Store
from sync.central.tables import AUTHORISATION, OUTGOING_ITEM

EXPECTED: Final = (CannotRotate,)
NAMED_MAX: Final = 20
"""Lockers in one message: who lacks a key is to be looked for, not read about."""


@dataclass(frozen=True, slots=True)
class _At:
    config: Config
    keys: Keys
    store: Store
    now_ms: int

    def write_down(self, event: Event, public: bytes, **detail: str | int | bool) -> None:
        subject = seal.key_id(public).hex()
        self.store.write_now(lambda c: audit.write(c, self.now_ms, MACHINE, event, subject, detail))

    def put(self, keys: Keys) -> None:
        keyfile.put(self.config.keys, keys)


def run(asked: argparse.Namespace) -> None:
    """Raises CannotRotate, AlreadyServed, BadConfig, OSError, StoreTooNew."""
    config = load(asked.config)
    step = _STEPS.get(asked.what)
    with contextlib.ExitStack() as stack:
        if step:
            # Two keys would sign at once: of the hub that runs, and of the file.
            stack.enter_context(alone(config))
        store = stack.enter_context(contextlib.closing(Store.open(config.database, checkpoints=False)))
        at = _At(config, load_keys(config.keys), store, SystemClock().wall_ms())
        (step or _LOOKS[asked.what])(at, asked)


# --- looking -----------------------------------------------------------------------------------------------


def _publics(at: _At, _asked: argparse.Namespace) -> None:
    """As `lockerctl evidence verify --keys` reads them."""
    known = at.store.read_now(lambda connection: dict(lockers.every_key(connection)))
    print(json.dumps({"lockers": known, "centre": [each.hex() for each in at.keys.publics]}, indent=2))


def _status(at: _At, _asked: argparse.Namespace) -> None:
    print(f"{at.keys.sign.id.hex()}  signs")
    for former in at.keys.former:
        word = "retired" if former.retired else "still believed"
        print(f"{seal.key_id(former.public).hex()}  until {_day(former.switched_ms)}; {word}")
    if at.keys.coming:
        print(f"{at.keys.coming.id.hex()}  announced, signs nothing yet")
    following = at.keys.coming or (at.keys.sign if at.keys.standing else None)
    if following is None:
        return
    found = at.store.read_now(lambda connection: holding(connection, following.public))
    print(f"{len(found.have)} of {len(found.have) + len(found.lack)} lockers have {following.id.hex()}")
    for locker in found.lack:
        print(f"  {locker} lacks it")


# --- steps -------------------------------------------------------------------------------------------------


def _next(at: _At, _asked: argparse.Namespace) -> None:
    keys = keyfile.announced(at.keys, seal.SigningKey.generate(Chance().random_bytes))
    assert keys.coming  # noqa: S101  # `announced` put it there
    at.write_down(Event.CENTRE_KEY_MADE, keys.coming.public)
    at.put(keys)
    print(f"made {keys.coming.id.hex()}. Copy {at.config.keys} to its safe place again, then start the hub:")
    print("it tells every locker. `keys status` counts who has it; then stop the hub: `keys switch`")


def _switch(at: _At, asked: argparse.Namespace) -> None:
    keys = keyfile.switched(at.keys, at.now_ms)
    lacking = _require_known(at, keys.sign, asked.without)
    open_claims = at.store.write_now(lambda connection: _end_claims(connection, at.now_ms))
    at.write_down(Event.CENTRE_KEY_SWITCHED, keys.sign.public, without=",".join(lacking), claims=open_claims)
    at.put(keys)
    print(f"{keys.sign.id.hex()} signs from the hub's next start on; copy {at.config.keys} again")
    if open_claims:
        print(f"{open_claims} claims that nobody had taken named the key before and are over: make them anew")


def _retire(at: _At, asked: argparse.Namespace) -> None:
    keys = keyfile.retired(at.keys)
    last = at.keys.standing[-1]
    until_ms = at.store.read_now(lambda connection: _signed_until(connection, last.switched_ms))
    if until_ms > at.now_ms and not asked.now:
        raise CannotRotate(
            f"drop-off codes or labels that it signed are good until {_day(until_ms)}: wait, or add --now and"
            " they will not be taken when scanned"
        )
    lacking = _require_known(at, keys.sign, asked.without)
    at.write_down(Event.CENTRE_KEY_RETIRED, last.public, without=",".join(lacking), now=asked.now)
    at.put(keys)
    print(f"lockers are told not to believe {seal.key_id(last.public).hex()}; copy {at.config.keys} again")


def _require_known(at: _At, key: seal.SigningKey, without: Sequence[str]) -> list[str]:
    """The named ones that lack it. Raises CannotRotate for any other that does."""
    found = at.store.read_now(lambda connection: holding(connection, key.public))
    lacking = set(found.lack)
    if unknown := sorted(set(without) - lacking - set(found.have)):
        raise CannotRotate(f"no locker {', '.join(unknown)} is enrolled here")
    if missing := sorted(lacking - set(without)):
        some = ", ".join(missing[:NAMED_MAX]) + (" …" if len(missing) > NAMED_MAX else "")
        raise CannotRotate(
            f"{len(missing)} lockers lack {key.id.hex()}: {some}. Start the hub and wait until they have it;"
            " or name each that is away: --without LOCKER"
        )
    return sorted(lacking)


def _end_claims(connection: Connection, now_ms: int) -> int:
    """They hold the pin of the key that signs no more."""
    row = CLAIM.c
    open_ones = CLAIM.update().where(row.taken_ms == 0, row.ends_ms > now_ms)
    return connection.execute(open_ones.values(ends_ms=now_ms)).rowcount


def _signed_until(connection: Connection, switched_ms: int) -> int:
    """Until when the last token is good that was signed before then; 0 where none is left."""
    right, item = AUTHORISATION.c, OUTGOING_ITEM.c
    ends = (
        select(func.max(right.valid_until_ms)).where(right.made_ms <= switched_ms, right.ended == ""),
        select(func.max(item.valid_until_ms)).where(item.made_ms <= switched_ms, item.state == "announced"),
    )
    return max(connection.execute(each).scalar() or 0 for each in ends)


def _day(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).date().isoformat()


_Does = Callable[[_At, argparse.Namespace], None]
_LOOKS: Final[dict[str, _Does]] = {"": _publics, "status": _status}
_STEPS: Final[dict[str, _Does]] = {"next": _next, "switch": _switch, "retire": _retire}
