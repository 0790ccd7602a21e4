"""``locker-central authority`` and ``locker-central claim``: also beside a running hub."""

import argparse
import base64
import contextlib
import json
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from sync import certificates, durable
from sync.central.access import audit
from sync.central.access.audit import Event
from sync.central.access.commands import MACHINE
from sync.central.alarms import Trouble, raise_alarm
from sync.central.authority import broker, claims, register
from sync.central.authority.issuing import Authority, Purpose, issue, new_authority, revocations
from sync.central.authority.keep import OWN_KIND
from sync.central.authority.register import NotProvisioned
from sync.central.authority.renewing import worn
from sync.central.authority.root import REVOKED, ROOT, CannotSign
from sync.central.authority.settings import CLAIM_HOURS_MAX, Bureau
from sync.central.authority.tables import CERTIFICATE
from sync.central.config import Config, load, load_keys
from sync.central.desk import Desk
from sync.central.platform import SystemClock
from sync.central.store import Store
from sync.central.tables import LOCKER
from sync.wire import provision

PLAN_CHARACTERS_MAX: Final = 256 * 1024
NOT_IN_A_PLAN: Final = ("locker", "mqtt")
"""Tables of `locker.toml` that provisioning writes itself."""


class CannotClaim(Exception):
    """No claim was made. The message says what to do."""


EXPECTED: Final = (
    CannotSign,
    CannotClaim,
    NotProvisioned,
    certificates.BadCertificate,
    provision.BadProvision,
)


@dataclass(frozen=True, slots=True)
class Desks:
    """What every command works on."""

    config: Config
    desk: Desk
    store: Store
    bureau: Bureau

    @property
    def now_ms(self) -> int:
        return self.desk.clock.wall_ms()


def run(asked: argparse.Namespace) -> None:
    """Raises what `EXPECTED` holds, CannotEnrol, BadConfig, OSError, StoreTooNew."""
    config = load(asked.config)
    desk = Desk(load_keys(config.keys), SystemClock())
    bureau = Bureau.of(config.authority, config.folder, config.url, config.broker.host)
    with contextlib.closing(Store.open(config.database, checkpoints=False)) as store:
        what = asked.what if asked.command == "authority" else asked.command
        _DOES[what](Desks(config, desk, store, bureau), asked)


def _open(desks: Desks, asked: argparse.Namespace) -> Authority:
    return desks.bureau.place.open(_passphrase(asked))


def _passphrase(asked: argparse.Namespace) -> str:
    return sys.stdin.readline().rstrip("\n") if asked.passphrase_stdin else ""


def _init(desks: Desks, asked: argparse.Namespace) -> None:
    place, now_ms = desks.bureau.place, desks.now_ms
    authority = new_authority(asked.name, now_ms)
    word = _passphrase(asked) or place.passphrase()
    place.make(authority, word)
    print_ = certificates.fingerprint(authority.pem).hex()
    desks.store.write_now(
        lambda c: audit.write(c, now_ms, MACHINE, Event.AUTHORITY_MADE, asked.name, {"root": print_})
    )
    _put_revoked(desks, authority)
    locked = "locked by its passphrase" if word else "without a passphrase: keep this folder to the hub alone"
    print(
        f"wrote {place.folder}: {ROOT} is for everybody, its key is {locked}; keep a copy of both elsewhere"
    )
    print(f"SHA-256 of the root: {print_}")


def _server(desks: Desks, asked: argparse.Namespace) -> None:
    authority = _open(desks, asked)
    _issue(desks, authority, Purpose.SERVER, asked.name, asked.out, asked.host)
    desks.bureau.place.issued(asked.name)


def _hub(desks: Desks, asked: argparse.Namespace) -> None:
    authority = _open(desks, asked)
    for name in broker.hub_names(desks.config.workers.shards):
        _issue(desks, authority, Purpose.HUB, name, asked.out, [])
    print(f'[broker] certificate = "{asked.out}/{{name}}.pem", key = "{asked.out}/{{name}}.key"')


def _issue(
    desks: Desks, authority: Authority, purpose: Purpose, name: str, out: Path, hosts: list[str]
) -> None:
    """A key that is there already is kept, and gets a new certificate."""
    durable.make_folder(out)
    key = out / f"{name}.key"
    if not key.exists():
        durable.write_new(key, certificates.new_key())
    now_ms = desks.now_ms
    csr = certificates.request_for(key.read_text("ascii"), name)
    pem = issue(authority, certificates.read_request(csr), purpose, now_ms, hosts=hosts)

    def work(connection: Connection) -> None:
        serial = register.keep(connection, pem, purpose, now_ms)
        detail = {"serial": serial, "purpose": purpose.value}
        audit.write(connection, now_ms, MACHINE, Event.CERTIFICATE_ISSUED, name, detail)

    desks.store.write_now(work)
    _replace(out / f"{name}.pem", pem)
    ends = certificates.moment_of(certificates.read(pem).not_after_ms).date()
    print(f"{out / name}.pem is good until {ends}; make it anew by the same command before")


def _renew(desks: Desks, asked: argparse.Namespace) -> None:
    """Whatever keeps it from being done is an alarm as well: nobody reads what a timer says."""
    try:
        _renew_due(desks, asked)
    except (CannotSign, certificates.BadCertificate, OSError) as error:
        trouble, now_ms = Trouble(OWN_KIND, "renew", str(error)), desks.now_ms
        desks.store.write_now(lambda connection: raise_alarm(connection, "", trouble, now_ms))
        raise


def _renew_due(desks: Desks, asked: argparse.Namespace) -> None:
    place = desks.bureau.place
    due = [each for each in worn(asked.folder, place.root()) if each.is_due(desks.now_ms)]
    if not due:
        return
    authority = _open(desks, asked)
    for each in due:
        _issue(desks, authority, each.purpose, each.name, each.path.parent, list(each.hosts))
    # Last: whoever waits for it gives the new ones to those that wear them.
    place.issued(", ".join(each.name for each in due))


def _list(desks: Desks, _asked: argparse.Namespace) -> None:
    query = select(CERTIFICATE).order_by(CERTIFICATE.c.name, CERTIFICATE.c.issued_ms)
    for row in desks.store.read_now(lambda c: c.execute(query).all()):
        told = f"until {certificates.moment_of(row.not_after_ms).date()}"
        if row.revoked_ms:
            told = f"revoked {certificates.moment_of(row.revoked_ms).date()} ({row.why or 'no reason given'})"
        print(f"{row.name}: {row.purpose}, {row.serial}, {told}")


def _revoke(desks: Desks, asked: argparse.Namespace) -> None:
    authority = _open(desks, asked)
    now_ms, name = desks.now_ms, asked.name
    count = desks.store.write_now(lambda c: register.revoke(c, MACHINE, name, now_ms, asked.why))
    # First the mark, then the list: whoever waits for a new list must know what it is about.
    desks.bureau.place.throw_out(name)
    path = _put_revoked(desks, authority)
    print(f"{count} certificates of {name} are revoked; {path} is for the broker")
    print("An installed hub gives it the list and starts it anew, which throws out who is connected.")
    print("Elsewhere: it reads the list on SIGHUP; who is connected stays so until it is started anew.")


def _sign(desks: Desks, asked: argparse.Namespace) -> None:
    authority, now_ms = _open(desks, asked), desks.now_ms
    names = desks.store.write_now(lambda c: register.sign_waiting(c, authority, MACHINE, now_ms))
    path = _put_revoked(desks, authority)
    print(f"{len(names)} signed{': ' if names else ''}{', '.join(names)}; {path} is of today")


def _broker(desks: Desks, asked: argparse.Namespace) -> None:
    durable.make_folder(asked.out)
    count = desks.store.read_now(lambda c: len(c.execute(select(LOCKER.c.locker)).all()))
    port = desks.bureau.broker_port
    folder = asked.folder or str(asked.out.resolve())
    listener = broker.Listener(folder, asked.address, port, count)
    place = desks.bureau.place
    for name, text in (
        ("mosquitto.conf", broker.configuration(listener)),
        ("access", broker.access(desks.config.workers.shards)),
        (ROOT, place.root()),
        (REVOKED, (place.folder / REVOKED).read_text("ascii")),
    ):
        _replace(asked.out / name, text, 0o644 if name != "access" else 0o640)
    missing = [name for name in ("broker.pem", "broker.key") if not (asked.out / name).exists()]
    print(f"wrote {asked.out}/mosquitto.conf, access, {ROOT} and {REVOKED}")
    if missing:
        print(
            f"missing there: {', '.join(missing)}: `locker-central authority server broker --host … --out …`"
        )


def _answer(desks: Desks, asked: argparse.Namespace) -> None:
    """Raises NotProvisioned, BadProvision."""
    frame = base64.b64decode(_carried(asked.request), validate=True)
    authority = _open(desks, asked)
    answer = desks.store.write_now(
        lambda c: claims.take(c, desks.desk, desks.bureau, authority, frame),
    )
    assert answer is not None  # noqa: S101  # the authority is open
    durable.write_new(asked.out, json.dumps({"answer": base64.b64encode(answer).decode()}) + "\n")
    print(f"carry {asked.out} to the locker; nobody else can read it")


def _carried(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="ascii"))["request"])
    except (ValueError, KeyError, TypeError) as error:
        raise provision.BadProvision(f"{path}: no request of a locker") from error


def _claim(desks: Desks, asked: argparse.Namespace) -> None:
    bureau = desks.bureau
    hours = asked.hours or desks.config.authority.claim_hours
    if not 0 < hours <= CLAIM_HOURS_MAX:
        raise CannotClaim(f"--hours: 1 to {CLAIM_HOURS_MAX}")
    if not bureau.hub.startswith("https://"):
        raise CannotClaim("lockers come by TLS alone: set [authority] url, or [web] url, to https://…")
    root = bureau.place.root()
    plan = _plan(asked.plan) if asked.plan else ""
    secret = desks.store.write_now(
        lambda c: claims.make(c, desks.desk, MACHINE, asked.locker, asked.area, plan=plan, hours=hours)
    )
    trust = provision.Trust(root, desks.desk.keys.sign.public.hex())
    if asked.out:
        durable.write_new(asked.out, provision.Claim(asked.locker, bureau.hub, secret, trust).text())
        print(f"{asked.out} lets {asked.locker} come in once, within {hours} hours: keep it to yourself")
        print(f"There: lockerctl provision --claim {asked.out.name}")
        return
    code = provision.code(secret, trust.pin(certificates.fingerprint(root)))
    print(f"It lets {asked.locker} come in once, within {hours} hours. There:")
    print(f"lockerctl provision --hub {bureau.hub} --locker {asked.locker} --code {code}")


def _plan(path: Path) -> str:
    """Raises CannotClaim, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise CannotClaim(f"{path}: {error}") from error
    own = [name for name in NOT_IN_A_PLAN if name in tables]
    if own or len(text) > PLAN_CHARACTERS_MAX:
        raise CannotClaim(f"{path}: leave out [{'], ['.join(own)}]: the locker gets it otherwise")
    return text


def _put_revoked(desks: Desks, authority: Authority) -> Path:
    listed = desks.store.read_now(register.revoked)
    return desks.bureau.place.put_revoked(revocations(authority, listed, desks.now_ms))


def _replace(path: Path, text: str, mode: int = 0o644) -> None:
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    durable.write_new(fresh, text, mode=mode)
    fresh.replace(path)
    durable.sync_folder(path.parent)


_DOES: Final[dict[str, Callable[[Desks, argparse.Namespace], None]]] = {
    "init": _init,
    "server": _server,
    "hub": _hub,
    "renew": _renew,
    "list": _list,
    "revoke": _revoke,
    "sign": _sign,
    "broker": _broker,
    "answer": _answer,
    "claim": _claim,
}
